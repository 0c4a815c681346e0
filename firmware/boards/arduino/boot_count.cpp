/* The count is a log: every start programs one record behind the last, so that a block is erased once in as many starts as it has
 * records. With two blocks the new one is begun before the old one is erased, and a power cut at any moment loses one start at most. */
#include "boot_count.h"

#include "nonvolatile.h"

struct record {
    uint16_t count;
    uint16_t inverted;            /* ~count; an erased record is not valid, nor one whose programming was cut */
};

struct place {
    uint16_t block;
    uint16_t index;
};

static uint16_t records(void)
{
    return (uint16_t)(nonvolatile_block_bytes() / sizeof(struct record));
}

static bool is_erased(const record &entry)
{
    return entry.count == 0xffff && entry.inverted == 0xffff;
}

static bool read(place at, record &entry)
{
    return nonvolatile_read(at.block, (uint16_t)(at.index * sizeof entry), &entry, sizeof entry);
}

static bool program(place at, uint16_t count)
{
    record entry = {count, (uint16_t)~count};
    return nonvolatile_program(at.block, (uint16_t)(at.index * sizeof entry), &entry, sizeof entry);
}

/* Finds the latest valid record, and the first erased one behind the last that was programmed in its block. */
struct log_state {
    uint16_t count;               /* 0: no valid record */
    place next;                   /* index records(): the block is full */
};

static log_state scan(uint16_t block)
{
    log_state state = {0, {block, 0}};
    for (uint16_t index = 0; index < records(); index++) {
        record entry;
        if (!read(place{block, index}, entry))
            continue;
        if ((uint16_t)~entry.inverted == entry.count)
            state.count = entry.count;
        if (!is_erased(entry))
            state.next.index = (uint16_t)(index + 1);
    }
    return state;
}

/* Later of two counts that wrapped around at 2^16 alike; 0 is before any. */
static bool is_later(uint16_t one, uint16_t other)
{
    return other == 0 || (one != 0 && (int16_t)(uint16_t)(one - other) > 0);
}

uint16_t boot_count_next(void)
{
    uint16_t blocks = nonvolatile_blocks();
    if (blocks == 0)
        return 1;
    uint16_t first = (uint16_t)(blocks > NONVOLATILE_BOOT_BLOCKS ? blocks - NONVOLATILE_BOOT_BLOCKS : 0);
    log_state state = scan(first);
    for (uint16_t block = (uint16_t)(first + 1); block < blocks; block++) {
        log_state other = scan(block);
        if (is_later(other.count, state.count))
            state = other;
    }
    uint16_t count = (uint16_t)(state.count + 1);
    if (count == 0)
        count = 1;
    bool is_new = state.count == 0; /* what the memory held so far, or half an erase */
    if (is_new || state.next.index == records()) {
        uint16_t block = (uint16_t)(is_new || state.next.block + 1 == blocks ? first : state.next.block + 1);
        if (!nonvolatile_erase(block))
            return count;
        state.next = place{block, 0};
    }
    program(state.next, count);
    return count;
}
