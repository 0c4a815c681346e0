/* A struct board whose line, converter, clock and memory are arrays. A program that loads the library calls it. */
#include "device_memory.h"

#include <stdlib.h>
#include <string.h>

#include "converter.h"
#include "messages.h"
#include "nonvolatile.h"
#include "sensors.h"
#include "turn.h"

#define TRANSMIT 8192
#define RECEIVE 65536
#define PINS 8

struct memory_board {
    struct board board;
    struct board_start start;
    uint8_t error;                /* of the device, for its next start */
    struct device device;
    struct converter converter;
    struct nonvolatile nonvolatile;
    uint16_t pins[PINS];
    uint16_t *queue;              /* codes; NULL: the virtual sMTJ's arrive */
    uint32_t queue_start;
    uint32_t queue_end;
    uint8_t *arena;
    uint16_t codes_per_step;
    uint32_t micros;
    bool restart;
    uint16_t overruns;
    uint32_t room;                /* bytes that may wait for the host */
    uint32_t transmit_start;
    uint32_t transmit_count;
    uint32_t receive_start;
    uint32_t receive_count;
    uint8_t transmit[TRANSMIT];
    uint8_t receive[RECEIVE];
};

static uint16_t read_bytes(void *context, uint8_t *bytes, uint16_t most)
{
    struct memory_board *memory = context;
    uint16_t count = (uint16_t)(most < memory->receive_count ? most : memory->receive_count);
    for (uint16_t i = 0; i < count; i++)
        bytes[i] = memory->receive[(memory->receive_start + i) % RECEIVE];
    memory->receive_start = (memory->receive_start + count) % RECEIVE;
    memory->receive_count -= count;
    return count;
}

static uint16_t write_room(void *context)
{
    const struct memory_board *memory = context;
    return (uint16_t)(memory->transmit_count < memory->room ? memory->room - memory->transmit_count : 0);
}

static void write_bytes(void *context, const uint8_t *bytes, uint16_t count)
{
    struct memory_board *memory = context;
    if (memory->nonvolatile.dead)
        return;
    for (uint16_t i = 0; i < count; i++)
        memory->transmit[(memory->transmit_start + memory->transmit_count++) % TRANSMIT] = bytes[i];
}

static uint16_t receive_overruns(void *context)
{
    const struct memory_board *memory = context;
    return memory->overruns;
}

static uint16_t adc_read(void *context, uint16_t *codes, uint16_t most)
{
    struct memory_board *memory = context;
    return converter_take(&memory->converter, codes, most);
}

static uint32_t adc_lost(void *context)
{
    const struct memory_board *memory = context;
    return memory->converter.lost;
}

static void advance(void *context)
{
    struct memory_board *memory = context;
    if (!memory->queue)
        converter_run(&memory->converter, memory->codes_per_step);
    for (uint16_t i = 0; i < memory->codes_per_step && memory->queue_start < memory->queue_end; i++)
        converter_put(&memory->converter, memory->queue[memory->queue_start++]);
    memory->micros += (uint32_t)(UINT64_C(1000000) * memory->codes_per_step / memory->converter.rate);
}

static uint32_t board_micros(void *context)
{
    const struct memory_board *memory = context;
    return memory->micros;
}

static void led(void *context, uint8_t on)
{
    (void)context, (void)on;
}

static bool memory_ready(void *context)
{
    struct memory_board *memory = context;
    return nonvolatile_ready(&memory->nonvolatile);
}

static uint8_t memory_read(void *context, uint16_t address)
{
    const struct memory_board *memory = context;
    return nonvolatile_read(&memory->nonvolatile, address);
}

/* After a power cut the rest of the turn is of no effect. */
static void see_cut(struct memory_board *memory)
{
    if (memory->nonvolatile.dead)
        memory->transmit_count = 0;
}

static void memory_write(void *context, uint16_t address, uint8_t value)
{
    struct memory_board *memory = context;
    nonvolatile_write(&memory->nonvolatile, address, value);
    see_cut(memory);
}

static void memory_flush(void *context)
{
    struct memory_board *memory = context;
    nonvolatile_flush(&memory->nonvolatile);
    see_cut(memory);
}

static uint16_t analog(void *context, uint8_t pin)
{
    const struct memory_board *memory = context;
    uint16_t code = memory->pins[pin % PINS];
    return code == MEMORY_SENSOR ? sensor_code(pin, memory->micros * 1e-6, memory->board.adc_bits) : code;
}

static void reset(void *context)
{
    struct memory_board *memory = context;
    memory->restart = true;
}

static void start(struct memory_board *memory, uint8_t cause)
{
    memory->restart = false;
    memory->start = (struct board_start){(uint16_t)(memory->start.boot_count + 1), cause, memory->error, &memory->error};
    memory->error = 0;
    device_init(&memory->device, &memory->board, &memory->start);
}

