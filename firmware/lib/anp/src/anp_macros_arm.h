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

/* The flag Q stays set from the first saturation on, until it is cleared. */
.macro CLEAR_Q
    mov     r0, #0
    msr     APSR_nzcvq, r0
.endm

.macro Q_TO_CARRY t
    mrs     \t, APSR
    lsls    \t, \t, #5
.endm

.macro END name
    .size   \name, . - \name
.endm

#endif
#endif
