/* The ARM MPS2 board with the AN386 FPGA image, a Cortex-M4F at 25 MHz: the registers that the firmware uses. Sources: Arm
 * Application Note AN386 (memory map), Cortex-M System Design Kit TRM, DDI 0479 (UART), ARMv7-M Architecture Reference Manual,
 * DDI 0403 (SCB). */
#ifndef MPS2_H
#define MPS2_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_NAME "m4-sim"
#define MACHINE_CLOCK_HZ 25000000u
#define MACHINE_COUNTER_HZ 25000000u

struct mps2_uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt;  /* a 1 written clears the bit */
    volatile uint32_t divider;    /* clocks a bit, at least 16 */
};
#define MPS2_UART0 ((struct mps2_uart *)0x40004000u)
#define MPS2_UART_TRANSMIT_FULL 1u   /* state */
#define MPS2_UART_RECEIVE_FULL 2u
#define MPS2_UART_RECEIVE_OVERRUN 8u /* a 1 written clears it */
#define MPS2_UART_TRANSMIT 1u        /* interrupt */
#define MPS2_UART_RECEIVE 2u
#define MPS2_UART_ENABLE 3u          /* control: transmitter and receiver */
#define MPS2_UART_INTERRUPTS 12u     /* control: both interrupts */

#define MPS2_COUNTER (*(const volatile uint32_t *)0x40028018u)

#define MPS2_LED (*(volatile uint32_t *)0x40028000u) /* bit 0: LED 0 */

#define MPS2_CPACR (*(volatile uint32_t *)0xe000ed88u)
#define MPS2_CPACR_FPU 0x00f00000u   /* access to coprocessors 10 and 11 */

/* Behind the vectors of the processor's own. */
#define MACHINE_INTERRUPTS 2
#define MACHINE_VECTORS uart_receive_interrupt, uart_transmit_interrupt
#define MACHINE_UART_INTERRUPTS 3u   /* bits of NVIC_ENABLE */

/* Before anything else: the compiler may move integers through the registers of the floating-point unit. */
static inline void machine_begin(void)
{
    MPS2_CPACR |= MPS2_CPACR_FPU;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* Counts up at MACHINE_COUNTER_HZ, mod 2^32. */
static inline uint32_t machine_counter(void)
{
    return MPS2_COUNTER;
}

static inline void machine_led(uint8_t on)
{
    MPS2_LED = on;
}

static inline void machine_uart_begin(uint32_t baud)
{
    MPS2_UART0->divider = MACHINE_CLOCK_HZ / baud;
    MPS2_UART0->control = MPS2_UART_ENABLE | MPS2_UART_INTERRUPTS;
    /* QEMU asks for bytes again after a reading: those that came before the receiver was on wait for it. */
    (void)MPS2_UART0->data;
}

/* Acknowledges the receiver's interrupt. True when it lost bytes. */
static inline bool machine_uart_received(void)
{
    MPS2_UART0->interrupt = MPS2_UART_RECEIVE;
    if (!(MPS2_UART0->state & MPS2_UART_RECEIVE_OVERRUN))
        return false;
    MPS2_UART0->state = MPS2_UART_RECEIVE_OVERRUN;
    return true;
}

static inline bool machine_uart_has_byte(void)
{
    return MPS2_UART0->state & MPS2_UART_RECEIVE_FULL;
}

static inline uint8_t machine_uart_read(void)
{
    return (uint8_t)MPS2_UART0->data;
}

/* Acknowledges the transmitter's interrupt. */
static inline void machine_uart_departed(void)
{
    MPS2_UART0->interrupt = MPS2_UART_TRANSMIT;
}

static inline void machine_uart_write(uint8_t byte)
{
    MPS2_UART0->data = byte;
}

#endif
