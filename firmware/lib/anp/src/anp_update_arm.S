/* The weight update on Cortex-M4 (shared/numerics.md, section 7). */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

/* uint32_t anp_update_layers(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t
 * word, uint32_t increment, const struct anp_layer *stop)
 *
 * With s = 16 or 24, c * 2^(32-s) fits 32 bits, and (c x_j) >> (s - 16) is the upper part of a product of 32 by 16 bits; the
 * dither word is added to that, and the upper 16 bits go to the weight. s = 8 is left to C.
 *
 * |c x_j| < 2^30, so what goes to a weight is within +-2^14, and nothing saturates if -2^14 <= w_j < 2^14. Only -2^14 to a
 * weight of -2^14 would: it takes c and x_j of +-32767 with unlike signs and a dither word of 0. c is that large only with k =
 * 15 and a word within 2 of 0 for itself, and from such a word the word 0 is over 30,000 uses away.
 *
 * Weights are added to mod 2^16. Saturating each to 15 bits, for nothing but the flag Q that this leaves, shows behind the row
 * whether one was larger; C then looks at the row again. With up to four inputs it is the layer instead of the row.
 *
 * r0 place in x, r1 c * 2^(32-s), r2 x, r3 factor, r6 row, r7 differences, r8 dither word, r9 what it is increased by, r10 where the
 * loop over pairs is entered, r11 end of the pairs of x. */

/* k and s from the zeros r0 before the highest bit of 2^24 - 1 + ||x||^2, as a number of 41 bits. Afterwards r0 is 32 - s, \k32
 * 32 - k, r7 the differences, \end their end.
 *
 * No difference has more bits than half of S has. So if k is at least that, s is found, unless the one before would do too; that the
 * first difference has more bits than its k rules that out, most often. All are looked at only where this does not decide. */
