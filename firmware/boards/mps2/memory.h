/* The device's nonvolatile memory: RAM that a reset leaves alone. It ends with the simulator. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_BYTES 16384

/* After a power cycle the memory is erased. Once, at the start. */
void memory_begin(void);

/* Callbacks of struct board. */
bool memory_ready(void *context);
uint8_t memory_read(void *context, uint16_t address);
void memory_write(void *context, uint16_t address, uint8_t value);
void memory_flush(void *context);

#endif
