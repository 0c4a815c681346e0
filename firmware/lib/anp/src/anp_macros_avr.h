/* What the assembly files share.
 *
 * Between themselves the parts of a step use every register as they like: pushing and popping r2..r17 would take 72 cycles per call.
 * Y is a frame on the stack from the beginning of a step to its end; a part that needs Y restores it from the stack pointer.
 * r1 is 0 only where C is called. */
#ifndef ANP_MACROS_AVR_H
#define ANP_MACROS_AVR_H

#include "anp_kernels_avr.h"

#define FRAME_NET       1      /* first, where anp_saturate_avr.S finds it */
#define FRAME_LAYER     3
#define FRAME_LEFT      5      /* layers */
#define FRAME_SAMPLE    6
#define FRAME_TARGET    8
#define FRAME_FLAGS     10
#define FRAME_MANTISSA  11
#define FRAME_EXPONENT  13
#define FRAME_OUTPUT    14     /* y of pass 2 */
#define FRAME_SAVED     11     /* 11 bytes of a part of a step */
#define FRAME_SIZE      21

/* Layers of 128 inputs and more have loops of their own, unless there cannot be such. */
#if !defined ANP_MAX_WIDTH || ANP_MAX_WIDTH > 127
#define ANP_MANY_INPUTS
#endif

#define FLAG_WIDE       0      /* int32 */
#define FLAG_NORMALISED 1
#define FLAG_SLOPE      2      /* 4 bits, unless the rule is the only one */
#define FLAG_CLEAN      6      /* there is one pass, without noise */

#define sign r2                /* sign of a product, then 0 where a part says so */
#define zero r2
#define x_lo r16
#define x_hi r17
#define w_lo r18
#define w_hi r19

#define SREG_IO 0x3f
#define SPH_IO 0x3e
#define SPL_IO 0x3d

#ifdef __AVR_HAVE_JMP_CALL__
#define XCALL call
#define XJMP jmp
#else
#define XCALL rcall
#define XJMP rjmp
#endif

#ifdef __AVR_3_BYTE_PC__
#define RETURN_BYTES 3
#else
#define RETURN_BYTES 2
#endif

/* s4:s3:s2:s1:s0 += x * w, 25 cycles. Uses r5:r4 and the sign. */
.macro MULTIPLY_ADD s0, s1, s2, s3, s4
    mul     w_lo, x_lo
    movw    r4, r0
    muls    w_hi, x_hi
    sbc     sign, sign
    add     \s0, r4
    adc     \s1, r5
    adc     \s2, r0
    adc     \s3, r1
    adc     \s4, sign
    mulsu   w_hi, x_lo
    sbc     sign, sign
    add     \s1, r0
    adc     \s2, r1
    adc     \s3, sign
    adc     \s4, sign
    mulsu   x_hi, w_lo
    sbc     sign, sign
    add     \s1, r0
    adc     \s2, r1
    adc     \s3, sign
    adc     \s4, sign
.endm

/* r10:r9:r8:r7:r6 += x^2, 17 cycles. Uses r5:r4 and the sign; r3 is 0. */
.macro SQUARE_ADD
    mul     x_lo, x_lo
    movw    r4, r0
    muls    x_hi, x_hi
    add     r6, r4
    adc     r7, r5
    adc     r8, r0
    adc     r9, r1
    adc     r10, r3
    fmulsu  x_hi, x_lo
    sbc     sign, sign
    add     r7, r0
    adc     r8, r1
    adc     r9, sign
    adc     r10, sign
.endm

/* r7:r6:r5:r4 = a * b, 18 cycles. r2 is 0. */
.macro SIGNED_PRODUCT a_lo, a_hi, b_lo, b_hi
    mul     \a_lo, \b_lo
    movw    r4, r0
    muls    \a_hi, \b_hi
    movw    r6, r0
    mulsu   \a_hi, \b_lo
    sbc     r7, zero
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
    mulsu   \b_hi, \a_lo
    sbc     r7, zero
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
.endm

/* Y = SP + bytes */
.macro FRAME_AT bytes
    in      r28, SPL_IO
    in      r29, SPH_IO
    .if \bytes
    adiw    r28, \bytes
    .endif
.endm

/* SP = Y */
.macro SET_STACK
    in      r0, SREG_IO
    cli
    out     SPH_IO, r29
    out     SREG_IO, r0
    out     SPL_IO, r28
.endm

.macro LOAD_NET register_lo, register_hi
    ldd     \register_lo, Y+FRAME_NET
    ldd     \register_hi, Y+FRAME_NET+1
.endm

/* Z = network + NET_STEPS, from where its counters are in reach */
.macro LOAD_COUNTERS
    LOAD_NET r30, r31
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
.endm
#define STEPS     0
#define SKIPPED   NET_SKIPPED - NET_STEPS
#define LAST_LOSS NET_LAST_LOSS - NET_STEPS
#define LOSS_SUM  NET_LOSS_SUM - NET_STEPS
#define NOISY     NET_NOISY - NET_STEPS
#define DELTA_EXPONENT NET_DELTA_EXPONENT - NET_STEPS
#define DELTA_MANTISSA NET_DELTA_MANTISSA - NET_STEPS

/* hi:lo += values of all units, in bytes; r22 is what LOAD_UNITS left. */
.macro ADD_UNITS lo, hi
    add     \lo, r22
    adc     \hi, zero
#ifdef ANP_MANY_INPUTS
    add     \lo, r22
    adc     \hi, zero
#endif
.endm

/* r22, of the network at Z: units, or twice that where they are at most 127 (anp_check()). */
.macro LOAD_UNITS
    ldd     r22, Z+NET_UNITS
#ifndef ANP_MANY_INPUTS
    lsl     r22
#endif
.endm

.macro FUNCTION name
    .section .text.\name, "ax", @progbits
    .global \name
    .type   \name, @function
\name:
.endm

#endif
