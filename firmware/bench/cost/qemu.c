/* What inference.c is on an AVR, on a Cortex-M in QEMU: rows come from standard input, and an answer with the instructions that it took
 * goes to standard output. With -icount shift=10 an instruction takes 1,024 ns of QEMU's clock, which is what the counter shows. */
#include <string.h>

#include "machine.h"
#include "row.h"
#include "semihosting.h"

extern uint32_t bss_start[], bss_end[], data_start[], data_end[], data_load[], stack_top[];

/* 1,024 ns are 25.6 ticks of a counter of 25 MHz. */
static uint32_t instructions(uint32_t ticks)
{
    return (uint32_t)(((uint64_t)ticks * (1000000000u / MACHINE_COUNTER_HZ) + 512) / 1024);
}

__attribute__((noreturn)) void reset_handler(void)
{
    machine_begin();
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    static float row[INPUTS];
    static uint8_t answer[ANSWER_BYTES];
    int in = semihosting_open(":tt", SEMIHOSTING_READ), out = semihosting_open(":tt", SEMIHOSTING_WRITE);
    while (semihosting_read(in, row, sizeof row) == sizeof row) {
        uint32_t begun = machine_counter();
        infer(row, answer);
        uint32_t count = instructions(machine_counter() - begun);
        semihosting_write(out, answer, sizeof answer);
        semihosting_write(out, &count, sizeof count);
    }
    semihosting_fail("all rows are done");
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors = {stack_top, reset_handler};
