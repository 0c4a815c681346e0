/* A timer starts a conversion 40,000 times per second; the interrupt at its end moves the code from the converter's FIFO to a ring. */
#include "converter.h"

#include <stdbool.h>

#include "lm3s6965.h"

#define RING 512                  /* codes, 13 ms; a power of two */

/* Positions count codes since the start, mod 2^16; their difference is what the ring holds. */
static struct {
    volatile uint16_t in;
    volatile uint16_t out;
    volatile uint16_t codes[RING];
} ring;

static volatile bool missing;     /* codes were lost after those in the ring */
static volatile uint32_t missed;  /* how many */
static uint32_t lost;

void converter_begin(void)
{
    ADC_STARTED_BY = ADC_STARTED_BY_TIMER;
    ADC_INPUTS = 0;
    ADC_STEPS = ADC_STEPS_ONE_INTERRUPTS;
    ADC_INTERRUPTS = ADC_SEQUENCER0;
    ADC_ACTIVE = ADC_SEQUENCER0;
    NVIC_ENABLE = 1u << NVIC_ADC0;
    TIMER_MODE_A = TIMER_MODE_A_PERIODIC;
    TIMER_LOAD_A = CLOCK_HZ / CONVERTER_RATE - 1;
    TIMER_CONTROL = TIMER_CONTROL_STARTS_ADC | TIMER_CONTROL_ON;
}

static void miss(void)
{
    missed++;
    missing = true;
}

/* By the pointers, which are right on the chip and in QEMU: QEMU's flag for an empty FIFO is wrong after every sixteenth code. */
static bool code_waits(void)
{
    uint32_t state = ADC_FIFO_STATE;
    return (state & ADC_FIFO_STATE_FULL) || ADC_FIFO_STATE_HEAD(state) != ADC_FIFO_STATE_TAIL(state);
}

void converter_interrupt(void)
{
    ADC_INTERRUPTS_CLEAR = ADC_SEQUENCER0;
    while (code_waits()) {
        uint16_t code = (uint16_t)ADC_FIFO;
        uint16_t in = ring.in;
        if (missing || (uint16_t)(in - ring.out) == RING) {
            miss();
            continue;
        }
        ring.codes[in % RING] = code;
        ring.in = (uint16_t)(in + 1);
    }
    /* The converter does not report how many did not fit its FIFO. What it held is older than they are. */
    if (ADC_OVERFLOW & ADC_SEQUENCER0) {
        ADC_OVERFLOW = ADC_SEQUENCER0;
        miss();
    }
}

uint16_t converter_take(void *context, uint16_t *codes, uint16_t most)
{
    (void)context;
    uint16_t out = ring.out;
    if (missing && ring.in == out) {
        __asm__ volatile("cpsid i" ::: "memory");
        lost += missed;
        missed = 0;
        missing = false;
        __asm__ volatile("cpsie i" ::: "memory");
    }
    uint16_t waiting = (uint16_t)(ring.in - out);
    uint16_t count = most < waiting ? most : waiting;
    for (uint16_t i = 0; i < count; i++)
        codes[i] = ring.codes[out++ % RING];
    ring.out = out;
    return count;
}

uint32_t converter_lost(void *context)
{
    (void)context;
    return lost;
}
