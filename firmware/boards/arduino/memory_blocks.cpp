/* Bytes of memory that is erased in blocks. */
#include "capabilities.h"

#ifndef NONVOLATILE_AVR

#include <string.h>

#include "memory.h"
#include "nonvolatile.h"

#define PIECE 256                     /* programmed at once: what the RP2040 takes at most */
#define NONE 0xffff
#define ERASED 0xff

static uint8_t cache[MEMORY_CACHE];   /* of one block */
static uint16_t cached = NONE;        /* its number */
static bool changed;                  /* since it was read or written out */

uint16_t memory_bytes(void)
{
    uint16_t blocks = nonvolatile_blocks(), size = nonvolatile_block_bytes();
    if (blocks < NONVOLATILE_BOOT_BLOCKS + 2 || size > sizeof cache)
        return 0;
    uint32_t usable = (uint32_t)(blocks - NONVOLATILE_BOOT_BLOCKS), most = 0xffffu / size;
    return (uint16_t)((usable < most ? usable : most) * size);
}

uint16_t memory_block(void)
{
    return nonvolatile_block_bytes();
}

bool memory_ready(void *)
{
    return true;
}

static bool is_erased(const uint8_t *bytes, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        if (bytes[i] != ERASED)
            return false;
    return true;
}

static bool program(void)
{
    uint16_t size = nonvolatile_block_bytes();
    for (uint16_t from = 0; from < size; from = (uint16_t)(from + PIECE)) {
        uint16_t count = (uint16_t)(size - from < PIECE ? size - from : PIECE);
        if (!is_erased(cache + from, count) && !nonvolatile_program(cached, from, cache + from, count))
            return false;
    }
    return true;
}

void memory_flush(void *)
{
    if (!changed)
        return;
    changed = false;
    /* After a failure the block is what the memory says it is, so that whoever reads it again notices. */
    if (!nonvolatile_erase(cached) || !program())
        cached = NONE;
}

uint8_t memory_read(void *, uint16_t address)
{
    uint16_t size = nonvolatile_block_bytes();
    uint16_t block = (uint16_t)(address / size), offset = (uint16_t)(address % size);
    if (block == cached)
        return cache[offset];
    uint8_t value = ERASED;
    nonvolatile_read(block, offset, &value, 1);
    return value;
}

void memory_write(void *context, uint16_t address, uint8_t value)
{
    uint16_t size = nonvolatile_block_bytes();
    uint16_t block = (uint16_t)(address / size), offset = (uint16_t)(address % size);
    if (block != cached) {
        memory_flush(context);
        cached = block;
        if (!nonvolatile_read(block, 0, cache, size))
            memset(cache, ERASED, sizeof cache);
    }
    if (cache[offset] == value)
        return;
    cache[offset] = value;
    changed = true;
}

#endif
