/* A measuring program for the Uno: features come in over the line, what a network says of them goes out, with the cycles that it took.
 * host/mtjlearn/bench/chip/inference.py writes the network and puts it in front with -include: INPUTS, ANSWER_BYTES and infer(). */
#include <avr/interrupt.h>
#include <avr/io.h>

#ifndef INPUTS                    /* no network: what is left is the program around it */
#define INPUTS 1
#define ANSWER_BYTES 1
static void infer(const float *features, void *answer) { *(uint8_t *)answer = *(const uint8_t *)features; }
#endif

static volatile uint16_t overflows;

ISR(TIMER1_OVF_vect)
{
    overflows++;
}

/* 1,000,000 baud: 160 cycles for each byte. */
static void line_begin(void)
{
    UCSR0A = 1 << U2X0;
    UBRR0 = 1;
    UCSR0B = 1 << RXEN0 | 1 << TXEN0;
}

static void take(void *to, uint16_t count)
{
    for (uint8_t *byte = to; count; count--, byte++) {
        while (!(UCSR0A & 1 << RXC0))
            ;
        *byte = UDR0;
    }
}

static void give(const void *from, uint8_t count)
{
    for (const uint8_t *byte = from; count; count--, byte++) {
        while (!(UCSR0A & 1 << UDRE0))
            ;
        UDR0 = *byte;
    }
}

static void clock_begin(void)
{
    TCNT1 = 0;
    TIFR1 = 1 << TOV1;
    overflows = 0;
    TCCR1B = 1 << CS10;
}

static uint32_t clock_end(void)
{
    cli();
    uint16_t count = TCNT1;
    if (TIFR1 & 1 << TOV1 && count < 0x8000)
        overflows++;
    TCCR1B = 0;
    sei();
    return (uint32_t)overflows << 16 | count;
}

int main(void)
{
    static float features[INPUTS];
    static uint8_t answer[ANSWER_BYTES];
    line_begin();
    TIMSK1 = 1 << TOIE1;
    sei();
    give("!", 1);                 /* it listens */
    for (;;) {
        take(features, sizeof features);
        clock_begin();
        uint32_t nothing = clock_end();
        clock_begin();
        infer(features, answer);
        uint32_t cycles = clock_end() - nothing;
        give(answer, sizeof answer);
        give(&cycles, sizeof cycles);
    }
}
