/* One training step of most networks on Cortex-M4 (shared/numerics.md, section 10): int16 weights, no decorrelation, the squared loss,
 * noise of its own for pass 2. The others are in anp_train_arm.c. */
#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M' && !defined ANP_PORTABLE
#include "anp_macros_arm.h"

/* uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
 *
 * Both losses and S are summed in 32 bits. Afterwards the flag Q shows whether one of them had more than 31, or an error more than 15;
 * C then sums again.
 *
 * r4 net, r5 x, r6 the generator's draw, r7 target, r8 twice the number of units, r9 last layer, r10 loss of pass 1, r0 that of pass
 * 2, r2 S. */
FUNCTION anp_train
    push    {r3-r11, lr}
    ldrd    r4, r5, [r0, #NET_LOSS]
    lsls    r4, r4, #16           /* loss and weight format */
    orrs    r4, r4, r5, lsl #8    /* antithetic, decorrelate, rule */
    bne     .Lunusual
    ldr     r6, [r0]
    eor     r6, r6, r6, lsl #13
    eor     r6, r6, r6, lsr #17
    eor     r6, r6, r6, lsl #5
    str     r6, [r0]
    mov     r4, r0
    mov     r5, r2
    mov     r7, r3
    ldrh    r8, [r0, #NET_UNITS]
    lsl     r8, r8, #1
    mov     r2, r6
    mov     r3, r8
    bl      anp_noise_draw
    mov     r0, r4
    mov     r1, r5
    bl      anp_pass_layers
    mov     r9, r0
    CLEAR_Q
    mov     r10, #0
    ldr     r1, [r9, #LAYER_DIFFERENCE]
    ldrh    r12, [r9, #LAYER_UNITS]
    add     r1, r1, r8            /* y of pass 2 */
    mov     r2, r7
1:  ldrsh   r3, [r2], #2
    ldrsh   r11, [r1, r8]
    ldrsh   lr, [r1], #2
    sub     r11, r11, r3
    sub     lr, lr, r3
    ssat    r3, #15, r11
    smlabb  r10, r11, r11, r10
    ssat    r3, #15, lr
    smlabb  r0, lr, lr, r0
    subs    r12, r12, #1
    bne     1b
    ldr     r1, [r4, #NET_VALUES]
    mov     r2, #0
    lsrs    r12, r8, #2
    itt     cs
    ldrshcs r3, [r1], #2
    smulbbcs r2, r3, r3
    beq     3f
2:  ldr     r3, [r1], #4
    smlad   r2, r3, r3, r2
    subs    r12, r12, #1
    bne     2b
3:  Q_TO_CARRY r3
    bcs     .Lsums_in_c
4:  subs    r1, r10, r0
    beq     .Lskipped
    cbz     r2, .Lskipped
    ldrb    r3, [r4, #NET_ETA_BITS]
    cbz     r3, .Lend
    mov     r0, r4
    bl      anp_global_factor
    mov     r3, r0
    ldrb    r2, [r4, #NET_ROUNDING]
    uxth    r6, r6
    movw    r7, #40503
    cbz     r2, .Lnearest
5:  push    {r6, r7, r9, r10}     /* dither word, increment, last layer */
    mov     r0, r4
    ldr     r1, [r4, #NET_LAYER]
    mov     r2, r5
    bl      anp_update_layers
    add     sp, sp, #16
.Lend:
    ldr     r0, [r4, #NET_STEPS]
    ldrd    r2, r3, [r4, #NET_LOSS_SUM]
    add     r0, r0, #1
    str     r0, [r4, #NET_STEPS]
    adds    r2, r2, r10
    adc     r3, r3, #0
    strd    r2, r3, [r4, #NET_LOSS_SUM]
    str     r10, [r4, #NET_LAST_LOSS]
    mov     r0, r10
    pop     {r3-r11, pc}
.Lskipped:
    ldr     r0, [r4, #NET_SKIPPED]
    add     r0, r0, #1
    str     r0, [r4, #NET_SKIPPED]
    b       .Lend
.Lnearest:
    mov     r6, #32768
    mov     r7, #0
    b       5b
.Lsums_in_c:
    sub     sp, sp, #16
    mov     r0, r4
    mov     r1, r9
    mov     r2, r7
    mov     r3, sp
    bl      anp_sums_checked
    pop     {r0, r2, r3, r10}
    b       4b
.Lunusual:
    pop     {r3-r11, lr}
    b       anp_train_unusual
END anp_train
#endif