struct memory_board *memory_create(const struct memory_options *options)
{
    struct memory_board *memory = calloc(1, sizeof *memory);
    uint8_t *arena = malloc(options->arena);
    uint16_t block = options->memory_block;
    if (!memory || !arena || !nonvolatile_init(&memory->nonvolatile, options->memory_bytes, block, options->memory_latency)) {
        free(memory);
        free(arena);
        return NULL;
    }
    memset(memory->pins, 0xff, sizeof memory->pins);
    memory->arena = arena;
    memory->codes_per_step = options->codes_per_step;
    memory->room = TRANSMIT;
    smtj_init(&memory->converter.source, (enum smtj_kind)options->noise, (enum smtj_preset)options->preset, options->seed);
    converter_init(&memory->converter, options->adc_bits, options->adc_rate, options->adc_reference);
    memory->board = (struct board){
        .context = memory,
        .name = "inprocess",
        .arena = arena,
        .arena_bytes = options->arena,
        .receive_window = options->receive_window,
        .max_payload = options->max_payload,
        .features = WIRE_FEATURES_ADC_LIVE | (options->real_time ? 0 : WIRE_FEATURES_VIRTUAL_CLOCK),
        .adc_bits = options->adc_bits,
        .adc_rate = options->adc_rate,
        .adc_reference = options->adc_reference,
        .read = read_bytes,
        .write_room = write_room,
        .write = write_bytes,
        .receive_overruns = receive_overruns,
        .adc_read = adc_read,
        .adc_lost = adc_lost,
        .advance = advance,
        .micros = board_micros,
        .led = led,
        .reset = reset,
        .analog = analog,
    };
    if (options->memory_bytes) {
        memory->board.memory_bytes = options->memory_bytes;
        memory->board.memory_block = block;
        memory->board.memory_ready = memory_ready;
        memory->board.memory_read = memory_read;
        memory->board.memory_write = memory_write;
        memory->board.memory_flush = memory_flush;
    }
    start(memory, WIRE_RESET_CAUSE_POWER_ON);
    return memory;
}

void memory_destroy(struct memory_board *memory)
{
    nonvolatile_free(&memory->nonvolatile);
    free(memory->queue);
    free(memory->arena);
    free(memory);
}

void memory_push(struct memory_board *memory, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (memory->receive_count < memory->board.receive_window)
            memory->receive[(memory->receive_start + memory->receive_count++) % RECEIVE] = bytes[i];
        else
            memory->overruns++;
    }
}

uint32_t memory_poll(struct memory_board *memory, uint32_t turns)
{
    uint32_t turn = 0;
    while (turn < turns && !memory->nonvolatile.dead) {
        turn++;
        bool busy = device_poll(&memory->device);
        if (memory->restart && !memory->nonvolatile.dead)
            start(memory, WIRE_RESET_CAUSE_SOFTWARE);
        if (!busy)
            break;
    }
    return turn;
}

uint32_t memory_take(struct memory_board *memory, uint8_t *bytes, uint32_t most)
{
    uint32_t count = most < memory->transmit_count ? most : memory->transmit_count;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = memory->transmit[(memory->transmit_start + i) % TRANSMIT];
    memory->transmit_start = (memory->transmit_start + count) % TRANSMIT;
    memory->transmit_count -= count;
    return count;
}

void memory_set_room(struct memory_board *memory, uint32_t bytes)
{
    memory->room = bytes < TRANSMIT ? bytes : TRANSMIT;
}

void memory_set_micros(struct memory_board *memory, uint32_t micros)
{
    memory->micros = micros;
}

void memory_feed(struct memory_board *memory, const uint16_t *codes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        converter_put(&memory->converter, codes[i]);
}

bool memory_queue(struct memory_board *memory, const uint16_t *codes, uint32_t count)
{
    uint32_t left = memory_queued(memory);
    uint16_t *queue = malloc((left + count + 1) * sizeof *queue);
    if (!queue)
        return false;
    if (left)
        memcpy(queue, memory->queue + memory->queue_start, left * sizeof *queue);
    memcpy(queue + left, codes, count * sizeof *queue);
    free(memory->queue);
    memory->queue = queue;
    memory->queue_start = 0;
    memory->queue_end = left + count;
    return true;
}

uint32_t memory_queued(const struct memory_board *memory)
{
    return memory->queue_end - memory->queue_start;
}

void memory_set_noise(struct memory_board *memory, uint8_t noise)
{
    smtj_become(&memory->converter.source, (enum smtj_kind)noise);
}

void memory_set_analog(struct memory_board *memory, uint8_t pin, uint16_t code)
{
    memory->pins[pin % PINS] = code;
}

uint8_t *memory_contents(struct memory_board *memory)
{
    return memory->nonvolatile.bytes;
}

uint32_t memory_writes(const struct memory_board *memory)
{
    return memory->nonvolatile.writes;
}

void memory_cut_power(struct memory_board *memory, uint32_t writes, uint8_t torn, bool erased)
{
    nonvolatile_cut(&memory->nonvolatile, writes, torn, erased);
}

bool memory_is_dead(const struct memory_board *memory)
{
    return memory->nonvolatile.dead;
}

void memory_restart(struct memory_board *memory, uint8_t cause)
{
    memory->receive_count = 0;
    memory->transmit_count = 0;
    memory->converter.count = 0;
    memory->converter.lost = 0;
    memory->overruns = 0;
    nonvolatile_restart(&memory->nonvolatile);
    if (cause == WIRE_RESET_CAUSE_POWER_ON) {
        /* RAM forgets. */
        memory->error = 0;
        memset(memory->arena, 0xa5, memory->board.arena_bytes);
        memset(&memory->device, 0xa5, sizeof memory->device);
    }
    start(memory, cause);
}

uint32_t memory_boots(const struct memory_board *memory)
{
    return memory->start.boot_count;
}
