/* The device on any Arduino core. */
#include <Arduino.h>

#include "boot_count.h"
#include "capabilities.h"
#include "chip.h"
#include "converter.h"
#include "line.h"
#include "memory.h"
#include "messages.h"
#include "turn.h"

static_assert(sizeof DEVICE_BOARD <= 12, "HELLO has room for 11 characters");

/* With a smaller window the host may send no more than it. */
#define MAX_PAYLOAD (LINE_WINDOW - 10 < WIRE_MAX_PAYLOAD ? LINE_WINDOW - 10 : WIRE_MAX_PAYLOAD)

#define LEAVING_US 25000              /* 512 bytes, which the port may still hold, at 25,000 per second */
#define PATIENCE_US 1000000           /* with a host that does not read */

static struct board board;
static struct board_start start;
static struct device device;
static uint64_t arena[BOARD_ARENA / 8];
static bool restarting;
static uint32_t asked;                /* us; when the restart was asked for */
static uint32_t written;              /* us; when all was with the port */

static uint16_t read_line(void *, uint8_t *bytes, uint16_t most)
{
    return line_read(bytes, most);
}

static uint16_t write_room(void *)
{
    return line_room();
}

static void write_line(void *, const uint8_t *bytes, uint16_t count)
{
    line_write(bytes, count);
}

static uint16_t receive_overruns(void *)
{
    return line_overruns();
}

static uint16_t adc_read(void *, uint16_t *codes, uint16_t most)
{
    return converter_take(codes, most);
}

static uint32_t adc_lost(void *)
{
    return converter_lost();
}

static void advance(void *)
{
}

static uint32_t board_micros(void *)
{
    return (uint32_t)micros();
}

static void led(void *, uint8_t on)
{
#ifdef LED_BUILTIN
    digitalWrite(LED_BUILTIN, on ? HIGH : LOW);
#else
    (void)on;
#endif
}

static void begin(void)
{
    start.error = chip_error();
    start.last_error = *start.error;
    *start.error = 0;
    device_init(&device, &board, &start);
}

static void reset(void *)
{
    if (restarting)
        return;
    restarting = true;
    asked = written = board_micros(NULL);
}

static void restart_once_sent(void)
{
    uint32_t now = board_micros(NULL);
    if (!line_is_empty())
        written = now;
    if (now - written < LEAVING_US && now - asked < PATIENCE_US)
        return;
    chip_restart();
    /* A core that is not known how to restart begins again. */
    restarting = false;
    start.boot_count++;
    start.reset_cause = WIRE_RESET_CAUSE_SOFTWARE;
    begin();
}

static void fill_board(void)
{
    board.name = DEVICE_BOARD;
    board.arena = (uint8_t *)arena;
    board.arena_bytes = sizeof arena;
    start.boot_count = boot_count_next();
    board.receive_window = LINE_WINDOW;
    board.max_payload = (uint8_t)MAX_PAYLOAD;
    board.features = WIRE_FEATURES_ADC_LIVE;
    board.adc_bits = ADC_BITS;
    board.adc_rate = ADC_RATE;
    board.adc_reference = ADC_REFERENCE;
    board.line_rate = LINE_RATE;
    board.memory_bytes = memory_bytes();
    board.memory_block = memory_block();
    board.read = read_line;
    board.write_room = write_room;
    board.write = write_line;
    board.receive_overruns = receive_overruns;
    board.adc_read = adc_read;
    board.adc_lost = adc_lost;
    board.advance = advance;
    board.micros = board_micros;
    board.led = led;
    if (board.memory_bytes) {
        board.memory_ready = memory_ready;
        board.memory_read = memory_read;
        board.memory_write = memory_write;
        board.memory_flush = memory_flush;
    }
    board.analog = converter_analog;
    board.reset = reset;
}

void setup()
{
    start.reset_cause = chip_reset_cause();
    fill_board();
#ifdef LED_BUILTIN
    pinMode(LED_BUILTIN, OUTPUT);
#endif
    line_begin();
    converter_begin();
    begin();
    chip_watchdog_begin();
}

void loop()
{
    device_poll(&device);
    line_flush();
    chip_watchdog_feed();
    if (restarting)
        restart_once_sent();
}
