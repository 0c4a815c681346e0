/* Noise values on Cortex-M4 (shared/numerics.md, sections 2 and 3). */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

#define PLACE 21474837            /* 2^32 / 200, rounded up */

/* void anp_noise_draw(struct anp_network *net, const struct anp_noise *noise, uint32_t random, uint32_t count)
 *
 * The position in the ring is kept as a fraction of 2^32: a stride is one addition that wraps by itself, and the upper word of
 * 200 times the fraction is the position. The first one is that of the draw's upper byte, which lies at most 255/256 of a place
 * behind the position; PLACE is 0.52 too large, which makes less than 1/1000 of a place after all 200 strides. So the position
 * is always right.
 *
 * With u = v + l and l = 2^(15+shift), one more than the limit of |v|, nothing saturates if u has no bits from 2 l on, unless u is 0.
 * It is 0 for a code of (total - l) / 200, which is a whole number in few steps; l is a multiple of 8. With shift <= 0, v * 2^-shift *
 * gain = u * g - l * g, where g is gain * 2^-shift.
 *
 * r0 places of the values, r1 ring, r2 fraction, r3 values left, r4 2 l, r5 stride, r6 l - total, r7 g, r8 the half of the rounding
 * less l g, r9 200, r10 the bits that occur in the values. */

/* A value in the upper half of \n. */
.macro VALUE n
    umull   lr, \n, r2, r9
    add     r2, r2, r5
    ldrh    \n, [r1, \n, lsl #1]
    mla     \n, \n, r9, r6
    orr     r10, r10, \n
    mla     \n, \n, r7, r8
.endm

.macro PAIR
    VALUE   r11
    VALUE   r12
    pkhtb   r11, r12, r11, asr #16
    str     r11, [r0], #4
.endm

FUNCTION anp_noise_draw
    push    {r0-r11, lr}
    ldrsb   r12, [r1, #NOISE_SHIFT]
    mov     r9, #200
    rsbs    r12, r12, #0
    bmi     9f
    ubfx    r5, r2, #16, #8       /* k = 5 b >> 4 */
    add     r5, r5, r5, lsl #2
    lsr     r5, r5, #4
    ldr     lr, =.Lstrides
    ldr     r5, [lr, r5, lsl #2]
    and     r2, r2, #0xff000000
    mov     r4, #0x8000
    lsr     r6, r4, r12
    ldrh    r7, [r1, #NOISE_GAIN]
    lsl     r7, r7, r12
    mls     r8, r6, r7, r4
    lsl     r4, r6, #1
    ldr     r10, [r1, #NOISE_TOTAL]
    sub     r6, r6, r10
    tst     r6, #7
    beq     7f
8:  ldr     r0, [r0, #NET_VALUES]
    mov     r10, #0
    subs    r3, r3, #4
    blt     2f
1:  PAIR
    PAIR
    subs    r3, r3, #4
    bge     1b
2:  adds    r3, r3, #4
    beq     4f
    lsrs    r3, r3, #1
    beq     3f
    PAIR                          /* leaves the flags */
3:  bcc     4f
    VALUE   r11                   /* the last of an odd number */
    asr     r11, r11, #16
    strh    r11, [r0]
4:  cmp     r10, r4
    bhs     9f
    add     sp, sp, #16
    pop     {r4-r11, pc}
7:  rsb     lr, r6, #0
    udiv    r11, lr, r9
    mls     r11, r11, r9, lr
    cmp     r11, #0
    bne     8b
9:  pop     {r0-r11, lr}
    b       anp_noise_draw_checked
    .ltorg
END anp_noise_draw

/* The strides of section 2, by k. */
    .section .rodata.strides, "a", %progbits
    .balign 4
.Lstrides:
    .set    tens, 0
    .rept   20
    .word   PLACE * (tens + 1), PLACE * (tens + 3), PLACE * (tens + 7), PLACE * (tens + 9)
    .set    tens, tens + 10
    .endr
#endif
