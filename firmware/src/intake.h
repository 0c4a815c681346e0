/* The noise intake: takes the converter's codes from the board, numbers them and puts them into the noise buffer. */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdint.h>

#include "anp.h"
#include "board.h"
#include "health.h"

#define INTAKE_BATCH 16           /* codes taken at once */

/* Small fields first: a small chip reaches what is near a struct's start with short instructions. */
struct intake {
    uint32_t next;                /* number of the converter's next code, mod 2^32; lost ones count */
    uint32_t lost;                /* the board's counter of lost codes, as far as they have their numbers */
    uint32_t lost_before;         /* that counter at the start */
    uint8_t source;               /* WIRE_NOISE_SOURCE_...: whose codes enter the buffer */
    uint8_t contiguous;           /* this many of the newest codes in the buffer came from the converter without a hole */
    struct health health;
    struct anp_noise noise;
};

void intake_init(struct intake *intake, const BOARD_FLASH struct board *board);

/* Chooses the source. The buffer keeps its codes only from the ADC to the ADC. */
void intake_choose(struct intake *intake, uint8_t source);

/* Takes one batch from the board; returns how many codes. With injected noise they are numbered and thrown away. */
uint8_t intake_take(struct intake *intake, const BOARD_FLASH struct board *board);

/* Codes lost since the start, mod 2^32. */
static inline uint32_t intake_lost(const struct intake *intake) { return intake->lost - intake->lost_before; }

/* Place in the noise buffer of the code that is this many codes old: 1 is the newest, at most `contiguous`. */
uint8_t intake_place(const struct intake *intake, uint8_t age);

#endif
