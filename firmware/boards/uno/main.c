/* The Uno R3: ATmega328P, bare registers. The junction's voltage is at A0, the host at USART0, the LED at PB5. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "clock.h"
#include "converter.h"
#include "device.h"
#include "eeprom.h"
#include "line.h"
#include "messages.h"
#include "starts.h"
#include "uno.h"

static struct device device;
static uint8_t arena[UNO_ARENA] __attribute__((aligned(4)));

/* Time passes and the EEPROM writes by themselves. */
static void nothing(void *context)
{
    (void)context;
}

static void led(void *context, uint8_t on)
{
    (void)context;
    if (on)
        PORTB |= 1u << PORTB5;
    else
        PORTB &= (uint8_t)~(1u << PORTB5);
}

static void reset(void *context)
{
    (void)context;
    starts_again();
}

static const WIRE_FLASH struct board board = {
    .name = "uno",
    .arena = arena,
    .arena_bytes = sizeof arena,
    .receive_window = UNO_RECEIVE_WINDOW,
    .max_payload = DEVICE_MAX_PAYLOAD,
    .features = WIRE_FEATURES_ADC_LIVE,
    .adc_bits = 10,
    .adc_rate = F_CPU / UNO_CYCLES_PER_CODE,
    .adc_reference = UNO_REFERENCE_MV,
    .line_rate = LINE_BYTES_PER_SECOND,
    .memory_bytes = EEPROM_STARTS,
    .memory_block = 1,
    .read = line_read,
    .write_room = line_room,
    .write = line_write,
    .place = line_place,
    .receive_overruns = line_overruns,
    .adc_read = converter_read,
    .adc_lost = converter_lost,
    .advance = nothing,
    .micros = clock_micros,
    .led = led,
    .memory_ready = eeprom_ready,
    .memory_read = eeprom_read,
    .memory_write = eeprom_write,
    .memory_flush = nothing,
    .analog = converter_analog,
    .reset = reset,
};

/* A byte that arrived since the device looked for one ends the sleep at once: the instruction after sei() is always executed. */
static void sleep(void)
{
    cli();
    if (!line_waiting()) {
        sei();
        sleep_cpu();
    }
    sei();
}

int main(void)
{
    static struct board_start start;
    starts_begin(&start);
    DDRB = 1u << DDB5;
    PRR = (1u << PRTWI) | (1u << PRTIM0) | (1u << PRTIM2) | (1u << PRSPI);
    SMCR = 1u << SE; /* idle: the clock of timer, line and ADC goes on */
    clock_init();
    line_init();
    converter_init();
    sei();

    start.boot_count = starts_count();
    while (clock_micros(NULL) < CONVERTER_SETTLES_MICROS)
        ;
    converter_start();

    device_init(&device, &board, &start);
    for (;;) {
        starts_feed();
        if (!device_poll(&device))
            sleep();
    }
}
