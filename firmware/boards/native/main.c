/* The native board: the device as a desktop process, with a virtual sMTJ at its ADC. */
#define _GNU_SOURCE /* POSIX clocks with -std=c11 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "converter.h"
#include "eeprom.h"
#include "line.h"
#include "messages.h"
#include "options.h"
#include "process.h"
#include "sensors.h"
#include "turn.h"

#define NANOS_PER_SECOND UINT64_C(1000000000)
#define RECEIVE_WINDOW 4096       /* bytes; what a pseudo-terminal holds */
#define BUSY_TURNS 64             /* turns without a look at the world outside, at most */
#define PARENT_CHECK_MS 1000      /* how often to look whether the parent still lives */

struct native {
    struct board board;
    struct board_start start;
    struct device device;
    struct line line;
    struct converter converter;
    struct eeprom eeprom;
    uint16_t codes_per_step;      /* virtual clock; 0: real time */
    uint64_t began;               /* CLOCK_MONOTONIC, ns */
    uint64_t samples;             /* taken by the converter since then */
    bool reads;                   /* the device asked for bytes in this turn */
    bool restart;
};

static uint64_t elapsed(const struct native *native)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOS_PER_SECOND + (uint64_t)now.tv_nsec - native->began;
}

static void run_converter(struct native *native, uint64_t samples)
{
    converter_run(&native->converter, samples);
    native->samples += samples;
}

static uint16_t read_line(void *context, uint8_t *bytes, uint16_t most)
{
    struct native *native = context;
    native->reads = true;
    return line_read(&native->line, bytes, most);
}

static uint16_t write_room(void *context)
{
    const struct native *native = context;
    return line_room(&native->line);
}

static void write_line(void *context, const uint8_t *bytes, uint16_t count)
{
    struct native *native = context;
    line_write(&native->line, bytes, count);
}

static uint16_t receive_overruns(void *context)
{
    (void)context;
    return 0;
}

static uint16_t adc_read(void *context, uint16_t *codes, uint16_t most)
{
    struct native *native = context;
    if (native->codes_per_step == 0) {
        /* The converter runs when somebody looks: as far as it would have got by now. */
        uint64_t nanos = elapsed(native), rate = native->converter.rate;
        uint64_t due = nanos / NANOS_PER_SECOND * rate + nanos % NANOS_PER_SECOND * rate / NANOS_PER_SECOND;
        run_converter(native, due - native->samples);
    }
    return converter_take(&native->converter, codes, most);
}

static uint32_t adc_lost(void *context)
{
    const struct native *native = context;
    return native->converter.lost;
}

static void advance(void *context)
{
    struct native *native = context;
    run_converter(native, native->codes_per_step);
}

static uint32_t board_micros(void *context)
{
    const struct native *native = context;
    if (native->codes_per_step == 0)
        return (uint32_t)(elapsed(native) / 1000);
    return (uint32_t)(native->samples * 1000000 / native->converter.rate);
}

static void led(void *context, uint8_t on)
{
    (void)context, (void)on;
}

static bool memory_ready(void *context)
{
    (void)context;
    return true;
}

static uint8_t memory_read(void *context, uint16_t address)
{
    const struct native *native = context;
    return native->eeprom.bytes[address];
}

static void memory_write(void *context, uint16_t address, uint8_t value)
{
    struct native *native = context;
    eeprom_write(&native->eeprom, address, value);
}

static void memory_flush(void *context)
{
    (void)context;
}

/* Of the time that micros() returns. */
static uint16_t analog(void *context, uint8_t pin)
{
    const struct native *native = context;
    const struct converter *converter = &native->converter;
    double seconds = native->codes_per_step ? (double)native->samples / converter->rate : (double)elapsed(native) / (double)NANOS_PER_SECOND;
    return sensor_code(pin, seconds, converter->bits);
}

static void reset(void *context)
{
    struct native *native = context;
    native->restart = true;
}

static struct board make_board(struct native *native, const struct options *options)
{
    return (struct board){
        .context = native,
        .name = "native",
        .arena = aligned_alloc(8, (options->arena + 7u) & ~(size_t)7),
        .arena_bytes = options->arena,
        .receive_window = RECEIVE_WINDOW,
        .max_payload = options->max_payload,
        .features = (uint16_t)(WIRE_FEATURES_ADC_LIVE | (options->world.virtual_clock ? WIRE_FEATURES_VIRTUAL_CLOCK : 0)),
        .adc_bits = options->adc_bits,
        .adc_rate = options->adc_rate,
        .adc_reference = options->adc_reference,
        .line_rate = 0,
        .memory_bytes = (uint16_t)native->eeprom.size,
        .memory_block = 1,
        .read = read_line,
        .write_room = write_room,
        .write = write_line,
        .receive_overruns = receive_overruns,
        .adc_read = adc_read,
        .adc_lost = adc_lost,
        .advance = advance,
        .micros = board_micros,
        .led = led,
        .memory_ready = memory_ready,
        .memory_read = memory_read,
        .memory_write = memory_write,
        .memory_flush = memory_flush,
        .analog = analog,
        .reset = reset,
    };
}

static void begin(struct native *native, uint8_t cause)
{
    static uint8_t error;         /* of the device, for its next start */
    native->start = (struct board_start){eeprom_count_start(&native->eeprom), cause, error, &error};
    error = 0;
    device_init(&native->device, &native->board, &native->start);
}

/* How long the board may sleep when nothing arrives: real codes must be taken before the FIFO is full. */
static int sleep_ms(const struct native *native)
{
    if (native->codes_per_step)
        return PARENT_CHECK_MS;
    uint32_t quarter = CONVERTER_FIFO / 4 * 1000 / native->converter.rate;
    return (int)(quarter < 1 ? 1 : quarter > 10 ? 10 : quarter);
}

static void serve(struct native *native)
{
    unsigned turns = 0;
    while (!process_ended()) {
        native->reads = false;
        bool busy = device_poll(&native->device);
        /* The device may have waited for the room that this makes. */
        busy |= line_flush(&native->line);
        if (native->restart) {
            native->restart = false;
            begin(native, WIRE_RESET_CAUSE_SOFTWARE);
        }
        turns = busy ? turns + 1 : 0;
        if (!busy || turns % BUSY_TURNS == 0)
            process_wait(&native->line, native->reads, busy ? 0 : sleep_ms(native));
    }
}

int main(int argc, char **argv)
{
    static struct native native;
    struct options options = options_read(argc, argv);
    world_source(&options.world, &native.converter.source);
    converter_init(&native.converter, options.adc_bits, options.adc_rate, options.adc_reference);
    native.codes_per_step = options.world.virtual_clock;
    native.began = elapsed(&native);
    eeprom_open(&native.eeprom, options.eeprom, options.eeprom_bytes);
    native.board = make_board(&native, &options);
    if (!native.board.arena) {
        fputs("mtjlearn-native: out of memory\n", stderr);
        return 1;
    }
    process_begin();
    if (options.world.tcp)
        line_open_tcp(&native.line, options.world.tcp_port);
    else
        line_open_pty(&native.line);
    printf("{\"port\": \"%s\"}\n", native.line.url);
    fflush(stdout);
    begin(&native, WIRE_RESET_CAUSE_POWER_ON);
    serve(&native);
    free(native.board.arena);
    free(native.eeprom.bytes);
    return 0;
}
