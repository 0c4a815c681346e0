/* Writes what the C device does turn by turn, for replay.py, which gives the same to the device in MicroPython. It is linked into the fuzz
 * target of the device (tests/fuzz), whose script is the host: of every turn it writes what the board holds before it, what the device sends
 * in it, and what the board holds after it.
 *
 * The file's name is in MTJLEARN_TRACE. Boards have no nonvolatile memory, whatever the input says, unless MTJLEARN_TRACE_MEMORY is set: its
 * writes take other times in MicroPython, where it is a file system, so turns are not those of the C device then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_target.h"
#include "fuzz_board.h"
#include "turn.h"

void __real_fuzz_board_init(struct fuzz_board *fuzz, const uint8_t *options);
void __wrap_fuzz_board_init(struct fuzz_board *fuzz, const uint8_t *options);
void __real_device_init(struct device *device, const struct board *board, const struct board_start *start);
void __wrap_device_init(struct device *device, const struct board *board, const struct board_start *start);
bool __real_device_poll(struct device *device);
bool __wrap_device_poll(struct device *device);
void __sanitizer_set_death_callback(void (*callback)(void));

static FILE *file;

/* The driver's wish, of a build without sanitizers. */
void __sanitizer_set_death_callback(void (*callback)(void))
{
    (void)callback;
}

static void put(uint32_t value, uint8_t bytes)
{
    for (; bytes; bytes--, value >>= 8)
        fputc((int)(value & 0xff), file);
}

static void put_bytes(const uint8_t *bytes, uint16_t count)
{
    put(count, 2);
    fwrite(bytes, 1, count, file);
}

void __wrap_fuzz_board_init(struct fuzz_board *fuzz, const uint8_t *options)
{
    __real_fuzz_board_init(fuzz, options);
    struct board *board = &fuzz->board;
    if (!getenv("MTJLEARN_TRACE_MEMORY")) {
        board->memory_bytes = fuzz->write_end = 0;
        board->memory_block = 1;
        board->memory_ready = NULL;
        board->memory_read = NULL;
        board->memory_write = NULL;
        board->memory_flush = NULL;
    }
    if (!file)
        file = fopen(getenv("MTJLEARN_TRACE"), "wb");
    if (!file)
        exit(2);
    fputc('B', file);
    put(board->arena_bytes, 4);
    put(board->max_payload, 1);
    put(board->features, 2);
    put(board->adc_bits, 1);
    put(fuzz->codes_per_step, 1);
    put(board->memory_bytes, 2);
}

void __wrap_device_init(struct device *device, const struct board *board, const struct board_start *start)
{
    __real_device_init(device, board, start);
    fputc('S', file);
    put(start->boot_count, 2);
    put(start->reset_cause, 1);
    put(start->last_error, 1);
}

static void put_state(const struct fuzz_board *fuzz)
{
    put(fuzz->micros, 4);
    put(fuzz->random, 4);
    put(fuzz->high, 1);
    put(fuzz->codes_lost, 4);
    put(fuzz->received_count, 2);
    put(fuzz->codes_count, 1);
}

bool __wrap_device_poll(struct device *device)
{
    const struct fuzz_board *fuzz = &rig.board;
    fputc('P', file);
    put(fuzz->room, 2);
    put(fuzz->sent_count, 2);
    put(fuzz->overruns, 2);
    put(fuzz->level_low, 2);
    put(fuzz->level_high, 2);
    put_state(fuzz);
    for (uint8_t i = 0; i < fuzz->codes_count; i++)
        put(fuzz->codes[(fuzz->codes_start + i) % FUZZ_CODES], 2);
    put_bytes(fuzz->received + fuzz->received_start, fuzz->received_count);
    uint16_t sent = fuzz->sent_count;
    bool busy = __real_device_poll(device);
    put(busy, 1);
    put(fuzz->restart, 1);
    put(fuzz->error, 1);
    put_bytes(fuzz->sent + sent, (uint16_t)(fuzz->sent_count - sent));
    put_state(fuzz);
    return busy;
}
