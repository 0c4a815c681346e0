/* Noise values on Cortex-M4 (shared/numerics.md, sections 2 and 3). */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

#define PLACE 21474837            /* 2^32 / 200, rounded up */

/* void anp_noise_draw(const struct anp_noise *noise, uint32_t random, int16_t *n, uint16_t count, uint32_t *saturations)
 *
 * The position in the ring is kept as a fraction of 2^32: a stride is one addition that wraps by itself, and the upper word of
 * 200 times the fraction is the position. The first one is that of the draw's upper byte, which lies at most 255/256 of a place
 * behind the position; PLACE is 0.52 too large, which makes less than 1/1000 of a place after all 200 strides. So the position
 * is always right.
 *
 * With v * 2^-shift in int16 and shift <= 0, (v * 2^-shift) gain = v (gain * 2^-shift).
 *
 * r0 ring, r1 fraction, r2 n, r3 values left, r4 limit of |v|, r5 stride, r6 -total, r7 gain * 2^-shift, r8 a half, r9 200, r10
 * the bits that occur in the values. */
FUNCTION anp_noise_draw
    push    {r0-r11, lr}
    ldrsb   r12, [r0, #NOISE_SHIFT]
    mov     r9, #200
    rsbs    r12, r12, #0
    bmi     9f
    ubfx    r5, r1, #16, #8       /* k = 5 b >> 4 */
    add     r5, r5, r5, lsl #2
    lsr     r5, r5, #4
    ldr     lr, =.Lstrides
    ldr     r5, [lr, r5, lsl #2]
    and     r1, r1, #0xff000000
    ldr     r6, [r0, #NOISE_TOTAL]
    rsb     r6, r6, #0
    ldrh    r7, [r0, #NOISE_GAIN]
    lsl     r7, r7, r12
    movw    r4, #32767
    lsr     r4, r4, r12
    mov     r8, #0x8000
    mov     r10, #0
    subs    r3, r3, #2
    blt     2f
1:  umull   lr, r11, r1, r9
    add     r1, r1, r5
    umull   lr, r12, r1, r9
    add     r1, r1, r5
    ldrh    r11, [r0, r11, lsl #1]
    ldrh    r12, [r0, r12, lsl #1]
    mla     r11, r11, r9, r6      /* v = 200 code - total */
    mla     r12, r12, r9, r6
    eor     lr, r11, r11, asr #31
    orr     r10, r10, lr
    eor     lr, r12, r12, asr #31
    orr     r10, r10, lr
    mla     r11, r11, r7, r8
    mla     r12, r12, r7, r8
    pkhtb   r11, r12, r11, asr #16
    str     r11, [r2], #4
    subs    r3, r3, #2
    bge     1b
2:  adds    r3, r3, #1
    bne     3f
    umull   lr, r11, r1, r9       /* the last of an odd number */
    ldrh    r11, [r0, r11, lsl #1]
    mla     r11, r11, r9, r6
    eor     lr, r11, r11, asr #31
    orr     r10, r10, lr
    mla     r11, r11, r7, r8
    asr     r11, r11, #16
    strh    r11, [r2]
3:  cmp     r10, r4               /* with the limit's own bits a negative v may be one beyond it */
    bhs     9f
    add     sp, sp, #16
    pop     {r4-r11, pc}
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
