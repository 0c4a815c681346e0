/* The callbacks of struct board, each with the promises that the device must keep. device_target.c and script.c call it. */
#include "fuzz_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "BROKEN PROMISE: %s\n", what);
    abort();
}

static uint32_t draw(struct fuzz_board *fuzz)
{
    fuzz->random = fuzz->random * 1664525u + 1013904223u;
    return fuzz->random >> 8;
}

/* --- the line --- */

static uint16_t read_bytes(void *context, uint8_t *bytes, uint16_t most)
{
    struct fuzz_board *fuzz = context;
    uint16_t count = most < fuzz->received_count ? most : fuzz->received_count;
    memcpy(bytes, fuzz->received + fuzz->received_start, count);
    fuzz->received_start = (uint16_t)(fuzz->received_start + count);
    fuzz->received_count = (uint16_t)(fuzz->received_count - count);
    return count;
}

void fuzz_board_receive(struct fuzz_board *fuzz, const uint8_t *bytes, uint16_t count)
{
    memmove(fuzz->received, fuzz->received + fuzz->received_start, fuzz->received_count);
    fuzz->received_start = 0;
    uint16_t space = (uint16_t)(fuzz->board.receive_window - fuzz->received_count);
    uint16_t taken = count < space ? count : space;
    memcpy(fuzz->received + fuzz->received_count, bytes, taken);
    fuzz->received_count = (uint16_t)(fuzz->received_count + taken);
    fuzz->overruns = (uint16_t)(fuzz->overruns + count - taken);
}

static uint16_t write_room(void *context)
{
    const struct fuzz_board *fuzz = context;
    return (uint16_t)(fuzz->sent_count < fuzz->room ? fuzz->room - fuzz->sent_count : 0);
}

static void write_bytes(void *context, const uint8_t *bytes, uint16_t count)
{
    struct fuzz_board *fuzz = context;
    fuzz_check(count <= write_room(fuzz), "more is written than there is room for");
    memcpy(fuzz->sent + fuzz->sent_count, bytes, count);
    fuzz->sent_count = (uint16_t)(fuzz->sent_count + count);
}

static uint16_t receive_overruns(void *context)
{
    return ((struct fuzz_board *)context)->overruns;
}

/* --- the converter --- */

static uint16_t adc_read(void *context, uint16_t *codes, uint16_t most)
{
    struct fuzz_board *fuzz = context;
    uint16_t count = most < fuzz->codes_count ? most : fuzz->codes_count;
    for (uint16_t i = 0; i < count; i++)
        codes[i] = fuzz->codes[(fuzz->codes_start + i) % FUZZ_CODES];
    fuzz->codes_start = (uint8_t)((fuzz->codes_start + count) % FUZZ_CODES);
    fuzz->codes_count = (uint8_t)(fuzz->codes_count - count);
    return count;
}

static uint32_t adc_lost(void *context)
{
    return ((struct fuzz_board *)context)->codes_lost;
}

void fuzz_board_code(struct fuzz_board *fuzz, uint16_t code)
{
    /* The oldest goes, so that the hole lies before what is left. */
    if (fuzz->codes_count == FUZZ_CODES) {
        fuzz->codes_start = (uint8_t)((fuzz->codes_start + 1) % FUZZ_CODES);
        fuzz->codes_count--;
        fuzz->codes_lost++;
    }
    code = (uint16_t)(code & ((1u << fuzz->board.adc_bits) - 1));
    fuzz->codes[(fuzz->codes_start + fuzz->codes_count++) % FUZZ_CODES] = code;
}

void fuzz_board_flicker(struct fuzz_board *fuzz, uint16_t count)
{
    for (; count; count--) {
        if (draw(fuzz) % 3 == 0)
            fuzz->high = !fuzz->high;
        fuzz_board_code(fuzz, (uint16_t)((fuzz->high ? fuzz->level_high : fuzz->level_low) + (draw(fuzz) & 1)));
    }
}

static void advance(void *context)
{
    struct fuzz_board *fuzz = context;
    fuzz_board_flicker(fuzz, fuzz->codes_per_step);
    fuzz->micros += 104u * fuzz->codes_per_step;
}

static uint32_t board_micros(void *context)
{
    return ((struct fuzz_board *)context)->micros;
}

static void led(void *context, uint8_t on)
{
    (void)context;
    fuzz_check(on <= 1, "the LED is on or off");
}

static uint16_t analog(void *context, uint8_t pin)
{
    struct fuzz_board *fuzz = context;
    fuzz_check(pin >= 1 && pin <= 7, "there is no such analog pin");
    return (uint16_t)(draw(fuzz) & ((1u << fuzz->board.adc_bits) - 1));
}

static void reset(void *context)
{
    ((struct fuzz_board *)context)->restart = true;
}

/* --- the memory --- */

static uint16_t block_of(const struct fuzz_board *fuzz, uint16_t address)
{
    return (uint16_t)(address / fuzz->board.memory_block);
}

/* The dirty block is kept. */
static void keep(struct fuzz_board *fuzz)
{
    uint16_t block = fuzz->board.memory_block;
    if (fuzz->dirty)
        memcpy(fuzz->kept + fuzz->dirty_block * block, fuzz->buffer + fuzz->dirty_block * block, block);
    fuzz->dirty = false;
}

static bool memory_ready(void *context)
{
    struct fuzz_board *fuzz = context;
    if (fuzz->busy) {
        fuzz->busy--;
        return false;
    }
    if (fuzz->board.memory_block == 1)
        keep(fuzz);
    fuzz->ready = true;
    return true;
}

