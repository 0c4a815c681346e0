#include "device_memory.h"

#include <stdlib.h>

#include "converter.h"
#include "device.h"
#include "messages.h"

#define TRANSMIT 8192
#define RECEIVE 65536

struct memory_board {
    struct board board;
    struct board_start start;
    uint8_t error;                /* of the device, for its next start */
    struct device device;
    struct converter converter;
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
    converter_run(&memory->converter, memory->codes_per_step);
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
    if (!memory || !arena) {
        free(memory);
        free(arena);
        return NULL;
    }
    memory->arena = arena;
    memory->codes_per_step = options->codes_per_step;
    memory->room = TRANSMIT;
    smtj_init(&memory->converter.source, (enum smtj_kind)options->noise, (enum smtj_preset)options->preset, options->seed);
    converter_init(&memory->converter, options->adc_bits, options->adc_rate, options->adc_reference);
    memory->board = (struct board){
        .context = memory,
        .name = "memory",
        .arena = arena,
        .arena_bytes = options->arena,
        .receive_window = options->receive_window,
        .max_payload = options->max_payload,
        .features = WIRE_FEATURES_ADC_LIVE | WIRE_FEATURES_VIRTUAL_CLOCK,
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
    };
    start(memory, WIRE_RESET_CAUSE_POWER_ON);
    return memory;
}

void memory_destroy(struct memory_board *memory)
{
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
    while (turn < turns) {
        turn++;
        bool busy = device_poll(&memory->device);
        if (memory->restart)
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

void memory_set_noise(struct memory_board *memory, uint8_t noise)
{
    smtj_become(&memory->converter.source, (enum smtj_kind)noise);
}

void memory_restart(struct memory_board *memory)
{
    memory->receive_count = 0;
    memory->transmit_count = 0;
    start(memory, WIRE_RESET_CAUSE_POWER_ON);
}

uint32_t memory_boots(const struct memory_board *memory)
{
    return memory->start.boot_count;
}
