/* The loop over noise values on Cortex-M0 (shared/numerics.md, sections 2 and 3). */
#if defined __ARM_ARCH_6M__ && !defined ANP_PORTABLE
#include "anp_macros_m0.h"

/* The next value. */
.macro VALUE offset
    ldrh    r5, [r0, r1]
    muls    r5, r3, r5
    add     r5, r5, r9
    orrs    r6, r6, r5
    muls    r5, r4, r5
    add     r5, r5, r10
    asrs    r5, r5, #16
    strh    r5, [r2, #\offset]
    add     r1, r1, r8
    cmp     r1, r11
    bcc     3f
    add     r1, r1, r12
3:
.endm

/* uint32_t anp_draw_values(const struct anp_values *values)
 *
 * r0 ring, r1 place, r2 value, r3 200, r4 gain, r5 u, r6 the bits that occur in it, r8 stride, r9 l - total, r10 the half less l g,
 * r11 the ring's end, r12 less a turn of the ring, lr the values' end. */
FUNCTION anp_draw_values
    ldmia   r0!, {r1-r7}          /* ring, place, values, end, stride, centre, gain */
    ldr     r0, [r0]
    mov     r10, r0
    mov     r0, r1
    mov     r1, r2
    mov     r2, r3
    mov     lr, r4
    mov     r8, r5
    mov     r9, r6
    mov     r4, r7
    movs    r3, #200
    lsls    r5, r3, #1
    mov     r11, r5
    rsbs    r5, r5, #0
    mov     r12, r5
    movs    r6, #0
    mov     r7, lr
    subs    r7, r7, r2
    lsrs    r7, r7, #2            /* C: an odd number of values */
    bcc     1f
    subs    r2, r2, #2
    b       2f
1:  VALUE   0
2:  VALUE   2
    adds    r2, r2, #4
    cmp     r2, lr
    bne     1b
    mov     r0, r6
    RETURN
END anp_draw_values
#endif
