/* An AVR without an Arduino core: USART0 at 115200 baud. */
#if !defined(ARDUINO) && defined(__AVR__)

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "report.h"

void report_text(const char *text)
{
    for (; *text; text++) {
        while (!(UCSR0A & (1u << UDRE0)))
            ;
        UDR0 = (uint8_t)*text;
    }
}

int main(void)
{
    UCSR0A = 1u << U2X0;
    UBRR0 = F_CPU / 8 / 115200 - 1;
    UCSR0B = 1u << TXEN0;
    run_tests();
    /* A simulator ends when the chip sleeps forever. */
    cli();
    sleep_mode();
    return 0;
}

#endif
