/* What the assembly files for Cortex-M4 share. */
#ifndef ANP_MACROS_ARM_H
#define ANP_MACROS_ARM_H

#include "anp_kernels_arm.h"

#ifdef __ASSEMBLER__

    .syntax unified
    .thumb

.macro FUNCTION name
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
.endm

.macro END name
    .size   \name, . - \name
.endm

#endif
#endif
