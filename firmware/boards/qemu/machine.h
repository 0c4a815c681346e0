/* Which of QEMU's machines the image is for: that of its processor. Each has a header with its registers and the same functions. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#if __ARM_ARCH == 6
#include "microbit.h"
#else
#include "mps2.h"
#endif

/* What all Cortex-M have (ARMv6-M Architecture Reference Manual, DDI 0419, and ARMv7-M, DDI 0403). */
struct systick {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t value;
};
#define SYSTICK ((struct systick *)0xe000e010u)
#define SYSTICK_RUN 7u            /* control: processor clock, interrupt, enable */

#define NVIC_ENABLE (*(volatile uint32_t *)0xe000e100u)

#define AIRCR (*(volatile uint32_t *)0xe000ed0cu)
#define AIRCR_RESET 0x05fa0004u   /* the key and SYSRESETREQ */

#endif
