/* The device's nonvolatile memory: RAM that a reset leaves alone. It ends with the simulator. */
#ifndef NONVOLATILE_H
#define NONVOLATILE_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_BYTES 16384

/* After a power cycle the memory is erased. Once, at the start. */
void nonvolatile_begin(void);

/* Callbacks of struct board. */
bool nonvolatile_ready(void *context);
uint8_t nonvolatile_read(void *context, uint16_t address);
void nonvolatile_write(void *context, uint16_t address, uint8_t value);
void nonvolatile_flush(void *context);

#endif
