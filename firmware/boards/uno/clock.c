/* Counts the overflows of timer 1, also those since the watchdog was fed. board_fixed.h makes it a callback. */
#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "starts.h"

#define TICKS_PER_MICRO 2

_Static_assert(F_CPU / 8 == TICKS_PER_MICRO * 1000000ul, "the timer's prescaler is 8");

static volatile uint8_t overflows[3]; /* least significant first; 2^32 us are 2^17 overflows */

/* 36 cycles from the request to the return, 4 and 9 more when a byte carries. */
ISR(TIMER1_OVF_vect, ISR_NAKED)
{
    __asm__ volatile("push r24\n\t"
                     "in   r24, %[sreg]\n\t"
                     "push r24\n\t"
                     "lds  r24, %[unfed]\n\t"
                     "inc  r24\n\t"
                     "sts  %[unfed], r24\n\t"
                     "lds  r24, %[count]\n\t"
                     "inc  r24\n\t"
                     "sts  %[count], r24\n\t"
                     "brne 1f\n\t"
                     "lds  r24, %[count]+1\n\t"
                     "inc  r24\n\t"
                     "sts  %[count]+1, r24\n\t"
                     "brne 1f\n\t"
                     "lds  r24, %[count]+2\n\t"
                     "inc  r24\n\t"
                     "sts  %[count]+2, r24\n"
                     "1:\tpop r24\n\t"
                     "out  %[sreg], r24\n\t"
                     "pop  r24\n\t"
                     "reti"
                     :
                     : [sreg] "I"(_SFR_IO_ADDR(SREG)), [unfed] "i"(&starts_unfed), [count] "i"(overflows));
}

void clock_init(void)
{
    TCCR1B = 1u << CS11;
    TIMSK1 = 1u << TOIE1;
}

uint32_t clock_micros(void *context)
{
    (void)context;
    cli();
    uint16_t ticks = TCNT1;
    uint16_t low = (uint16_t)(overflows[0] | (uint16_t)overflows[1] << 8);
    uint8_t high = overflows[2];
    /* The overflow that the interrupt has not counted yet. */
    if ((TIFR1 & (1u << TOV1)) && !(ticks & 0x8000u) && ++low == 0)
        high++;
    sei();
    uint32_t micros = ((uint32_t)low << 16 | ticks) / TICKS_PER_MICRO;
    return high & 1u ? micros | 0x80000000u : micros;
}
