/* The weight update on Cortex-M0 (shared/numerics.md, section 7). */
#if defined __ARM_ARCH_6M__ && !defined ANP_PORTABLE
#include "anp_macros_m0.h"

/* int16_t *anp_update_rows(struct anp_update *update)
 *
 * From the unit `update->difference` on. Returns the end of the row of the first unit that has a weight of 2^14 or more behind its
 * update, or NULL; what was added to this row is right mod 2^16, as no step is larger than 2^14. Then `update` has the state of
 * before that row, but for the difference, which is the next one's.
 *
 * Dither words are in the upper halves: s bits of one, moved to where 2^s ends, are a single shift.
 *
 * r0 end of x, r1 end of the row, r2 place from there, r3 c, r4 dither, r7 the bits beyond 15 of the new weights with 2^14, r8
 * increment, r9 2^14, r10 where the loop is entered, r11 row's end to the next, r12 dither of before the row. */

/* What r3 times the input, in r5, adds to a weight. */
.macro STEP s
    lsrs    r6, r4, #(32 - \s)
    add     r4, r4, r8
    adds    r5, r5, r6
    asrs    r5, r5, #\s
    ldrsh   r6, [r1, r2]
    adds    r6, r6, r5
    strh    r6, [r1, r2]
    add     r6, r6, r9
    orrs    r7, r7, r6
.endm

.macro ROWS s
    ENTRY   r5, .Lloop\s, r2, 24, r6
    mov     r10, r5
.Lrow\s:
    ldr     r5, [sp, #UPDATE_DIFFERENCE]
    movs    r6, #0
    ldrsh   r3, [r5, r6]
    adds    r5, r5, #2
    str     r5, [sp, #UPDATE_DIFFERENCE]
    ldr     r5, [sp, #UPDATE_MANTISSA]
    muls    r3, r5, r3
    mov     r12, r4
    ldr     r5, [sp, #UPDATE_DITHER_SHIFT]
    movs    r7, r4
    lsrs    r7, r7, r5
    adds    r3, r3, r7
    ldr     r6, [sp, #UPDATE_K]
    asrs    r3, r3, r6
    add     r4, r4, r8
    ldr     r2, [sp, #UPDATE_INPUTS]
    movs    r7, #0
    bx      r10
    .balign 4
.Lloop\s:
    .rept   4
    ldrsh   r5, [r0, r2]
    muls    r5, r3, r5
    STEP    \s
    adds    r2, r2, #2
    .endr
    bne     .Lloop\s
    lsls    r5, r3, #12           /* the bias has the input 2^12 */
    STEP    \s
    lsrs    r7, r7, #15
    bne     .Lchecked
    add     r1, r1, r11
    ldr     r5, [sp, #UPDATE_DIFFERENCE]
    ldr     r6, [sp, #UPDATE_END]
    cmp     r5, r6
    bne     .Lrow\s
.endm

FUNCTION anp_update_rows
    sub     sp, sp, #(UPDATE_BYTES + 4)
    mov     r1, sp
    str     r0, [sp, #UPDATE_BYTES]
    ldmia   r0!, {r2-r6}
    stmia   r1!, {r2-r6}
    ldmia   r0!, {r2-r7}
    stmia   r1!, {r2-r7}
    mov     r8, r5
    movs    r5, #1
    lsls    r5, r5, #14
    mov     r9, r5
    ldr     r0, [sp, #UPDATE_X]
    ldr     r1, [sp, #UPDATE_WEIGHTS]
    ldr     r2, [sp, #UPDATE_INPUTS]
    movs    r5, #2
    subs    r5, r5, r2
    mov     r11, r5
    cmp     r7, #16
    bne     .Lfine
    ROWS    16
.Lend:
    movs    r1, #0
    mov     r12, r4
.Lchecked:
    ldr     r0, [sp, #UPDATE_BYTES]
    mov     r4, r12
    str     r4, [r0, #UPDATE_DITHER]
    ldr     r5, [sp, #UPDATE_DIFFERENCE]
    str     r5, [r0, #UPDATE_DIFFERENCE]
    mov     r0, r1
    add     sp, sp, #(UPDATE_BYTES + 4)
    RETURN
.Lfine:
    ROWS    24
    b       .Lend
END anp_update_rows
#endif
