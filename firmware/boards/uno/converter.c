/* The interrupt in assembly and the FIFO that it fills. board_fixed.h makes the readers callbacks. */
#include "converter.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "uno.h"

/* Functions of their own also in an image that is optimised as a whole, if it has a use for them: the tests call them. */
#define APART __attribute__((noinline, noclone))

#if UNO_ADC_PRESCALER == 128
#define PRESCALER ((1u << ADPS2) | (1u << ADPS1) | (1u << ADPS0))
#elif UNO_ADC_PRESCALER == 64
#define PRESCALER ((1u << ADPS2) | (1u << ADPS1))
#elif UNO_ADC_PRESCALER == 32
#define PRESCALER ((1u << ADPS2) | (1u << ADPS0))
#else
#error UNO_ADC_PRESCALER is 32, 64 or 128
#endif

#if UNO_REFERENCE_MV == 1100
#define REFERENCE ((1u << REFS1) | (1u << REFS0))
#elif UNO_REFERENCE_MV == 5000
#define REFERENCE (1u << REFS0)
#else
#error UNO_REFERENCE_MV is 1100 (internal) or 5000 (supply)
#endif

_Static_assert(sizeof(uint16_t) * UNO_ADC_FIFO < 256, "positions are compared by their low bytes");

#define LOW(pointer) ((uint8_t)(uintptr_t)(pointer))

/* A ring as those of the line. When it is full, codes are counted instead of kept, and that until the program has taken all that came
 * before: so a hole is always at the ring's end. */
static uint16_t fifo[UNO_ADC_FIFO];
static uint16_t *volatile head;   /* the interrupt's */
static uint16_t *volatile tail;   /* as the interrupt knows it */
static uint16_t *next;            /* as the program knows it: ahead of tail while codes from before a hole are left */
static volatile uint16_t behind;  /* lost behind the ring's end; the watchdog bites before they are 2^16 */
static uint16_t hole;             /* lost between the codes that the program took and the next */
static uint32_t lost;             /* before the codes that the program took last */

/* 48 cycles from the request to the return, no flag touched; 68 for a lost code. */
ISR(ADC_vect, ISR_NAKED)
{
    __asm__ volatile("push r24\n\t"
                     "push r30\n\t"
                     "push r31\n\t"
                     "lds  r30, %[head]\n\t"
                     "lds  r31, %[head]+1\n\t"
                     "lds  r24, %[low]\n\t"
                     "st   Z+, r24\n\t"
                     "lds  r24, %[high]\n\t"
                     "st   Z+, r24\n\t"
                     "ldi  r24, lo8(%[end])\n\t"
                     "cpse r30, r24\n\t"
                     "rjmp 1f\n\t"
                     "ldi  r30, lo8(%[ring])\n\t"
                     "ldi  r31, hi8(%[ring])\n"
                     "1:\tlds r24, %[tail]\n\t"
                     "cpse r30, r24\n\t"
                     "rjmp 2f\n\t"
                     "in   r24, %[sreg]\n\t"
                     "lds  r30, %[behind]\n\t"
                     "lds  r31, %[behind]+1\n\t"
                     "adiw r30, 1\n\t"
                     "sts  %[behind]+1, r31\n\t"
                     "sts  %[behind], r30\n\t"
                     "out  %[sreg], r24\n\t"
                     "rjmp 3f\n"
                     "2:\tsts %[head], r30\n\t"
                     "sts  %[head]+1, r31\n"
                     "3:\tpop r31\n\t"
                     "pop  r30\n\t"
                     "pop  r24\n\t"
                     "reti"
                     :
                     : [low] "n"(_SFR_MEM_ADDR(ADCL)), [high] "n"(_SFR_MEM_ADDR(ADCH)), [sreg] "I"(_SFR_IO_ADDR(SREG)),
                       [ring] "i"(fifo), [end] "i"(fifo + UNO_ADC_FIFO), [head] "i"(&head), [tail] "i"(&tail), [behind] "i"(&behind));
}

void converter_init(void)
{
    head = tail = next = fifo;
    ADMUX = REFERENCE;
    DIDR0 = 1u << ADC0D;
    ADCSRA = (1u << ADEN) | (1u << ADSC) | (1u << ADATE) | PRESCALER;
}

void converter_start(void)
{
    ADCSRA = (1u << ADEN) | (1u << ADSC) | (1u << ADATE) | (1u << ADIF) | (1u << ADIE) | PRESCALER;
}

/* The channel changes only while no conversion is under way or about to begin: then each code is of one pin for sure. */
APART uint16_t converter_analog(void *context, uint8_t pin)
{
    (void)context;
    /* The conversion under way is the last; its code is the interrupt's. */
    ADCSRA = (1u << ADEN) | (1u << ADIE) | PRESCALER;
    while (ADCSRA & ((1u << ADSC) | (1u << ADIF)))
        ;
    ADMUX = (uint8_t)(REFERENCE | pin);
    ADCSRA = (1u << ADEN) | (1u << ADSC) | PRESCALER;
    /* Meanwhile the ring is made full, as far as the interrupt knows, and one code lost behind its end. */
    uint16_t *end = head;
    tail = LOW(end) == LOW(fifo + UNO_ADC_FIFO - 1) ? fifo : end + 1;
    behind++;
    while (ADCSRA & (1u << ADSC))
        ;
    ADMUX = REFERENCE;
    uint16_t code = ADC;
    converter_start();
    return code;
}

static uint8_t waiting_bytes(void)
{
    uint8_t end = *(volatile uint8_t *)&head, bytes = (uint8_t)(end - LOW(next));
    return end < LOW(next) ? (uint8_t)(bytes + sizeof fifo) : bytes;
}

/* A ring that is full in the interrupt's eyes waits for all that came before the hole. */
bool converter_few(void *context)
{
    (void)context;
    return waiting_bytes() < sizeof *fifo * UNO_ADC_TOGETHER && *(volatile uint8_t *)&behind == 0;
}

APART uint16_t converter_read(void *context, uint16_t *codes, uint16_t most)
{
    (void)context;
    uint16_t *from = next;
    uint8_t count = waiting_bytes() / sizeof *from;
    if (count > (uint8_t)most)
        count = (uint8_t)most;
    if (hole) {
        lost += hole;
        hole = 0;
    }
    uint8_t left = count;
    if (left)
        __asm__ volatile("1:\tld __tmp_reg__, %a[from]+\n\t"
                         "st   %a[to]+, __tmp_reg__\n\t"
                         "ld   __tmp_reg__, %a[from]+\n\t"
                         "st   %a[to]+, __tmp_reg__\n\t"
                         "cpi  %A[from], lo8(%[end])\n\t"
                         "brne 2f\n\t"
                         "ldi  %A[from], lo8(%[ring])\n\t"
                         "ldi  %B[from], hi8(%[ring])\n"
                         "2:\tdec %[left]\n\t"
                         "brne 1b"
                         : [from] "+z"(from), [to] "+x"(codes), [left] "+r"(left)
                         : [ring] "i"(fifo), [end] "i"(fifo + UNO_ADC_FIFO)
                         : "memory");
    next = from;
    cli();
    if (behind == 0) {
        tail = from;
    } else if (LOW(from) == *(volatile uint8_t *)&head) {
        tail = from;
        hole = behind;
        behind = 0;
    }
    sei();
    return count;
}

uint32_t converter_lost(void *context)
{
    (void)context;
    return lost;
}
