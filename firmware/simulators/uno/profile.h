/* Counts the cycles of training steps by functions, those of interrupts, and the stack, in the very image that is flashed: calls and
 * returns are seen from the program counter and the stack pointer after each instruction. */
#ifndef PROFILE_H
#define PROFILE_H

#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#include "atmega328p.h"
#include "image.h"

#define PROFILE_DEPTH 16          /* measured functions that call each other */

enum phase { PHASE_DRAW, PHASE_FORWARD, PHASE_NORMALISE, PHASE_UPDATE, PHASES };

struct profile_step {
    uint32_t cycles[PHASES];
    uint32_t interrupts;
};

struct profile {
    avr_t *avr;
    uint8_t function[FLASH_BYTES / 2]; /* by word address: 1 + number of the measured function that begins there */
    uint8_t ram[RAM_END + 1];     /* as it was at the start */
    uint16_t static_end;          /* first address behind static data */
    uint16_t deepest;             /* lowest stack pointer */

    struct frame {
        uint8_t function;
        uint16_t stack;           /* stack pointer at its first instruction */
    } frames[PROFILE_DEPTH];
    unsigned depth;
    avr_cycle_count_t since;      /* the running phase is counted up to here */
    struct profile_step now;

    struct profile_step *steps;
    uint32_t step_count;
    uint32_t step_room;

    struct handler {
        uint8_t vector;
        avr_cycle_count_t since;
    } handlers[VECTORS];          /* running, the newest last */
    unsigned nested;
    avr_cycle_count_t outermost;  /* when the outermost handler began */
    uint64_t calls[VECTORS];
    uint64_t cycles[VECTORS];
};

/* Zeroed by the caller. Ends the process when the image has the training step but not all of its parts. */
void profile_begin(struct profile *profile, avr_t *avr, const struct image *image);

/* After each instruction. */
void profile_step(struct profile *profile);

/* When a handler begins, and during its RETI. */
void profile_interrupt(struct profile *profile, uint8_t vector, bool begins);

/* The chip was reset. */
void profile_reset(struct profile *profile);

/* Writes JSON. False: the file cannot be written. */
bool profile_write(const struct profile *profile, const char *path, uint32_t overruns);

#endif
