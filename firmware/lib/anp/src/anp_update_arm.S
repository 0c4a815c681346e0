/* The weight update on Cortex-M4 (shared/numerics.md, section 7). */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

/* On the stack: */
#define SHIFTS 0                  /* 32 - k, k, 32 - s */
#define ROWS_END 12               /* of the differences */
#define LAYER 16
#define NET 20
#define NORMALISED 24
#define FACTOR 28
#define FRAME 32
#define SAVED 40
#define WORDS (FRAME + SAVED)     /* arguments: dither words, */
#define STOP (WORDS + 8)          /* increment, last layer */

/* uint32_t anp_update_layers(struct anp_network *net, const struct anp_layer *layer, const int16_t *x, uint32_t factor, uint32_t
 * words, uint32_t increment, const struct anp_layer *stop)
 *
 * With s = 16 or 24, c * 2^(32-s) fits 32 bits, and (c x_j) >> (s - 16) is the upper part of a product of 32 by 16 bits; the
 * dither word is added to that, and the upper 16 bits go to the weight. s = 8 is left to C.
 *
 * |c x_j| < 2^30, so what goes to a weight is within +-2^14, and nothing saturates if -2^14 <= w_j < 2^14. Only -2^14 to a
 * weight of -2^14 would: it takes c and x_j of +-32767 with unlike signs and a dither word of 0. c is that large only with k =
 * 15 and a word within 2 of 0 for itself, and from such a word the word 0 is over 30,000 uses away.
 *
 * r0 place in x, r1 c * 2^(32-s), r2 x, r3 factor, r6 row, r7 differences, r8 two dither words, the next one below; r9 and r10
 * what moves them one and two uses on, r11 end of the pairs of x. */

/* k and s from 5 - E in r4 and from 2^24 - 1 + ||x||^2 in r5:r0. Afterwards r6 is the end of the differences, Z: an even number of
 * inputs. */
