/* The BBC micro:bit, a Cortex-M0 at 16 MHz (Nordic nRF51822), which stands for the Cortex-M0+: both execute ARMv6-M. The registers
 * that the firmware uses. Source: Nordic nRF51 Series Reference Manual 3.0 (UART, TIMER, GPIO). */
#ifndef MICROBIT_H
#define MICROBIT_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_NAME "m0-sim"
#define MACHINE_CLOCK_HZ 16000000u
#define MACHINE_COUNTER_HZ 16000000u

#define NRF51_REGISTER(address) (*(volatile uint32_t *)(address))

#define NRF51_UART_START_RECEIVER NRF51_REGISTER(0x40002000u)
#define NRF51_UART_START_TRANSMITTER NRF51_REGISTER(0x40002008u)
#define NRF51_UART_RECEIVED NRF51_REGISTER(0x40002108u) /* events: 0 clears */
#define NRF51_UART_DEPARTED NRF51_REGISTER(0x4000211cu)
#define NRF51_UART_INTERRUPTS NRF51_REGISTER(0x40002304u)
#define NRF51_UART_ENABLE NRF51_REGISTER(0x40002500u)
#define NRF51_UART_DATA_IN NRF51_REGISTER(0x40002518u)
#define NRF51_UART_DATA_OUT NRF51_REGISTER(0x4000251cu)
#define NRF51_UART_RATE NRF51_REGISTER(0x40002524u)
#define NRF51_UART_BOTH 0x84u         /* RXDRDY and TXDRDY interrupt */
#define NRF51_UART_ON 4u
#define NRF51_UART_250000 0x04000000u

#define NRF51_TIMER_START NRF51_REGISTER(0x40008000u)
#define NRF51_TIMER_CAPTURE NRF51_REGISTER(0x40008040u)
#define NRF51_TIMER_COMPARE_CAME NRF51_REGISTER(0x40008144u) /* event: 0 clears */
#define NRF51_TIMER_BITS NRF51_REGISTER(0x40008508u)
#define NRF51_TIMER_PRESCALER NRF51_REGISTER(0x40008510u)
#define NRF51_TIMER_CAPTURED NRF51_REGISTER(0x40008540u)
#define NRF51_TIMER_COMPARED NRF51_REGISTER(0x40008544u)
#define NRF51_TIMER_32_BITS 3u
#define NRF51_TIMER_SOON 16000u       /* ticks: a millisecond */

#define NRF51_PINS NRF51_REGISTER(0x50000504u)
#define NRF51_PINS_ROW 0x2000u        /* pin 13, the first row of LEDs */

/* Behind the vectors of the processor's own: the UART has the third. */
#define MACHINE_INTERRUPTS 3
#define MACHINE_VECTORS fault_handler, fault_handler, uart_interrupt
#define MACHINE_UART_INTERRUPTS 4u

static inline void machine_begin(void)
{
    NRF51_TIMER_BITS = NRF51_TIMER_32_BITS;
    NRF51_TIMER_PRESCALER = 0;
    NRF51_TIMER_START = 1;
}

/* Counts up at MACHINE_COUNTER_HZ, mod 2^32. */
static inline uint32_t machine_counter(void)
{
    NRF51_TIMER_CAPTURE = 1;
    return NRF51_TIMER_CAPTURED;
}

static inline void machine_led(uint8_t on)
{
    NRF51_PINS = on ? NRF51_PINS_ROW : 0;
}

/* The only rate that it is used with. */
static inline void machine_uart_begin(uint32_t baud)
{
    (void)baud;
    NRF51_UART_ENABLE = NRF51_UART_ON; /* first: QEMU ignores what is written before */
    NRF51_UART_RATE = NRF51_UART_250000;
    NRF51_UART_INTERRUPTS = NRF51_UART_BOTH;
    NRF51_UART_START_TRANSMITTER = 1;
    NRF51_UART_START_RECEIVER = 1;
    /* QEMU looks for bytes again at its next event: those that came before the receiver was on wait for it. The capture has set the
     * event of every comparison with 0, and one whose event is set never comes. */
    NRF51_TIMER_COMPARED = machine_counter() + NRF51_TIMER_SOON;
    NRF51_TIMER_COMPARE_CAME = 0;
}

/* Acknowledges the receiver's interrupt. True when it lost bytes: QEMU's never does. */
static inline bool machine_uart_received(void)
{
    NRF51_UART_RECEIVED = 0;
    return false;
}

/* The interrupt comes with a byte. */
static inline bool machine_uart_has_byte(void)
{
    return true;
}

static inline uint8_t machine_uart_read(void)
{
    return (uint8_t)NRF51_UART_DATA_IN;
}

/* Acknowledges the transmitter's interrupt. */
static inline void machine_uart_departed(void)
{
    NRF51_UART_DEPARTED = 0;
}

static inline void machine_uart_write(uint8_t byte)
{
    NRF51_UART_DATA_OUT = byte;
}

#endif
