/* The Stellaris LM3S6965, a Cortex-M3 at 50 MHz: the registers that this board uses. Sources: the chip's data sheet, and the Armv7-M
 * Architecture Reference Manual, DDI 0403 (SysTick, NVIC). */
#ifndef LM3S6965_H
#define LM3S6965_H

#include <stdint.h>

#define CLOCK_HZ 50000000u

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* System control */
#define SYSCTL_RIS REGISTER(0x400fe050u)
#define SYSCTL_RIS_PLL_LOCKED (1u << 6)
#define SYSCTL_RESC REGISTER(0x400fe05cu) /* causes of resets since it was cleared */
#define SYSCTL_RESC_EXTERNAL (1u << 0)
#define SYSCTL_RESC_POWER_ON (1u << 1)
#define SYSCTL_RESC_BROWN_OUT (1u << 2)
#define SYSCTL_RESC_WATCHDOG (1u << 3)
#define SYSCTL_RESC_SOFTWARE (1u << 4)
#define SYSCTL_RCC REGISTER(0x400fe060u)
#define SYSCTL_RCC_SYSDIV(divisor) (((divisor) - 1u) << 23 | 1u << 22)
#define SYSCTL_RCC_PLL_OFF (1u << 13)
#define SYSCTL_RCC_BYPASS (1u << 11)
#define SYSCTL_RCC_CRYSTAL_8_MHZ (14u << 6) /* on the main oscillator */
#define SYSCTL_RCGC0 REGISTER(0x400fe100u)
#define SYSCTL_RCGC0_ADC (1u << 16)
#define SYSCTL_RCGC1 REGISTER(0x400fe104u)
#define SYSCTL_RCGC1_TIMER0 (1u << 16)
#define SYSCTL_RCGC1_UART0 (1u << 0)
#define SYSCTL_RCGC2 REGISTER(0x400fe108u)
#define SYSCTL_RCGC2_PORT_A (1u << 0)
#define SYSCTL_RCGC2_PORT_F (1u << 5)

/* Pins; the two highest address bits of a port's data choose the pins that an access reaches. */
#define PORT_A_ALTERNATE REGISTER(0x40004420u)
#define PORT_A_DIGITAL REGISTER(0x4000451cu)
#define PORT_A_UART0 3u           /* PA0 receives, PA1 transmits */
#define PORT_F_PIN0 REGISTER(0x40025004u) /* LED of the evaluation board */
#define PORT_F_DIRECTION REGISTER(0x40025400u)
#define PORT_F_DIGITAL REGISTER(0x4002551cu)

/* UART0, an Arm PL011 with FIFOs of 16 bytes */
#define UART_DATA REGISTER(0x4000c000u)
#define UART_DATA_OVERRUN (1u << 11)
#define UART_FLAGS REGISTER(0x4000c018u)
#define UART_FLAGS_BUSY (1u << 3)
#define UART_FLAGS_RECEIVE_EMPTY (1u << 4)
#define UART_FLAGS_TRANSMIT_FULL (1u << 5)
#define UART_BAUD_WHOLE REGISTER(0x4000c024u)
#define UART_BAUD_SIXTYFOURTHS REGISTER(0x4000c028u)
#define UART_FORMAT REGISTER(0x4000c02cu)
#define UART_FORMAT_8N1_FIFOS (3u << 5 | 1u << 4)
#define UART_CONTROL REGISTER(0x4000c030u)
#define UART_CONTROL_ON (1u << 9 | 1u << 8 | 1u << 0)
#define UART_LEVELS REGISTER(0x4000c034u)
#define UART_LEVELS_RECEIVE_EIGHTH 0u
#define UART_INTERRUPTS REGISTER(0x4000c038u)
#define UART_INTERRUPTS_RECEIVE (1u << 6 | 1u << 4) /* the level is reached; fewer bytes wait and no more come */
#define UART_INTERRUPTS_CLEAR REGISTER(0x4000c044u)

/* Timer 0 as one of 32 bits, which starts conversions */
#define TIMER_MODE_A REGISTER(0x40030004u)
#define TIMER_MODE_A_PERIODIC 2u
#define TIMER_CONTROL REGISTER(0x4003000cu)
#define TIMER_CONTROL_ON (1u << 0)
#define TIMER_CONTROL_STARTS_ADC (1u << 5)
#define TIMER_LOAD_A REGISTER(0x40030028u)

/* The converter's sequencer 0, with a FIFO of 8 codes, for one conversion of input ADC0 */
#define ADC_ACTIVE REGISTER(0x40038000u)
#define ADC_INTERRUPTS REGISTER(0x40038008u)
#define ADC_INTERRUPTS_CLEAR REGISTER(0x4003800cu)
#define ADC_OVERFLOW REGISTER(0x40038010u) /* a 1 written clears the bit */
#define ADC_STARTED_BY REGISTER(0x40038014u)
#define ADC_STARTED_BY_TIMER 5u
#define ADC_SEQUENCER0 1u         /* in each of the four registers above */
#define ADC_INPUTS REGISTER(0x40038040u)
#define ADC_STEPS REGISTER(0x40038044u)
#define ADC_STEPS_ONE_INTERRUPTS 6u
#define ADC_FIFO REGISTER(0x40038048u)
#define ADC_FIFO_STATE REGISTER(0x4003804cu)
#define ADC_FIFO_STATE_FULL (1u << 12)
#define ADC_FIFO_STATE_HEAD(state) ((state) >> 4 & 15u)
#define ADC_FIFO_STATE_TAIL(state) ((state) & 15u)

/* Of the core */
#define SYSTICK_CONTROL REGISTER(0xe000e010u)
#define SYSTICK_CONTROL_RUN 7u    /* the core's clock, interrupt, enable */
#define SYSTICK_LOAD REGISTER(0xe000e014u)
#define SYSTICK_VALUE REGISTER(0xe000e018u) /* counts down */
#define NVIC_ENABLE REGISTER(0xe000e100u)
#define NVIC_UART0 5
#define NVIC_ADC0 14

#endif
