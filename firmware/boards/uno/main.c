/* The Uno R3: ATmega328P, bare registers. The junction's voltage is at A0, the host at USART0, the LED at PB5. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "clock.h"
#include "converter.h"
#include "eeprom.h"
#include "line.h"
#include "messages.h"
#include "starts.h"
#include "turn.h"
#include "uno.h"

struct device uno_device;
uint8_t uno_arena[UNO_ARENA] __attribute__((aligned(2)));

void uno_led(uint8_t on)
{
    if (on)
        PORTB |= 1u << PORTB5;
    else
        PORTB &= (uint8_t)~(1u << PORTB5);
}

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
    SMCR = 1u << SE; /* idle: the clock of timer, line and ADC continues */
    clock_init();
    line_init();
    converter_init();
    sei();

    start.boot_count = starts_count();
    /* What is read while the last byte of the count is being written is not what stands there. */
    while (!eeprom_ready(NULL))
        ;
    while (clock_micros(NULL) < CONVERTER_SETTLES_MICROS)
        ;
    converter_start();

    device_init(&uno_device, NULL, &start); /* the board is board_fixed.h */
    for (;;) {
        /* Where the tests find the chip between two turns. */
        __asm__ volatile(".global uno_turn\nuno_turn:");
        starts_feed();
        if (!device_poll(&uno_device))
            sleep();
    }
}
