/* Both passes on Cortex-M4 (shared/numerics.md, sections 4 and 6). */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

/* On the stack: */
#define LAYER 0
#define LAST 4                    /* the network's last layer */
#define NET 8
#define ENTERED 12                /* where the loop over pairs is entered */
#define FRAME 20

/* const struct anp_layer *anp_pass_layers(struct anp_network *net, const int16_t *x)
 *
 * Sums begin with 2^26, and with the half of the rounding, so that z is 2^14 too large after the shift, and so are a1 and a2.
 * Then none of the values of a unit saturates if z, a1 and a2 have no bit beyond the lower 15. The bias, a multiple of what is
 * shifted out, is added behind the shift.
 *
 * r4 row, r5 value, r6 bytes from a unit's value to its next, r7 x of pass 2 (that of pass 1 is r6 bytes on, but in the first
 * layer the same), r8 end of the values, r9 end of the pairs of x, r10 the slope in a hidden layer, else 0; r0, r1 the sum of pass 1 and
 * r2, r3 that of pass 2, then z and a. */

/* Of layer r1. Afterwards r12 is half the number of inputs, Z: there are less than two; C: their number is odd. */
.macro BEGIN_LAYER
    str     r1, [sp, #LAYER]
    ldrh    r12, [r1, #LAYER_INPUTS]
    ldrh    r8, [r1, #LAYER_UNITS]
    ldr     r5, [r1, #LAYER_DIFFERENCE]
    ldr     r4, [r1, #LAYER_ROWS]
    add     r8, r5, r8, lsl #1
    lsrs    r12, r12, #1
    add     r9, r7, r12, lsl #2
.endm

/* Where a loop over eight pairs each, which begins at \loop, is entered for r12 of them; one pair is \words times 4 bytes of code. */
.macro ENTER loop, words
    rsb     r12, r12, #0
    and     r12, r12, #7
    .if     \words == 3
    add     r12, r12, r12, lsl #1
    .else
    add     r12, r12, r12, lsl #2
    .endif
    adr     lr, \loop + 1         /* Thumb */
    add     lr, lr, r12, lsl #2
    str     lr, [sp, #ENTERED]
.endm

/* The products of two inputs. */
.macro PAIR_SAME
    ldr     r12, [r4], #4
    ldr     lr, [r11], #4
    smlald  r0, r1, r12, lr
.endm

.macro PAIR_BOTH x, post
    ldr     r12, [r4], #4
    ldr.w   lr, [\x, r6]
    smlald  r0, r1, r12, lr
    ldr.w   lr, [\x]\post
    smlald  r2, r3, r12, lr
.endm

/* z of both passes in r0 when they have the same input. */
.macro SUM_SAME loop, parity
    ldrd    r0, r1, .Lstart_first
    mov     r11, r7
    ldr     pc, [sp, #ENTERED]
    .balign 4
\loop:
    .rept   8
    PAIR_SAME
    .endr
    cmp     r11, r9
    bne     \loop
    .ifc    \parity, odd
    ldrsh   r12, [r4], #2
    ldrsh   lr, [r11]
    smlalbb r0, r1, r12, lr
    .endif
    ldrsh   r12, [r4], #2         /* the bias */
    add     r1, r12, r1, lsl #20
    add     r0, r1, r0, lsr #12
.endm

/* Behind the pairs, with the last input at \last. */
.macro END_BOTH last, parity
    .ifc    \parity, odd
    ldrsh   r12, [r4], #2
    ldrsh   lr, [\last, r6]
    smlalbb r0, r1, r12, lr
    ldrsh   lr, [\last]
    smlalbb r2, r3, r12, lr
    .endif
    ldrsh   r12, [r4], #2
    add     r1, r12, r1, lsl #20
    add     r0, r1, r0, lsr #12
    add     r3, r12, r3, lsl #20
    add     r2, r3, r2, lsr #12
.endm

/* z of pass 1 in r0, of pass 2 in r2. */
.macro SUM_BOTH loop, parity
    ldrd    r0, r1, .Lstart
    mov     r2, r0
    mov     r3, r1
    mov     r11, r7
    ldr     pc, [sp, #ENTERED]
    .balign 4
\loop:
    .rept   8
    PAIR_BOTH r11, ", #4"
    .endr
    cmp     r11, r9
    bne     \loop
    END_BOTH r11, \parity
.endm

/* The same of one pair, and the last input, which is at r9. */
.macro SUM_FEW parity
    ldrd    r0, r1, .Lstart
    mov     r2, r0
    mov     r3, r1
    PAIR_BOTH r7
    END_BOTH r9, \parity
.endm

/* a - 2^14 in \a becomes a, and what the layer gives on. */
.macro ACTIVATE a, kind
    subs    \a, \a, #0x4000
    .ifnc   \kind, linear
    bpl     6f
    rsb     \a, \a, #0
    asr     \a, \a, r10
    rsb     \a, \a, #0
    .endif
6:
.endm

/* The rest of a unit, from z of pass 1 in r0 and of pass 2 in \z2 on. */
.macro FINISH_UNIT z2, kind, checked
    ldrsh   r1, [r5]
    ldrsh   r3, [r5, r6]
    add     r1, r1, r0
    add     r3, r3, \z2
    orr     r12, r1, r3
    .ifc    \z2, r2
    orr     r12, r12, r2
    .endif
    orr     r12, r12, r0
    lsrs    r12, r12, #15
    bne     \checked
    sub     r12, r1, r3
    ACTIVATE r1, \kind
    ACTIVATE r3, \kind
    strh    r1, [r5, r6, lsl #1]
    strh    r3, [r5, r6]
    strh    r12, [r5], #2
.endm

/* All units of the first layer, when it has more than two inputs. */
.macro FIRST_LAYER loop, parity
    ENTER   \loop, 3
1:  SUM_SAME \loop, \parity
    FINISH_UNIT r0, any, 4f
3:  cmp     r5, r8
    bne     1b
    cmp     r10, #0
    bne     .Lnext
    b       .Lend
4:  bl      .Lfirst_unit
    b       3b
.endm

/* All units of another layer; then on to \then. */
.macro OTHER_LAYER parity, kind, then
    cmp     r12, #1
    beq     .Lfew_\parity\()_\kind
    ENTER   .Lpairs_\parity\()_\kind, 5
1:  SUM_BOTH .Lpairs_\parity\()_\kind, \parity
    FINISH_UNIT r2, \kind, 4f
3:  cmp     r5, r8
    bne     1b
    b       \then
4:  bl      .Lunit
    b       3b
.Lfew_\parity\()_\kind:
1:  SUM_FEW \parity
    FINISH_UNIT r2, \kind, 4f
3:  cmp     r5, r8
    bne     1b
    b       \then
4:  bl      .Lunit
    b       3b
.endm

FUNCTION anp_pass_layers
    push    {r4-r11, lr}
    sub     sp, sp, #FRAME
    mov     r7, r1
    ldrh    r6, [r0, #NET_UNITS]
    ldrb    r11, [r0, #NET_LAYERS]
    ldr     r1, [r0, #NET_LAYER]
    lsl     r6, r6, #1
    subs    r11, r11, #1
    beq     .Lonly
    mov     r10, #LAYER_BYTES
    mla     r11, r11, r10, r1
    strd    r11, r0, [sp, #LAST]
    ldrb    r10, [r0, #NET_SLOPE]
    BEGIN_LAYER
    bcs     .Lodd_first
    cmp     r12, #1
    bne     .Leven_first
    /* Two inputs below 2^14 stay in a register, and 32 bits hold the sum. */
    ldr     lr, [r7]
    eor     r0, lr, lr, lsl #1
    tst     r0, #0x80008000
    bne     .Leven_first
    ldr     r9, .Lstart_first
1:  ldr     r12, [r4], #4
    smlad   r0, r12, lr, r9
    ldrsh   r12, [r4], #2
    add     r0, r12, r0, asr #12
    FINISH_UNIT r0, any, .Ltwo_checked
.Ltwo_next:
    cmp     r5, r8
    bne     1b
.Lnext:
    ldrd    r1, r11, [sp, #LAYER]
    ldr     r7, [r1, #LAYER_DIFFERENCE]
    add     r7, r7, r6
    add     r1, r1, #LAYER_BYTES
    cmp     r1, r11
    beq     .Llast
    BEGIN_LAYER
    beq     .Lone_input
    bcs     .Lodd_hidden
    OTHER_LAYER even, any, .Lnext
.Lodd_hidden:
    OTHER_LAYER odd, any, .Lnext
    .balign 4
.Lstart:
    .word   (1 << 26) + (1 << 11), 0
.Llast:
    mov     r10, #0
    BEGIN_LAYER
    beq     .Lone_input
    bcs     .Lodd_last
    OTHER_LAYER even, linear, .Lend
.Lodd_last:
    OTHER_LAYER odd, linear, .Lend
.Lend:
    ldr     r0, [sp, #LAYER]
    add     sp, sp, #FRAME
    pop     {r4-r11, pc}
.Ltwo_checked:
    bl      .Lfirst_unit
    ldr     lr, [r7]
    b       .Ltwo_next
    .balign 4
.Lstart_first:
    .word   (1 << 26) + (1 << 11), 0
.Lonly:                             /* one layer, which is the last one */
    strd    r1, r0, [sp, #LAST]
    mov     r10, #0
    BEGIN_LAYER
    bcs     .Lodd_first
.Leven_first:
    FIRST_LAYER .Lpairs_even, even
.Lodd_first:
    cmp     r12, #0
    beq     .Lfirst_one_input
    FIRST_LAYER .Lpairs_odd, odd
.Lone_input:                        /* the layer in C */
    add     r2, r7, r6
    b       1f
.Lfirst_one_input:
    mov     r2, r7
1:  mov     r3, r7
    ldr     r0, [sp, #NET]
    subs    r12, r10, #0
    it      ne
    movne   r12, #1
    push    {r11, r12}
    str     r12, [sp]
    bl      anp_passes_in_c
    add     sp, sp, #8
    cmp     r10, #0
    bne     .Lnext
    b       .Lend
.Lunit:                             /* one unit in C */
    add     r2, r7, r6
    b       1f
.Lfirst_unit:
    mov     r2, r7
1:  mov     r3, r7
    ldr     r1, [sp, #LAYER]
    ldr     r0, [sp, #NET]
    subs    r12, r10, #0
    it      ne
    movne   r12, #1
    push    {r4, lr}
    push    {r4, r5}
    str     r12, [sp]
    bl      anp_pass_unit_checked
    add     sp, sp, #8
    pop     {r4, lr}
    add     r5, r5, #2
    bx      lr
END anp_pass_layers
#endif
