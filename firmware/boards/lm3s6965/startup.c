/* Start of the chip: vector table, memory, clock. */
#include <stdint.h>

#include "clock.h"
#include "converter.h"
#include "line.h"
#include "lm3s6965.h"

/* From the linker script. */
extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

int main(void);

__attribute__((noreturn)) void reset_handler(void)
{
    const volatile uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    main();
    for (;;)
        ;
}

/* A fault, or an interrupt that nobody enabled: a mistake in the firmware. It stays here for a debugger. */
static void fault_handler(void)
{
    for (;;)
        ;
}

struct vectors {
    uint32_t *stack;
    void (*core[15])(void);
    void (*chip[NVIC_ADC0 + 1])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .core = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, [14] = clock_interrupt},
    .chip = {[NVIC_UART0] = line_interrupt, [NVIC_ADC0] = converter_interrupt},
};
