/* The device's memory: the blocks of nonvolatile.h but for those that hold the boot count, byte by byte. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* 0 where there are not two blocks, one for each checkpoint. */
uint16_t memory_bytes(void);
/* Bytes that are erased together. */
uint16_t memory_block(void);

/* Callbacks of struct board. Where bytes are not written alone, one block waits in RAM until another is written to or memory_flush() is
 * called; then it is erased and programmed, which waits until that is done, and the codes of that time count as lost. */
bool memory_ready(void *context);
uint8_t memory_read(void *context, uint16_t address);
void memory_write(void *context, uint16_t address, uint8_t value);
void memory_flush(void *context);

#endif
