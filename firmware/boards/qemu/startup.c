/* Start of the chip: vector table, memory, faults. */
#include <stdint.h>

#include "machine.h"
#include "semihosting.h"
#include "uart.h"

/* From the linker script. */
extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

int main(void);

__attribute__((noreturn)) void reset_handler(void)
{
    machine_begin();
    const volatile uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    main();
    semihosting_fail("the main loop has ended");
}

/* A fault, or an interrupt that nobody enabled: a mistake in the firmware. */
static void fault_handler(void)
{
    semihosting_fail("a fault stopped the firmware");
}

/* The interrupt does nothing but wake the main loop. */
static void systick_handler(void)
{
}

#if __ARM_ARCH == 6
/* The micro:bit has one interrupt for both directions. */
static void uart_interrupt(void)
{
    if (NRF51_UART_RECEIVED)
        uart_receive_interrupt();
    if (NRF51_UART_DEPARTED)
        uart_transmit_interrupt();
}
#endif

struct vectors {
    uint32_t *stack;
    void (*handlers[15 + MACHINE_INTERRUPTS])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .handlers =
        {
            reset_handler,
            /* NMI, the four faults, four reserved places, SVCall, debug, a reserved place, PendSV */
            fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
            fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
            systick_handler,
            MACHINE_VECTORS,
        },
};
