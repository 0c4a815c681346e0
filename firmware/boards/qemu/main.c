/* A Cortex-M as QEMU simulates it (machine.h): the device on bare metal. */
#include <stddef.h>

#include "adc.h"
#include "boot.h"
#include "machine.h"
#include "messages.h"
#include "nonvolatile.h"
#include "options.h"
#include "turn.h"
#include "uart.h"

#define BAUD 250000               /* what the Uno has; QEMU moves bytes as fast as it can */
#define ARENA 65536               /* bytes: 64-32-10 with decorrelation takes 16 KB */

static uint16_t read_line(void *context, uint8_t *bytes, uint16_t most)
{
    (void)context;
    return uart_read(bytes, most);
}

static uint16_t write_room(void *context)
{
    (void)context;
    return uart_room();
}

static void write_line(void *context, const uint8_t *bytes, uint16_t count)
{
    (void)context;
    uart_write(bytes, count);
}

static uint16_t receive_overruns(void *context)
{
    (void)context;
    return uart_overruns();
}

static uint16_t read_codes(void *context, uint16_t *codes, uint16_t most)
{
    (void)context;
    return adc_read(codes, most);
}

static uint32_t codes_lost(void *context)
{
    (void)context;
    return adc_lost();
}

static void advance(void *context)
{
    (void)context;
    adc_step();
}

static uint32_t board_micros(void *context)
{
    (void)context;
    return adc_micros();
}

static void led(void *context, uint8_t on)
{
    (void)context;
    machine_led(on);
}

/* The device asks again until everything written has left. */
static void reset(void *context)
{
    (void)context;
    if (!uart_sent())
        return;
    adc_close();
    boot_reset();
}

static _Alignas(8) uint8_t arena[ARENA];
static struct device device;

int main(void)
{
    options_read();
    uint32_t codes_per_step = options_number("virtual-clock");
    adc_init(options_text("codes"), codes_per_step);
    boot_begin();
    nonvolatile_begin();
    uart_init(BAUD);
    const struct board board = {
        .context = NULL,
        .name = MACHINE_NAME,
        .arena = arena,
        .arena_bytes = ARENA,
        .receive_window = UART_RECEIVE_RING,
        .max_payload = WIRE_MAX_PAYLOAD,
        .features = (uint16_t)(WIRE_FEATURES_ADC_LIVE | (codes_per_step ? WIRE_FEATURES_VIRTUAL_CLOCK : 0)),
        .adc_bits = ADC_BITS,
        .adc_rate = ADC_RATE,
        .adc_reference = ADC_REFERENCE,
        .line_rate = 0,
        .memory_bytes = MEMORY_BYTES,
        .memory_block = 1,
        .read = read_line,
        .write_room = write_room,
        .write = write_line,
        .receive_overruns = receive_overruns,
        .adc_read = read_codes,
        .adc_lost = codes_lost,
        .advance = advance,
        .micros = board_micros,
        .led = led,
        .memory_ready = nonvolatile_ready,
        .memory_read = nonvolatile_read,
        .memory_write = nonvolatile_write,
        .memory_flush = nonvolatile_flush,
        .reset = reset,
    };
    const struct board_start start = {boot_count(), boot_cause(), boot_last_error(), boot_error()};
    device_init(&device, &board, &start);
    for (;;)
        if (!device_poll(&device))
            uart_wait();
}
