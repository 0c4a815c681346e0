/* What the assembly files for Cortex-M0 share. */
#ifndef ANP_MACROS_M0_H
#define ANP_MACROS_M0_H

#include "anp_kernels_m0.h"

#ifdef __ASSEMBLER__

    .syntax unified
    .thumb

/* One that saves what it changes itself. */
.macro LEAF name
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
.endm

/* One that may change all registers. */
.macro FUNCTION name
    LEAF    \name
    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r4-r7}
.endm

/* A result in r0 stays. */
.macro RETURN
    pop     {r4-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}
.endm

.macro END name
    .size   \name, . - \name
.endm

/* \entry: where an unrolled loop of four, each of \bytes of code, begins for a number of inputs of which \negated is the
 * negative, doubled: the first round has what a multiple of four leaves. \t is overwritten. */
.macro ENTRY entry, loop, negated, bytes, t
    lsls    \entry, \negated, #29 /* of a multiple of four these are 0, else 2, 4, 6 for one, two, three to leave out */
    lsrs    \entry, \entry, #30
    movs    \t, #\bytes
    muls    \entry, \t, \entry
    adr     \t, \loop
    adds    \entry, \entry, \t
    adds    \entry, \entry, #1    /* Thumb */
.endm

#endif
#endif
