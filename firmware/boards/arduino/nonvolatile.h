/* Memory that keeps its contents without power, in blocks: bytes are programmed once after their block was erased, erased bytes read
 * 0xff, and a power cut damages no block but the one at work. Blocks are numbered from 0; the last NONVOLATILE_BOOT_BLOCKS hold the boot
 * count. What two records must survive each other's power cut lies in different blocks. Writing waits until it is done. */
#ifndef NONVOLATILE_H
#define NONVOLATILE_H

#include <stdbool.h>
#include <stdint.h>

#define NONVOLATILE_BOOT_BLOCKS 2

/* Blocks that the board has, 0 if it has no such memory. */
uint16_t nonvolatile_blocks(void);
/* Bytes of a block. */
uint16_t nonvolatile_block_bytes(void);

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count);
bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count);
bool nonvolatile_erase(uint16_t block);

#endif
