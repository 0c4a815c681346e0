/* What the golden vectors' program (tests/platformio/project/test_steps) needs of a Cortex-M in QEMU. */
#include <string.h>

#include "machine.h"
#include "report.h"
#include "semihosting.h"

extern uint32_t bss_start[], bss_end[], data_start[], data_end[], data_load[], stack_top[];

static int output;

void report_text(const char *text)
{
    semihosting_write(output, text, strlen(text));
}

__attribute__((noreturn)) void reset_handler(void)
{
    machine_begin();
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    output = semihosting_open(":tt", SEMIHOSTING_WRITE);
    run_tests();
    semihosting_fail("all cases are done");
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors_of_interrupts = {stack_top, reset_handler};
