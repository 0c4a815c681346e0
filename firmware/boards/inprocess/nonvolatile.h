/* Nonvolatile memory whose power can be cut at any write. With blocks of one byte each write is of one byte; with larger ones the bytes
 * of one block wait in a buffer, and a write erases and programs a whole block. What would change nothing is not written. */
#ifndef NONVOLATILE_H
#define NONVOLATILE_H

#include <stdbool.h>
#include <stdint.h>

struct nonvolatile {
    uint8_t *bytes;
    uint8_t *buffer;
    uint16_t size;
    uint16_t block;
    uint16_t latency;             /* times that it is not ready after a write */
    uint16_t busy;                /* of these, left */
    bool buffered;
    uint16_t buffered_from;       /* address of the buffered block */
    uint32_t writes;
    uint32_t until_cut;           /* writes; 0: the power is not cut */
    uint8_t torn;
    bool erased;
    bool dead;                    /* the power was cut */
};

/* Erased memory; `size` is a multiple of `block`. False: memory is short. */
bool nonvolatile_init(struct nonvolatile *memory, uint16_t size, uint16_t block, uint16_t latency);
void nonvolatile_free(struct nonvolatile *memory);

bool nonvolatile_ready(struct nonvolatile *memory);
uint8_t nonvolatile_read(const struct nonvolatile *memory, uint16_t address);
void nonvolatile_write(struct nonvolatile *memory, uint16_t address, uint8_t value);
void nonvolatile_flush(struct nonvolatile *memory);

/* The n-th write from now is the last, and torn; 0: none is. Of a byte the bits that `torn` names are new, the others as they were, or
 * 1 if it was `erased` already. Of a larger block: nothing is new with 0, all with 255, else it is random, or, if it was erased, its first
 * torn/256 are new. */
void nonvolatile_cut(struct nonvolatile *memory, uint32_t writes, uint8_t torn, bool erased);

/* The power is back. */
void nonvolatile_restart(struct nonvolatile *memory);

#endif
