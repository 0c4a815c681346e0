/* The ARM MPS2 board with the AN386 FPGA image, a Cortex-M4F at 25 MHz: the registers that the firmware uses. Sources: Arm
 * Application Note AN386 (memory map), Cortex-M System Design Kit TRM, DDI 0479 (UART), ARMv7-M Architecture Reference Manual,
 * DDI 0403 (SysTick, NVIC, SCB). */
#ifndef MPS2_H
#define MPS2_H

#include <stdint.h>

#define MPS2_CLOCK_HZ 25000000u

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

/* Counts up at MPS2_CLOCK_HZ from 0 at reset, mod 2^32. */
#define MPS2_COUNTER (*(const volatile uint32_t *)0x40028018u)

#define MPS2_LED (*(volatile uint32_t *)0x40028000u) /* bit 0: LED 0 */

struct mps2_systick {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t value;
};
#define MPS2_SYSTICK ((struct mps2_systick *)0xe000e010u)
#define MPS2_SYSTICK_RUN 7u       /* control: processor clock, interrupt, enable */

#define MPS2_NVIC_ENABLE (*(volatile uint32_t *)0xe000e100u)
#define MPS2_IRQ_UART0_RECEIVE 0
#define MPS2_IRQ_UART0_TRANSMIT 1

#define MPS2_AIRCR (*(volatile uint32_t *)0xe000ed0cu)
#define MPS2_AIRCR_RESET 0x05fa0004u /* the key and SYSRESETREQ */

#define MPS2_CPACR (*(volatile uint32_t *)0xe000ed88u)
#define MPS2_CPACR_FPU 0x00f00000u   /* access to coprocessors 10 and 11 */

#endif
