#include "memory.h"

#include <string.h>

#define MARK 0x6d656d32u          /* "mem2" */
#define ERASED 0xff

__attribute__((section(".noinit"))) static uint32_t mark;
__attribute__((section(".noinit"))) static uint8_t bytes[MEMORY_BYTES];

void memory_begin(void)
{
    if (mark == MARK)
        return;
    memset(bytes, ERASED, sizeof bytes);
    mark = MARK;
}

bool memory_ready(void *context)
{
    (void)context;
    return true;
}

uint8_t memory_read(void *context, uint16_t address)
{
    (void)context;
    return bytes[address];
}

void memory_write(void *context, uint16_t address, uint8_t value)
{
    (void)context;
    bytes[address] = value;
}

void memory_flush(void *context)
{
    (void)context;
}
