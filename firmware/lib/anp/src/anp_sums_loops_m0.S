/* Sums of squares on Cortex-M0 (shared/numerics.md, sections 5, 6 and 7). */
#if defined __ARM_ARCH_6M__ && !defined ANP_PORTABLE
#include "anp_macros_m0.h"

/* uint64_t anp_squares(const int16_t *values, uint32_t count), count > 0
 *
 * r2 end of the values, r3 place from there, r4 0. */
LEAF anp_squares
    push    {r4, r5, lr}
    lsls    r3, r1, #1
    adds    r2, r0, r3
    rsbs    r3, r3, #0
    movs    r0, #0
    movs    r1, #0
    movs    r4, #0
1:  ldrsh   r5, [r2, r3]
    muls    r5, r5, r5
    adds    r0, r0, r5
    adcs    r1, r1, r4
    adds    r3, r3, #2
    bne     1b
    pop     {r4, r5, pc}
END anp_squares

/* uint32_t anp_squared_errors(const int16_t *y, const int16_t *target, uint32_t outputs), outputs > 0
 *
 * The highest bit of the result is set when the sum reached 2^31 or an error 2^14; the rest then has no meaning.
 *
 * r2 end of y, r3 place from there, r4 all bits that were in the sum, r6 end of the targets, r7 the bits of the errors with 2^14,
 * r12 2^14. */
LEAF anp_squared_errors
    push    {r4-r7, lr}
    lsls    r3, r2, #1
    adds    r2, r0, r3
    adds    r6, r1, r3
    rsbs    r3, r3, #0
    movs    r4, #1
    lsls    r4, r4, #14
    mov     r12, r4
    movs    r0, #0
    movs    r4, #0
    movs    r7, #0
1:  ldrsh   r5, [r2, r3]
    ldrsh   r1, [r6, r3]
    subs    r5, r5, r1
    mov     r1, r5
    add     r1, r1, r12
    orrs    r7, r7, r1
    muls    r5, r5, r5
    adds    r0, r0, r5
    orrs    r4, r4, r0
    adds    r3, r3, #2
    bne     1b
    lsrs    r7, r7, #15
    lsrs    r4, r4, #31
    orrs    r4, r4, r7
    beq     2f
    mvns    r0, r3                /* r3 is 0 */
2:  pop     {r4-r7, pc}
END anp_squared_errors
#endif
