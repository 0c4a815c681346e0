/* Both interrupts of USART0 in assembly, the receive ring, and the frame that is sent from where it was built. */
#include "line.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <string.h>

#include "uno.h"

/* Received bytes wait in a ring with two positions, pointers to the next byte that goes in (head) and that comes out (tail); it is full
 * with one byte free. What crosses between interrupt and program is their low bytes alone, which are read and written in one
 * instruction and tell all places apart, since the ring is shorter than 256 bytes. */
#define RECEIVE (UNO_RECEIVE_WINDOW + 2)

/* Frames are built where they are sent from, one behind the other, and start again once all have left. A frame's place begins one byte
 * before it (frame.h). */
#define TRANSMIT (UNO_TRANSMIT_ROOM + 1)

_Static_assert(RECEIVE < 256 && TRANSMIT < 256, "positions are compared by their low bytes");

/* UCSR0B while nothing is to be sent. */
#define CONTROL ((1u << RXCIE0) | (1u << RXEN0) | (1u << TXEN0))

#define LOW(pointer) ((uint8_t)(uintptr_t)(pointer))

static uint8_t receive[RECEIVE];
static uint8_t *volatile receive_tail;
static volatile uint16_t overruns;

static uint8_t transmit[TRANSMIT];
static uint8_t *volatile transmit_head;
static uint8_t *volatile transmit_tail;

/* The receiver's head stands in two registers that the chip leaves to the program, one cycle away. */
#define HEAD_LOW GPIOR1
#define HEAD_HIGH GPIOR2

/* Both interrupts touch no flag of SREG, so they need not save it: cpse compares and skips without one.
 *
 * 44 cycles from the request to the return, 12 more for a byte that is lost: the position of the ring does not move on then. UCSR0A
 * belongs to the byte that UDR0 gives, so it is read first. */
ISR(USART_RX_vect, ISR_NAKED)
{
    __asm__ volatile("push r24\n\t"
                     "push r30\n\t"
                     "push r31\n\t"
                     "in   r30, %[head_low]\n\t"
                     "in   r31, %[head_high]\n\t"
                     "lds  r24, %[status]\n\t"
                     "sbrc r24, %[overrun]\n\t"
                     "rcall 3f\n\t"
                     "lds  r24, %[data]\n\t"
                     "st   Z+, r24\n\t"
                     "ldi  r24, lo8(%[end])\n\t"
                     "cpse r30, r24\n\t"
                     "rjmp 1f\n\t"
                     "ldi  r30, lo8(%[ring])\n\t"
                     "ldi  r31, hi8(%[ring])\n"
                     "1:\tlds r24, %[tail]\n\t"
                     "cpse r30, r24\n\t"
                     "rjmp 2f\n\t"
                     "rcall 3f\n\t"
                     "rjmp 4f\n"
                     "2:\tout %[head_low], r30\n\t"
                     "out  %[head_high], r31\n"
                     "4:\tpop r31\n\t"
                     "pop  r30\n\t"
                     "pop  r24\n\t"
                     "reti\n"
                     /* One byte more is lost. */
                     "3:\tin r24, %[sreg]\n\t"
                     "push r24\n\t"
                     "push r25\n\t"
                     "lds  r24, %[overruns]\n\t"
                     "lds  r25, %[overruns]+1\n\t"
                     "adiw r24, 1\n\t"
                     "sts  %[overruns]+1, r25\n\t"
                     "sts  %[overruns], r24\n\t"
                     "pop  r25\n\t"
                     "pop  r24\n\t"
                     "out  %[sreg], r24\n\t"
                     "ret"
                     :
                     : [head_low] "I"(_SFR_IO_ADDR(HEAD_LOW)), [head_high] "I"(_SFR_IO_ADDR(HEAD_HIGH)),
                       [status] "n"(_SFR_MEM_ADDR(UCSR0A)), [data] "n"(_SFR_MEM_ADDR(UDR0)), [overrun] "I"(DOR0),
                       [sreg] "I"(_SFR_IO_ADDR(SREG)), [ring] "i"(receive), [end] "i"(receive + RECEIVE), [tail] "i"(&receive_tail),
                       [overruns] "i"(&overruns));
}

/* 41 cycles, 43 for the last byte, after which the interrupt turns itself off. It is on only while a byte waits. */
ISR(USART_UDRE_vect, ISR_NAKED)
{
    __asm__ volatile("push r24\n\t"
                     "push r30\n\t"
                     "push r31\n\t"
                     "lds  r30, %[tail]\n\t"
                     "lds  r31, %[tail]+1\n\t"
                     "ld   r24, Z+\n\t"
                     "sts  %[data], r24\n\t"
                     "sts  %[tail], r30\n\t"
                     "sts  %[tail]+1, r31\n\t"
                     "lds  r24, %[head]\n\t"
                     "cpse r30, r24\n\t"
                     "rjmp 1f\n\t"
                     "ldi  r24, %[off]\n\t"
                     "sts  %[control], r24\n"
                     "1:\tpop r31\n\t"
                     "pop  r30\n\t"
                     "pop  r24\n\t"
                     "reti"
                     :
                     : [data] "n"(_SFR_MEM_ADDR(UDR0)), [control] "n"(_SFR_MEM_ADDR(UCSR0B)), [off] "M"(CONTROL), [head] "i"(&transmit_head),
                       [tail] "i"(&transmit_tail));
}

void line_init(void)
{
    receive_tail = receive;
    HEAD_LOW = LOW(receive);
    HEAD_HIGH = (uint8_t)((uintptr_t)receive >> 8);
    transmit_tail = transmit_head = transmit + 1;
    UBRR0 = LINE_DIVIDER - 1;
    UCSR0A = LINE_DOUBLE_SPEED ? 1u << U2X0 : 0;
    UCSR0C = (1u << UCSZ01) | (1u << UCSZ00);
    UCSR0B = CONTROL;
}

uint8_t line_look(const uint8_t **bytes)
{
    uint8_t *tail = receive_tail;
    uint8_t from = (uint8_t)(LOW(tail) - LOW(receive)), to = (uint8_t)(HEAD_LOW - LOW(receive));
    uint8_t most = (uint8_t)((to < from ? RECEIVE : to) - from), count = 0;
    *bytes = tail;
    while (count < most && tail[count++])
        ;
    return count;
}

void line_took(uint8_t count)
{
    uint8_t *tail = receive_tail + count;
    receive_tail = tail == receive + RECEIVE ? receive : tail;
}

bool line_waiting(void)
{
    return LOW(receive_tail) != HEAD_LOW;
}

uint16_t line_overruns(void *context)
{
    (void)context;
    cli();
    uint16_t count = overruns;
    sei();
    return count;
}

uint16_t line_room(void *context)
{
    (void)context;
    /* With nothing to send the interrupt is off, so both positions are the program's. */
    if (LOW(transmit_head) == *(volatile uint8_t *)&transmit_tail)
        transmit_tail = transmit_head = transmit + 1;
    return (uint16_t)(transmit + TRANSMIT - transmit_head);
}

uint8_t *line_place(void *context)
{
    (void)context;
    return transmit_head - 1;
}

void line_write(void *context, const uint8_t *bytes, uint16_t count)
{
    (void)context;
    uint8_t *head = transmit_head;
    if (bytes != head)
        memcpy(head, bytes, count);
    /* The bytes are there before the interrupt can see them. It may take one of them before it is turned on here, but not all, so it
     * never finds nothing. */
    __asm__ volatile("" ::: "memory");
    transmit_head = head + count;
    UCSR0B = CONTROL | (1u << UDRIE0);
}
