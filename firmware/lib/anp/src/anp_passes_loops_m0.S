/* Passes through one layer on Cortex-M0 (shared/numerics.md, sections 4 and 6). */
#if defined __ARM_ARCH_6M__ && !defined ANP_PORTABLE
#include "anp_macros_m0.h"

/* int16_t *anp_pass_rows(struct anp_rows *rows)
 *
 * From the unit `rows->value` on; returns the value of the first unit that may saturate, which is untouched, or the end. Each
 * row's sums begin with the half of the rounding. The bias, a multiple of what is shifted out, is added behind the shift, with 2^14:
 * then none of a unit's values saturates if z, a1 and a2 have no bit beyond the lower 15.
 *
 * The inputs are in blocks. In a block no sum of products reaches 2^30, and a sum that is beyond 2^30 after one ends the unit.
 *
 * r0 end of the row, r1 and r2 ends of x of the passes, r3 place from there, r7 and r8 sums, r9 2^14, r10 where the loop is
 * entered, r11 value, r12 end of the block. */

/* A unit's sums. */
.macro BEGIN_ROW
    movs    r7, #1
    lsls    r7, r7, #11
    mov     r8, r7
    ldr     r3, [sp, #ROWS_FIRST_END]
    mov     r12, r3
    ldr     r3, [sp, #ROWS_INPUTS]
    bx      r10
.endm

/* Overflow, which is seen behind it: the sum in \sum is 2^30 or more. */
.macro CHECK sum, leave
    adds    r4, \sum, \sum
    bvs     \leave
.endm

.macro NEXT_BLOCK loop
    ldr     r4, [sp, #ROWS_BLOCK]
    add     r12, r12, r4
    b       \loop
.endm

/* The rest of a unit, from its sums in r7 and \sum2 on. */
.macro FINISH_UNIT sum2, next
    ldrsh   r4, [r0, r3]          /* the bias; r3 is 0 */
    add     r4, r4, r9
    asrs    r7, r7, #12
    adds    r7, r7, r4
    mov     r5, r11
    ldrsh   r6, [r5, r3]
    adds    r6, r6, r7            /* a1 */
    .ifc    \sum2, r8
    mov     r3, r8
    asrs    r3, r3, #12
    adds    r3, r3, r4            /* z of pass 2 */
    orrs    r7, r7, r3
    .else
    mov     r3, r7
    .endif
    orrs    r7, r7, r6
    ldr     r4, [sp, #ROWS_UNITS]
    ldrsh   r5, [r5, r4]
    adds    r5, r5, r3            /* a2 */
    orrs    r7, r7, r5
    lsrs    r7, r7, #15
    bne     .Lleave
    subs    r7, r6, r5
    mov     r3, r11
    strh    r7, [r3]
    mov     r7, r9
    subs    r5, r5, r7
    bpl     6f
    ldr     r7, [sp, #ROWS_SLOPE]
    rsbs    r5, r5, #0
    lsrs    r5, r5, r7
    rsbs    r5, r5, #0
    mov     r7, r9
6:  strh    r5, [r3, r4]
    subs    r6, r6, r7
    bpl     6f
    ldr     r7, [sp, #ROWS_SLOPE]
    rsbs    r6, r6, #0
    lsrs    r6, r6, r7
    rsbs    r6, r6, #0
6:  lsls    r4, r4, #1
    strh    r6, [r3, r4]
    adds    r3, r3, #2
    mov     r11, r3
    ldr     r4, [sp, #ROWS_VALUES_END]
    cmp     r3, r4
    beq     .Lleave
    ldr     r4, [sp, #ROWS_NEXT]
    adds    r0, r0, r4
    b       \next
.endm

.macro START name
    FUNCTION \name
    sub     sp, sp, #ROWS_BYTES
    mov     r1, sp
    ldmia   r0!, {r2-r7}
    stmia   r1!, {r2-r7}
    ldmia   r0!, {r2-r6}
    stmia   r1!, {r2-r6}
    ldr     r0, [sp, #ROWS_VALUE]
    mov     r11, r0
    movs    r0, #1
    lsls    r0, r0, #14
    mov     r9, r0
    ldr     r3, [sp, #ROWS_INPUTS]
    ldr     r0, [sp, #ROWS_WEIGHTS]
    ldr     r1, [sp, #ROWS_X1]
    ldr     r2, [sp, #ROWS_X2]
.endm

.macro LEAVE
    mov     r0, r11
    add     sp, sp, #ROWS_BYTES
    RETURN
.endm

/* A unit's sum of products with x of pass 1, and on behind it. */
.macro SAME_LOOP loop, leave
    .balign 4
\loop:
    .rept   4
    ldrsh   r4, [r0, r3]
    ldrsh   r5, [r1, r3]
    muls    r5, r4, r5
    adds    r7, r7, r5
    adds    r3, r3, #2
    .endr
    cmp     r3, r12
    bne     \loop
    cmp     r3, #0
    beq     1f
    CHECK   r7, \leave
    NEXT_BLOCK \loop
1:
.endm

START anp_pass_rows
    cmp     r1, r2
    bne     .Lboth
    ENTRY   r5, .Lsame_loop, r3, 10, r6
    mov     r10, r5
.Lsame:
    BEGIN_ROW
    SAME_LOOP .Lsame_loop, .Lleave
    FINISH_UNIT r7, .Lsame
.Lleave:
    LEAVE
.Lboth:
    ENTRY   r5, .Lboth_loop, r3, 16, r6
    mov     r10, r5
.Lboth_rows:
    BEGIN_ROW
    .balign 4
.Lboth_loop:
    .rept   4
    ldrsh   r4, [r0, r3]
    ldrsh   r5, [r1, r3]
    ldrsh   r6, [r2, r3]
    muls    r5, r4, r5
    muls    r6, r4, r6
    adds    r7, r7, r5
    add     r8, r8, r6
    adds    r3, r3, #2
    .endr
    cmp     r3, r12
    bne     .Lboth_loop
    cmp     r3, #0
    beq     1f
    CHECK   r7, .Lleave
    mov     r4, r8
    CHECK   r4, .Lleave
    NEXT_BLOCK .Lboth_loop
1:  FINISH_UNIT r8, .Lboth_rows
END anp_pass_rows

/* int16_t *anp_product_rows(struct anp_rows *rows)
 *
 * The same for z of pass 1 alone: it is the value. */
START anp_product_rows
    ENTRY   r5, .Lproduct_loop, r3, 10, r6
    mov     r10, r5
.Lproduct:
    BEGIN_ROW
    SAME_LOOP .Lproduct_loop, .Lproducts_leave
    ldrsh   r4, [r0, r3]
    add     r4, r4, r9
    asrs    r7, r7, #12
    adds    r7, r7, r4
    lsrs    r4, r7, #15
    bne     .Lproducts_leave
    mov     r4, r9
    subs    r7, r7, r4
    mov     r3, r11
    strh    r7, [r3]
    adds    r3, r3, #2
    mov     r11, r3
    ldr     r4, [sp, #ROWS_VALUES_END]
    cmp     r3, r4
    beq     .Lproducts_leave
    ldr     r4, [sp, #ROWS_NEXT]
    adds    r0, r0, r4
    b       .Lproduct
.Lproducts_leave:
    LEAVE
END anp_product_rows
#endif