static uint8_t memory_read(void *context, uint16_t address)
{
    const struct fuzz_board *fuzz = context;
    fuzz_check(address < fuzz->board.memory_bytes, "a read beyond the memory");
    fuzz_check(fuzz->ready, "a read although the memory is not ready");
    return fuzz->buffer[address];
}

static void memory_write(void *context, uint16_t address, uint8_t value)
{
    struct fuzz_board *fuzz = context;
    fuzz_check(address < fuzz->board.memory_bytes, "a write beyond the memory");
    fuzz_check(address >= fuzz->write_from && address < fuzz->write_end, "a write where something else stands");
    fuzz->writes++;
    fuzz_check(fuzz->ready, "a write although the memory is not ready");
    if (fuzz->dirty && fuzz->dirty_block != block_of(fuzz, address))
        keep(fuzz);
    fuzz->buffer[address] = value;
    fuzz->dirty = true;
    fuzz->dirty_block = block_of(fuzz, address);
    fuzz->busy = fuzz->slowness;
    fuzz->ready = false;
}

static void memory_flush(void *context)
{
    struct fuzz_board *fuzz = context;
    keep(fuzz);
    fuzz->busy = fuzz->slowness;
    fuzz->ready = false;
}

/* --- starts --- */

static void next_start(struct fuzz_board *fuzz, uint8_t cause, bool warm)
{
    uint16_t starts = (uint16_t)(fuzz->start.boot_count + 1);
    fuzz->start = (struct board_start){starts, cause, warm ? fuzz->error : 0, &fuzz->error};
    fuzz->error = 0;
    fuzz->restart = false;
    fuzz->busy = 0;
    fuzz->ready = true;           /* a chip that starts finds its memory at rest */
}

void fuzz_board_power_cut(struct fuzz_board *fuzz, enum fuzz_torn torn)
{
    if (fuzz->dirty) {
        uint16_t first = (uint16_t)(fuzz->dirty_block * fuzz->board.memory_block);
        for (uint16_t i = first; i < first + fuzz->board.memory_block; i++) {
            uint32_t random = draw(fuzz);
            if (torn == FUZZ_NEW || (torn == FUZZ_MIXED && random & 1))
                fuzz->kept[i] = fuzz->buffer[i];
            else if (torn == FUZZ_ERASED)
                fuzz->kept[i] = 0xff;
            else if (torn == FUZZ_MIXED)
                fuzz->kept[i] = (uint8_t)(fuzz->buffer[i] ^ random >> 4);
        }
        fuzz->dirty = false;
    }
    memcpy(fuzz->buffer, fuzz->kept, sizeof fuzz->buffer);
    fuzz->received_count = fuzz->sent_count = 0;
    fuzz->codes_count = 0;
    fuzz->micros = 0;
    next_start(fuzz, WIRE_RESET_CAUSE_POWER_ON, false);
}

void fuzz_board_reset(struct fuzz_board *fuzz, uint8_t cause)
{
    keep(fuzz);
    next_start(fuzz, cause, true);
}

void fuzz_board_init(struct fuzz_board *fuzz, const uint8_t *options)
{
    static const uint8_t payloads[] = {64, 65, 128, 240};
    static const uint16_t memories[] = {0, 1024, 2048, 256};
    static const uint16_t blocks[] = {1, 1, 64, 256};
    static const uint8_t bits[] = {10, 12, 14, 8};
    uint16_t arena = (uint16_t)(64 + 32 * options[1]);
    memset(fuzz, 0, sizeof *fuzz);
    memset(fuzz->kept, 0xff, sizeof fuzz->kept);
    memset(fuzz->buffer, 0xff, sizeof fuzz->buffer);
    fuzz->arena = malloc(arena);  /* its own block: the sanitizer sees a step beyond it */
    if (!fuzz->arena)
        exit(3);
    memset(fuzz->arena, 0xa5, arena);
    fuzz->codes_per_step = options[2] & 1 ? (uint8_t)(options[2] >> 3) : 0;
    fuzz->slowness = options[3] & 7;
    fuzz->level_low = options[4];
    fuzz->level_high = (uint16_t)(options[4] + options[5]);
    fuzz->random = options[5];
    fuzz->room = FUZZ_SENT;
    fuzz->board = (struct board){
        .context = fuzz, .name = "fuzz", .arena = fuzz->arena, .arena_bytes = arena,
        .receive_window = 500, .max_payload = payloads[options[0] & 3],
        .features = (uint16_t)((options[2] & 2 ? 0 : WIRE_FEATURES_ADC_LIVE) | (options[2] & 1 ? WIRE_FEATURES_VIRTUAL_CLOCK : 0)),
        .adc_bits = bits[options[0] >> 2 & 3], .adc_rate = 9615, .adc_reference = 1100, .line_rate = 25000,
        .memory_bytes = memories[options[0] >> 4 & 3], .memory_block = blocks[options[0] >> 6],
        .read = read_bytes, .write_room = write_room, .write = write_bytes, .receive_overruns = receive_overruns,
        .adc_read = adc_read, .adc_lost = adc_lost, .advance = advance, .micros = board_micros, .led = led,
        .analog = options[2] & 4 ? NULL : analog, .reset = reset,
    };
    fuzz->write_end = fuzz->board.memory_bytes;
    if (fuzz->board.memory_bytes) {
        fuzz->board.memory_ready = memory_ready;
        fuzz->board.memory_read = memory_read;
        fuzz->board.memory_write = memory_write;
        fuzz->board.memory_flush = memory_flush;
    }
    if (fuzz->board.analog)
        fuzz->board.features |= WIRE_FEATURES_ANALOG;
    next_start(fuzz, WIRE_RESET_CAUSE_POWER_ON, false);
}

void fuzz_board_free(struct fuzz_board *fuzz)
{
    free(fuzz->arena);
}
