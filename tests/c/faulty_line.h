/* One direction of a serial line on a virtual clock whose tick is one byte, with faults. */
#ifndef FAULTY_LINE_H
#define FAULTY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define RING 4096                 /* a power of two */

struct ring {
    uint8_t bytes[RING];
    uint16_t first, count;
};

void ring_put(struct ring *ring, uint8_t byte);
uint8_t ring_take(struct ring *ring);

enum fault { FLIP, DROP, DOUBLE, INSERT, REPEAT, MERGE, RETURN, STALL, FAULTS };
extern const char *const fault_names[FAULTS];

/* Frames that went by, for RETURN. */
#define PAST 1024
struct past {
    uint8_t bytes[96];
    uint8_t count, seq;
};

struct line {
    struct ring queue;            /* written by the sender, not yet on the line */
    void (*deliver)(uint8_t byte);
    uint32_t spacing;             /* mean number of bytes between faults; 0: none */
    uint32_t stalled;             /* ticks left */
    uint8_t frame[512];           /* what went by since the last delimiter, for REPEAT */
    uint16_t frame_bytes;
    struct past past[PAST];
    uint32_t frames;              /* since the start; the newest PAST of them are kept */
    bool repeat, returns;
    uint64_t returned;            /* frames that came back under a number that was the next one */
    uint8_t merge;                /* delimiters to swallow */
};

/* Carries at most one byte; counts the fault that hits it. */
void line_tick(struct line *line, uint64_t faults[FAULTS]);

void random_seed(uint32_t seed);
/* 0 .. below - 1 */
uint32_t random_draw(uint32_t below);

#endif
