/* The in-process device's memory, which can tear a byte or a block. device_memory.c calls it. */
#include "nonvolatile.h"

#include <stdlib.h>
#include <string.h>

#include "generator.h"

#define ERASED 0xff

bool nonvolatile_init(struct nonvolatile *memory, uint16_t size, uint16_t block, uint16_t latency)
{
    *memory = (struct nonvolatile){.size = size, .block = block, .latency = latency};
    memory->bytes = malloc(size + 1u);
    memory->buffer = malloc(block);
    if (!memory->bytes || !memory->buffer) {
        nonvolatile_free(memory);
        return false;
    }
    memset(memory->bytes, ERASED, size);
    return true;
}

void nonvolatile_free(struct nonvolatile *memory)
{
    free(memory->bytes);
    free(memory->buffer);
    memory->bytes = memory->buffer = NULL;
}

static void tear_block(const struct nonvolatile *memory, uint8_t *old)
{
    uint16_t block = memory->block;
    if (memory->torn == 0)
        return;
    if (memory->torn == 0xff) {
        memcpy(old, memory->buffer, block);
    } else if (memory->erased) {
        uint32_t programmed = (uint32_t)block * memory->torn / 256;
        memcpy(old, memory->buffer, programmed);
        memset(old + programmed, ERASED, block - programmed);
    } else {
        struct generator generator;
        generator_init(&generator, memory->torn, memory->writes);
        for (uint16_t i = 0; i < block; i++)
            old[i] = (uint8_t)generator_bits(&generator);
    }
}

/* The buffer into the memory. */
static void commit(struct nonvolatile *memory)
{
    uint8_t *place = memory->bytes + memory->buffered_from;
    if (!memory->buffered || memory->dead)
        return;
    memory->buffered = false;
    if (memcmp(place, memory->buffer, memory->block) == 0)
        return;
    memory->writes++;
    memory->busy = memory->latency;
    if (memory->until_cut == 0 || --memory->until_cut) {
        memcpy(place, memory->buffer, memory->block);
        return;
    }
    memory->dead = true;
    if (memory->block > 1)
        tear_block(memory, place);
    else
        *place = (uint8_t)((*memory->buffer & memory->torn) | ((memory->erased ? ERASED : *place) & ~memory->torn));
}

bool nonvolatile_ready(struct nonvolatile *memory)
{
    if (memory->busy == 0)
        return true;
    memory->busy--;
    return false;
}

uint8_t nonvolatile_read(const struct nonvolatile *memory, uint16_t address)
{
    uint16_t offset = (uint16_t)(address - memory->buffered_from);
    return memory->buffered && offset < memory->block ? memory->buffer[offset] : memory->bytes[address];
}

void nonvolatile_write(struct nonvolatile *memory, uint16_t address, uint8_t value)
{
    uint16_t from = (uint16_t)(address / memory->block * memory->block);
    if (from != memory->buffered_from)
        commit(memory);
    if (!memory->buffered)
        memcpy(memory->buffer, memory->bytes + from, memory->block);
    memory->buffered = true;
    memory->buffered_from = from;
    memory->buffer[address - from] = value;
    if (memory->block == 1)
        commit(memory);
}

void nonvolatile_flush(struct nonvolatile *memory)
{
    commit(memory);
}

void nonvolatile_cut(struct nonvolatile *memory, uint32_t writes, uint8_t torn, bool erased)
{
    memory->until_cut = writes;
    memory->torn = torn;
    memory->erased = erased;
}

void nonvolatile_restart(struct nonvolatile *memory)
{
    memory->buffered = memory->dead = false;
    memory->busy = 0;
    memory->until_cut = 0;
}
