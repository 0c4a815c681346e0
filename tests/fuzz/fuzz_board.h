/* The board under a fuzzed device: everything that reaches the device comes from calls here, and every promise of board.h that the
 * device must keep is checked. A broken one ends the process by fuzz_fail(). */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "frame.h"

#define FUZZ_CODES 64             /* the converter's FIFO */
#define FUZZ_MEMORY 2048
#define FUZZ_SENT 1024

/* What a power cut makes of bytes that were being written. */
enum fuzz_torn { FUZZ_OLD, FUZZ_NEW, FUZZ_ERASED, FUZZ_MIXED, FUZZ_TORN_KINDS };

struct fuzz_board {
    struct board board;
    struct board_start start;
    uint8_t error;
    bool restart;                 /* the device asked for it */
    uint8_t *arena;

    uint8_t received[512];        /* bytes that wait in the receiver */
    uint16_t received_start, received_count, overruns;

    uint16_t room;                /* bytes that the line takes until the host reads */
    uint16_t sent_count;
    uint8_t sent[FUZZ_SENT];

    uint16_t codes[FUZZ_CODES];
    uint8_t codes_start, codes_count;
    uint32_t codes_lost;
    uint8_t codes_per_step;
    uint16_t level_low, level_high;
    uint32_t random;
    bool high;

    uint32_t micros;

    uint8_t kept[FUZZ_MEMORY];    /* what a power cut leaves */
    uint8_t buffer[FUZZ_MEMORY];  /* what a read tells */
    bool dirty;                   /* a block, or byte, is not kept yet */
    uint16_t dirty_block;
    uint8_t busy;                 /* questions until the memory is ready */
    uint8_t slowness;
    uint32_t writes;
    uint16_t write_from, write_end; /* what may be written now */
    bool ready;                   /* the device was told so */
};

/* Says what is wrong and aborts, so that the fuzzer keeps the input. */
_Noreturn void fuzz_fail(const char *what);

static inline void fuzz_check(bool holds, const char *what)
{
    if (!holds)
        fuzz_fail(what);
}

/* Fills the struct board. Options: the first bytes of an input. */
#define FUZZ_OPTIONS 6
void fuzz_board_init(struct fuzz_board *fuzz, const uint8_t *options);
void fuzz_board_free(struct fuzz_board *fuzz);

void fuzz_board_receive(struct fuzz_board *fuzz, const uint8_t *bytes, uint16_t count);

/* A code arrives at the converter; without room one is lost, as on a chip. */
void fuzz_board_code(struct fuzz_board *fuzz, uint16_t code);

/* This many codes of a junction that flickers between two levels. */
void fuzz_board_flicker(struct fuzz_board *fuzz, uint16_t count);

/* The start that follows: of a power cut in the middle of what is being written, or after a reset. */
void fuzz_board_power_cut(struct fuzz_board *fuzz, enum fuzz_torn torn);
void fuzz_board_reset(struct fuzz_board *fuzz, uint8_t cause);

#endif
