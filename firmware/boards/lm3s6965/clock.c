/* SysTick counts clocks within a millisecond, its interrupt milliseconds; clock_begin() switches from the chip's slow oscillator to the PLL. */
#include "clock.h"

#include "lm3s6965.h"

#define CLOCKS_PER_US (CLOCK_HZ / 1000000u)
#define CLOCKS_PER_MS (CLOCK_HZ / 1000u)
#define PLL_DIVISOR 4u            /* of its 200 MHz */

static volatile uint32_t milliseconds;

void clock_begin(void)
{
    uint32_t crystal = SYSCTL_RCC_SYSDIV(PLL_DIVISOR) | SYSCTL_RCC_CRYSTAL_8_MHZ;
    SYSCTL_RCC = crystal | SYSCTL_RCC_BYPASS | SYSCTL_RCC_PLL_OFF;
    SYSCTL_RCC = crystal | SYSCTL_RCC_BYPASS;
    while (!(SYSCTL_RIS & SYSCTL_RIS_PLL_LOCKED))
        ;
    SYSCTL_RCC = crystal;
    SYSTICK_LOAD = CLOCKS_PER_MS - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = SYSTICK_CONTROL_RUN;
}

void clock_interrupt(void)
{
    milliseconds++;
}

uint32_t clock_micros(void *context)
{
    (void)context;
    uint32_t before, left;
    do {
        before = milliseconds;
        left = SYSTICK_VALUE;
    } while (before != milliseconds);
    return 1000 * before + (CLOCKS_PER_MS - 1 - left) / CLOCKS_PER_US;
}