.macro CHOOSE_BLOCK
    lsr     r0, r0, #9            /* at most 41 bits, of which the lowest do not matter; h is 17 less the zeros */
    orr     r0, r0, r5, lsl #23
    clz     r0, r0
    sub     r5, r4, r0            /* k for s = 24 */
    ldr     r7, [r1, #LAYER_DIFFERENCE]
    ldrh    r6, [r1, #LAYER_UNITS]
    add     r6, r7, r6, lsl #1
    mov     r0, #0
    mov     r12, r7
1:  ldrsh   lr, [r12], #2         /* D: a bit length sees only the highest bit of all differences */
    eor     r4, lr, lr, asr #31
    sub     r4, r4, lr, asr #31
    orr     r0, r0, r4
    cmp     r12, r6
    bne     1b
    clz     r0, r0
    rsb     r0, r0, #32
    mov     r12, #8
    cmp     r5, r0
    bge     2f
    mov     r12, #16
    add     r5, r5, #8
    cmp     r5, r0
    blt     .Llayer_in_c
2:  cmp     r5, #30
    bgt     .Llayer_in_c
    rsb     r4, r5, #32
    strd    r4, r5, [sp, #SHIFTS]
    strd    r12, r6, [sp, #SHIFTS + 8]
    lsls    r12, r10, #31
    uadd16  r10, r9, r9
.endm

/* c * 2^(32-s) of the next row. */
.macro COEFFICIENT
    ldmia   sp, {r4, r5, r12}
    ldrsh   lr, [r7], #2
    lsl     r1, r8, #16
    lsr     r1, r1, r4
    smlabb  r1, r3, lr, r1
    asr     r1, r1, r5
    lsl     r1, r1, r12
    uadd16  r8, r8, r9
.endm

/* What goes to two weights with the inputs \x, in the upper halves of r12 and lr. */
.macro STEP_PAIR x
    smulwb  r12, r1, \x
    smulwt  lr, r1, \x
    uxtah   r12, r12, r8
    uxtah   lr, lr, r8, ror #16
.endm

/* Two weights with the inputs r5. */
.macro UPDATE_PAIR
    ldr     r4, [r6]
    STEP_PAIR r5
    eor     r5, r4, r4, lsl #1
    tst     r5, #0x80008000
    bne     4f
    pkhtb   r12, lr, r12, asr #16
    uadd16  r4, r4, r12
3:  str     r4, [r6], #4
    uadd16  r8, r8, r10
.endm

/* The large ones of UPDATE_PAIR. */
.macro PAIR_CHECKED
4:  mov     r5, lr
    bl      .Lpair_checked
    b       3b
.endm

.macro UPDATE_PAIRS
    mov     r0, r2
2:  ldr     r5, [r0], #4
    UPDATE_PAIR
    cmp     r0, r11
    bne     2b
.endm

.macro END_ROW
    ldr     r4, [sp, #ROWS_END]
    cmp     r7, r4
    bne     1b
    b       .Lnext
.endm

FUNCTION anp_update_layers
    ldrb    r12, [r0, #NET_WEIGHT_FORMAT]
    cmp     r12, #0
    bne     anp_update_wide
    push    {r4-r12, lr}
    sub     sp, sp, #FRAME
    ldrb    r12, [r0, #NET_NORMALISED]
    strd    r0, r12, [sp, #NET]
    ldrd    r8, r9, [sp, #WORDS]
.Llayer:
    str     r1, [sp, #LAYER]
    ldrh    r10, [r1, #LAYER_INPUTS]
    ldr     r7, [sp, #NORMALISED]
    asr     r4, r3, #16
    mvn     r0, #0xff000000
    mov     r5, #0
    cmp     r10, #2
    bne     .Lmore
    ldr     r11, [r2]             /* two inputs stay in r11, and the end of the differences in r2 */
    cbz     r7, 2f
    smlald  r0, r5, r11, r11
2:  CHOOSE_BLOCK
    mov     r2, r6
    ldr     r6, [r1, #LAYER_ROWS]
1:  COEFFICIENT
    ldr     r4, [r6]
    ldrsh   r0, [r6, #4]
    STEP_PAIR r11
    uadd16  r8, r8, r10
    asr     r1, r1, #4            /* the bias has the input 2^12 */
    uxtah   r1, r1, r8
    eor     r5, r4, r4, lsl #1
    eor     r0, r0, r0, lsl #1
    orr     r5, r5, r0
    tst     r5, #0x80008000
    bne     4f
    pkhtb   r12, lr, r12, asr #16
    uadd16  r4, r4, r12
    str     r4, [r6], #4
    ldrh    r0, [r6]
    add     r0, r0, r1, asr #16
    strh    r0, [r6], #2
3:  uadd16  r8, r8, r9
    cmp     r7, r2
    bne     1b
.Lnext:
    ldr     r1, [sp, #LAYER]
    ldr     r4, [sp, #STOP]
    cmp     r1, r4
    beq     .Lend
    add     r1, r1, #LAYER_BYTES
    ldr     r2, [r1, #LAYER_INPUT]
    b       .Llayer
4:  mov     r5, lr
    bl      .Lpair_checked
    str     r4, [r6], #4
    ldrsh   r4, [r6]
    mov     r12, r1
    bl      .Lbias_checked
    strh    r4, [r6], #2
    b       3b
.Lmore:
    lsrs    r12, r10, #1
    beq     .Llayer_in_c
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
2:  CHOOSE_BLOCK
    ldr     r6, [r1, #LAYER_ROWS]
    bne     .Lodd
1:  COEFFICIENT
    UPDATE_PAIRS
    ldrsh   r4, [r6]              /* the bias */
    asr     r12, r1, #4
    uxtah   r12, r12, r8
    eor     r5, r4, r4, lsl #1
    tst     r5, #0x8000
    bne     5f
    add     r4, r4, r12, asr #16
6:  strh    r4, [r6], #2
    uadd16  r8, r8, r9
    END_ROW
5:  bl      .Lbias_checked
    b       6b
    PAIR_CHECKED
.Lodd:
1:  COEFFICIENT
    UPDATE_PAIRS
    b       7f
    PAIR_CHECKED
7:  ldrh    r5, [r0]              /* the last input, and 2^12 for the bias */
    orr     r5, r5, #0x10000000
    UPDATE_PAIR
    END_ROW
    PAIR_CHECKED
.Llayer_in_c:
    ldr     r0, [sp, #NET]
    str     r3, [sp, #FACTOR]
    push    {r8, r9}
    bl      anp_update_layer_words
    add     sp, sp, #8
    mov     r8, r0
    ldr     r3, [sp, #FACTOR]
    b       .Lnext
/* r4: a weight, or two, that may saturate; r12 and r5: what goes to them in the upper halves. */
.Lbias_checked:
    mov     r5, #0
.Lpair_checked:
    push    {r0-r4, lr}
    ldr     r0, [sp, #NET + 24]
    mov     r1, r4
    mov     r2, r12
    mov     r3, r5
    bl      anp_update_pair_checked
    mov     r4, r0
    pop     {r0-r3, r12, pc}
.Lend:
    mov     r0, r8
    add     sp, sp, #FRAME
    pop     {r4-r12, pc}
END anp_update_layers
#endif
