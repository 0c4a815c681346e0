/* Reads codes in blocks and hands them out when they are due. main.c makes it callbacks of struct board. */
#include "adc.h"

#include "machine.h"
#include "semihosting.h"

#define FIFO 1024                 /* codes due that nobody has taken: 26 ms */
#define BLOCK 512                 /* codes read at once: a call of semihosting costs as much as some hundred of them */
#define WAKE_HZ 200               /* in real time: often enough for the FIFO */

static struct {
    int file;
    uint32_t codes_per_step;      /* 0: real time */
    uint64_t due;                 /* codes since the start */
    uint64_t taken;               /* of these, lost ones included */
    uint32_t lost;
    uint32_t counter;             /* the hardware's, when last read */
    uint64_t clocks;              /* the same, mod 2^64 */
    uint16_t block[BLOCK];
    uint16_t left;                /* codes of the block, at its end */
} adc;

static void read_block(void)
{
    /* The whole block, whatever the timing of the program at the other end: then a run repeats exactly, restarts included. */
    uint8_t *bytes = (uint8_t *)adc.block;
    uint32_t got = 0;
    while (got < sizeof adc.block) {
        uint32_t count = semihosting_read(adc.file, bytes + got, sizeof adc.block - got);
        if (count == 0)
            semihosting_fail("the virtual sMTJ has ended");
        got += count;
    }
    adc.left = BLOCK;
}

void adc_init(const char *file, uint32_t codes_per_step)
{
    adc.file = semihosting_open(file ? file : "", SEMIHOSTING_READ);
    if (adc.file < 0)
        semihosting_fail("the file of ADC codes cannot be opened; start the board with mtjlearn");
    adc.codes_per_step = codes_per_step;
    /* At once: that shows the program at the other end that the image runs. */
    read_block();
    if (codes_per_step)
        return;
    SYSTICK->reload = MACHINE_CLOCK_HZ / WAKE_HZ - 1;
    SYSTICK->value = 0;
    SYSTICK->control = SYSTICK_RUN;
}

void adc_close(void)
{
    semihosting_close(adc.file);
}

void adc_step(void)
{
    adc.due += adc.codes_per_step;
}

static uint64_t clocks(void)
{
    uint32_t now = machine_counter();
    adc.clocks += now - adc.counter;
    adc.counter = now;
    return adc.clocks;
}

uint16_t adc_read(uint16_t *codes, uint16_t most)
{
    if (adc.codes_per_step == 0)
        adc.due = clocks() * ADC_RATE / MACHINE_COUNTER_HZ;
    if (adc.due - adc.taken > FIFO) {
        /* The junction has no memory of what nobody saw, so the file resumes where it was. */
        adc.lost += (uint32_t)(adc.due - adc.taken - FIFO);
        adc.taken = adc.due - FIFO;
    }
    uint64_t waiting = adc.due - adc.taken;
    uint16_t count = most < waiting ? most : (uint16_t)waiting;
    for (uint16_t i = 0; i < count; i++) {
        if (adc.left == 0)
            read_block();
        codes[i] = adc.block[BLOCK - adc.left--];
    }
    adc.taken += count;
    return count;
}

uint32_t adc_lost(void)
{
    return adc.lost;
}

uint32_t adc_micros(void)
{
    if (adc.codes_per_step)
        return (uint32_t)(adc.due * 1000000 / ADC_RATE);
    return (uint32_t)(clocks() / (MACHINE_COUNTER_HZ / 1000000));
}
