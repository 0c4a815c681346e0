/* The device on a Stellaris LM3S6965, a Cortex-M3: the example of docs/porting.md. No nonvolatile memory, no other analog pins, and a
 * restart that begins again without resetting the chip. */
#include <stddef.h>

#include "clock.h"
#include "converter.h"
#include "turn.h"
#include "line.h"
#include "lm3s6965.h"
#include "messages.h"

#define ARENA 40960               /* bytes, of 64 KB */

static _Alignas(8) uint8_t arena[ARENA];
static struct device device;
static uint8_t error;
static struct board_start start = {.boot_count = 1, .error = &error};
static bool restarting;

static void advance(void *context)
{
    (void)context;
}

static void led(void *context, uint8_t on)
{
    (void)context;
    PORT_F_PIN0 = on;
}

static void reset(void *context)
{
    (void)context;
    restarting = true;
}

static const struct board board = {
    .name = "lm3s6965",
    .arena = arena,
    .arena_bytes = ARENA,
    .receive_window = LINE_WINDOW,
    .max_payload = WIRE_MAX_PAYLOAD,
    .features = WIRE_FEATURES_ADC_LIVE,
    .adc_bits = CONVERTER_BITS,
    .adc_rate = CONVERTER_RATE,
    .adc_reference = CONVERTER_REFERENCE,
    .line_rate = LINE_BAUD / 10,
    .read = line_read,
    .write_room = line_room,
    .write = line_write,
    .receive_overruns = line_overruns,
    .adc_read = converter_take,
    .adc_lost = converter_lost,
    .advance = advance,
    .micros = clock_micros,
    .led = led,
    .reset = reset,
};

static uint8_t reset_cause(void)
{
    uint32_t causes = SYSCTL_RESC;
    SYSCTL_RESC = 0;
    if (causes & SYSCTL_RESC_POWER_ON)
        return WIRE_RESET_CAUSE_POWER_ON;
    if (causes & SYSCTL_RESC_BROWN_OUT)
        return WIRE_RESET_CAUSE_BROWN_OUT;
    if (causes & SYSCTL_RESC_WATCHDOG)
        return WIRE_RESET_CAUSE_WATCHDOG;
    if (causes & SYSCTL_RESC_SOFTWARE)
        return WIRE_RESET_CAUSE_SOFTWARE;
    return causes & SYSCTL_RESC_EXTERNAL ? WIRE_RESET_CAUSE_EXTERNAL : WIRE_RESET_CAUSE_UNKNOWN;
}

static void begin(void)
{
    start.last_error = error;
    error = 0;
    device_init(&device, &board, &start);
}

static void begin_anew(void)
{
    restarting = false;
    start.boot_count++;
    start.reset_cause = WIRE_RESET_CAUSE_SOFTWARE;
    begin();
}

int main(void)
{
    clock_begin();
    SYSCTL_RCGC0 |= SYSCTL_RCGC0_ADC;
    SYSCTL_RCGC1 |= SYSCTL_RCGC1_TIMER0 | SYSCTL_RCGC1_UART0;
    SYSCTL_RCGC2 |= SYSCTL_RCGC2_PORT_A | SYSCTL_RCGC2_PORT_F;
    (void)SYSCTL_RCGC2; /* a few clocks until they can be reached */
    PORT_F_DIRECTION |= 1;
    PORT_F_DIGITAL |= 1;
    start.reset_cause = reset_cause();
    line_begin();
    converter_begin();
    begin();
    for (;;) {
        bool busy = device_poll(&device);
        bool sent = line_flush();
        if (restarting && sent)
            begin_anew();
        /* The converter's next interrupt ends the sleep. */
        if (!busy)
            __asm__ volatile("wfi" ::: "memory");
    }
}