.macro CHOOSE_BLOCK k32, k, end
    rsb     \k, r0, r3, asr #FACTOR_EXPONENT /* k for s = 24 */
    ubfx    r12, r3, #FACTOR_BITS, #8
    ldr     r7, [r1, #LAYER_DIFFERENCE]
    ldrh    \end, [r1, #LAYER_UNITS]
    ldrsh   r4, [r7]
    add     \end, r7, \end, lsl #1
    eor     r4, r4, r4, asr #31
    lsrs    r4, r4, \k            /* 0 where k is negative */
    beq     2f
1:  mov     r0, #16
    add     \k, \k, #8
    cmp     \k, r12
    bge     5f
    sub     \k, \k, #8
    b       3f
2:  cmp     \k, #0
    blt     1b
    mov     r0, #8
    cmp     \k, r12
    bge     4f
3:  mov     r4, #0
    mov     r12, r7
1:  ldrsh   lr, [r12], #2
    eor     r0, lr, lr, asr #31
    sub     r0, r0, lr, asr #31
    orr     r4, r4, r0            /* a bit length sees only the highest bit of all */
    cmp     r12, \end
    bne     1b
    clz     r4, r4
    rsb     r4, r4, #32
    mov     r0, #8
    cmp     \k, r4
    bge     4f
    mov     r0, #16
    add     \k, \k, #8
    cmp     \k, r4
    blt     .Llayer_in_c
4:  cmp     \k, #30
    bgt     .Llayer_in_c
5:  rsb     \k32, \k, #32
.endm

/* What CHOOSE_BLOCK wants, from 2^24 - 1 + ||x||^2 in r5:r0, of which the lowest bits do not matter. */
.macro COUNT_ZEROS
    lsr     r0, r0, #9
    orr     r0, r0, r5, lsl #23
    clz     r0, r0
.endm

/* c * 2^(32-s) of the next row. */
.macro COEFFICIENT s32, k32, k
    ldrsh   lr, [r7], #2
    lsl     r1, r8, #16
    lsr     r1, r1, \k32
    smlabb  r1, r3, lr, r1
    asr     r1, r1, \k
    lsl     r1, r1, \s32
    uadd16  r8, r8, r9
.endm

/* Two weights with the inputs \x. All instructions have 4 bytes. */
.macro UPDATE_PAIR x
    ldr.w   r4, [r6]
    smlawb  r12, r1, \x, r8
    uadd16  r8, r8, r9
    smlawt  lr, r1, \x, r8
    uadd16  r8, r8, r9
    pkhtb   r12, lr, r12, asr #16
    ssat16  lr, #15, r4
    uadd16  r4, r4, r12
    str     r4, [r6], #4
.endm

/* The bias, which has the input 2^12. */
.macro UPDATE_BIAS
    ldrsh   r4, [r6]
    add     r1, r8, r1, asr #4
    ssat    lr, #15, r4
    add     r4, r4, r1, asr #16
    strh    r4, [r6], #2
    uadd16  r8, r8, r9
.endm

/* Where a loop over eight pairs each, which begins at \loop, is entered for r12 of them. */
.macro ENTRY loop
    rsb     r12, r12, #0
    and     r12, r12, #7
    add     r12, r12, r12, lsl #2
    adr     r10, \loop + 1        /* Thumb */
    add     r10, r10, r12, lsl #3
.endm

.macro UPDATE_ROWS loop, parity
    ENTRY   \loop
1:  ldmia   sp, {r4, r5, r12}
    COEFFICIENT r5, r12, r4
    mov     r0, r2
    bx      r10
    .balign 4
\loop:
    .rept   8
    ldr     r5, [r0], #4
    UPDATE_PAIR r5
    .endr
    cmp     r0, r11
    bne     \loop
    .ifc    \parity, odd
    ldrh    r5, [r0]              /* the last input, and 2^12 for the bias */
    orr     r5, r5, #0x10000000
    UPDATE_PAIR r5
    .else
    UPDATE_BIAS
    .endif
    Q_TO_CARRY r4
    bcs     4f
3:  ldr     r4, [sp, #UPDATE_END]
    cmp     r7, r4
    bne     1b
    b       .Lnext
4:  bl      .Lrows_again
    b       3b
.endm

/* The rows of a layer whose inputs stay in registers: \first and \second, a pair each; with two inputs \first alone. */
.macro UPDATE_SHORT_ROWS first, second, bias
    .ifnb   \second
    str     r6, [sp, #UPDATE_K]
    .endif
    ldr     r6, [r1, #LAYER_ROWS]
1:  .ifnb   \second
    ldr     r4, [sp, #UPDATE_K]
    COEFFICIENT r0, r2, r4
    UPDATE_PAIR \first
    UPDATE_PAIR \second
    .else
    COEFFICIENT r0, r2, r10
    UPDATE_PAIR \first
    .endif
    .ifnb   \bias
    UPDATE_BIAS
    .endif
    cmp     r7, r5
    bne     1b
    Q_TO_CARRY r4
    bcc     .Lnext
    strd    r0, r2, [sp, #UPDATE_S]
    bl      .Lrows_again
    b       .Lnext
.endm

FUNCTION anp_update_layers
    push    {r4-r12, lr}
    sub     sp, sp, #UPDATE_SAVED
    ldrb    r12, [r0, #NET_NORMALISED]
    strd    r0, r12, [sp, #UPDATE_NET]
    ldrd    r8, r9, [sp, #UPDATE_WORD]
    CLEAR_Q
    b       .Llayer
.Lnext:
    ldr     r1, [sp, #UPDATE_LAYER]
    ldr     r4, [sp, #UPDATE_STOP]
    cmp     r1, r4
    beq     .Lend
    add     r1, r1, #LAYER_BYTES
    ldr     r2, [r1, #LAYER_INPUT]
.Llayer:
    strd    r1, r2, [sp, #UPDATE_LAYER]
    ldrh    r10, [r1, #LAYER_INPUTS]
    ldr     r7, [sp, #UPDATE_NORMALISED]
    mvn     r0, #0xff000000
    cmp     r10, #2
    bne     .Lmore
    ldr     r11, [r2]
    cbz     r7, 2f
    smlad   r0, r11, r11, r0      /* may set Q, which does no harm */
2:  clz     r0, r0
    add     r0, r0, #9
    CHOOSE_BLOCK r2, r10, r5
    UPDATE_SHORT_ROWS r11, , bias
.Lmore:
    mov     r5, #0
    cmp     r10, #4
    bhi     .Lmany
    beq     .Lfour
    cmp     r10, #1
    beq     .Llayer_in_c
    ldr     r11, [r2]
    ldrsh   r10, [r2, #4]
    cbz     r7, 2f
    smlald  r0, r5, r11, r11
    smlalbb r0, r5, r10, r10
2:  COUNT_ZEROS
    CHOOSE_BLOCK r2, r6, r5
    movt    r10, #0x1000          /* 2^12 for the bias */
    UPDATE_SHORT_ROWS r11, r10
.Lfour:
    ldr     r11, [r2]
    ldr     r10, [r2, #4]
    cbz     r7, 2f
    smlald  r0, r5, r11, r11
    smlald  r0, r5, r10, r10
2:  COUNT_ZEROS
    CHOOSE_BLOCK r2, r6, r5
    UPDATE_SHORT_ROWS r11, r10, bias
.Lmany:
    lsr     r12, r10, #1
    add     r11, r2, r12, lsl #2
    cbz     r7, 2f
    mov     r12, r2
1:  ldr     lr, [r12], #4
    smlald  r0, r5, lr, lr
    cmp     r12, r11
    bne     1b
    tst     r10, #1
    beq     2f
    ldrsh   lr, [r12]
    smlalbb r0, r5, lr, lr
2:  COUNT_ZEROS
    CHOOSE_BLOCK r4, r5, r6
    strd    r5, r0, [sp, #UPDATE_K]
    strd    r4, r6, [sp, #UPDATE_K32]
    ldr     r6, [r1, #LAYER_ROWS]
    lsrs    r12, r10, #1
    bcs     .Lodd
    UPDATE_ROWS .Leven_pairs, even
.Lodd:
    UPDATE_ROWS .Lodd_pairs, odd
.Llayer_in_c:
    ldr     r0, [sp, #UPDATE_NET]
    push    {r2, r3}
    push    {r8, r9}
    bl      anp_update_layer_words
    add     sp, sp, #8
    pop     {r2, r3}
    mov     r8, r0
    CLEAR_Q
    b       .Lnext
.Lrows_again:                     /* behind rows with a large weight */
    push    {r2, r3, r4, lr}
    add     r0, sp, #16
    mov     r1, r7
    mov     r2, r8
    bl      anp_update_rows_again
    CLEAR_Q
    pop     {r2, r3, r4, pc}
.Lend:
    mov     r0, r8
    add     sp, sp, #UPDATE_SAVED
    pop     {r4-r12, pc}
END anp_update_layers
#endif
