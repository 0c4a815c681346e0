/* One training step, as anp_train.c has it in C. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

.macro ADD_CARRY from, bytes
    .set    at, \from
    .rept   \bytes
    ldd     r18, Z+at
    adc     r18, zero
    std     Z+at, r18
    .set    at, at + 1
    .endr
.endm

.macro LOAD_TARGET
    ldd     r30, Y+FRAME_TARGET
    ldd     r31, Y+FRAME_TARGET+1
.endm

    .section .text.anp_train, "ax", @progbits

/* r25:r24:r23:r22 = the loss of the outputs at X. */
loss:
#ifndef ANP_ONE_RULE
    LOAD_NET r30, r31
    ldd     r16, Z+NET_LOSS
#endif
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    ldd     r20, Z+LAYER_UNITS
    LOAD_TARGET
#ifndef ANP_ONE_RULE
    tst     r16
    brne    1f
    XJMP    anp_loss_squared
1:
#endif
    movw    r22, r26
    movw    r20, r30
    LOAD_NET r24, r25
    movw    r18, r24
    subi    r18, lo8(-NET_SATURATIONS)
    sbci    r19, hi8(-NET_SATURATIONS)
    clr     r1
    XJMP    anp_loss_of

/* uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target) */
FUNCTION anp_train
    .irp    register, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29
    push    r\register
    .endr
    FRAME_AT 0
    sbiw    r28, FRAME_SIZE
    SET_STACK
    std     Y+FRAME_NET, r24
    std     Y+FRAME_NET+1, r25
    std     Y+FRAME_SAMPLE, r20
    std     Y+FRAME_SAMPLE+1, r21
    std     Y+FRAME_TARGET, r18
    std     Y+FRAME_TARGET+1, r19
    movw    r16, r22
    XCALL   anp_random         /* the state is the network's first field */

    /* r22 position, r23 stride: 10 (k >> 2) + {1, 3, 7, 9}[k & 3] is 2 k + (k >> 1) + (k >> 1 & 1) + 1 */
    ldi     r18, 200
    mul     r25, r18
    mov     r22, r1
    ldi     r18, 80
    mul     r24, r18
    mov     r23, r1
    mov     r18, r1
    lsr     r18
    lsl     r23
    add     r23, r18
    andi    r18, 1
    add     r23, r18
    inc     r23

    LOAD_NET r30, r31
    ldd     r18, Z+NET_WEIGHT_FORMAT
    ldd     r19, Z+NET_NORMALISED
    lsl     r19
    or      r18, r19
#ifndef ANP_ONE_RULE
    ldd     r19, Z+NET_SLOPE
    .rept   FLAG_SLOPE
    lsl     r19
    .endr
    or      r18, r19
#endif
    std     Y+FRAME_FLAGS, r18
#ifndef ANP_ONE_RULE
    ldd     r18, Z+NET_RULE
    tst     r18
    breq    1f
    rjmp    pass_by_rule
1:
#endif
    ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
    ldd     r20, Z+NET_UNITS
    ldd     r18, Z+NET_ANTITHETIC
    sbrs    r18, 0
    lsl     r20
    movw    r30, r16
    XCALL   anp_noise_draw
    LOAD_NET r30, r31
    ldd     r18, Z+NET_ANTITHETIC
    sbrc    r18, 0
    rcall   negate_noise
passes:
    XCALL   anp_passes

passed:
    /* r27:r26 y of pass 1, and r19:r18 y of pass 2, from r21:r20, behind the first of three values, and r22 as ADD_UNITS takes it */
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    clr     zero
    movw    r26, r20
    ADD_UNITS r26, r27
    ldd     r20, Z+LAYER_UNITS
    sub     r26, r20
    sbc     r27, zero
    sub     r26, r20
    sbc     r27, zero
    movw    r18, r26
    ADD_UNITS r26, r27
    LOAD_NET r30, r31
#ifndef ANP_ONE_RULE
    ldd     r16, Z+NET_RULE
    cpse    r16, zero
    rjmp    loss_by_rule
#endif
    ldd     r16, Z+NET_LOSS
    tst     r16
    breq    1f
    rjmp    other_losses
1:  mov     r21, r20
    LOAD_TARGET
    XCALL   anp_loss_squared
    movw    r12, r22
    movw    r14, r24
    movw    r26, r18
    mov     r20, r21
    LOAD_TARGET
    XCALL   anp_loss_squared
    LOAD_COUNTERS
    std     Z+LAST_LOSS, r12
    std     Z+LAST_LOSS+1, r13
    std     Z+LAST_LOSS+2, r14
    std     Z+LAST_LOSS+3, r15
have_losses:
    /* r15:r14:r13:r12 = dL */
    sub     r12, r22
    sbc     r13, r23
    sbc     r14, r24
    sbc     r15, r25
    LOAD_NET r30, r31
    ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
#ifndef ANP_ONE_RULE
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldd     r20, Z+NOISY
    tst     r20
    brne    1f
    LOAD_NET r30, r31
    rjmp    unchanged
1:
#else
    ldd     r20, Z+NET_UNITS
#endif
    XCALL   anp_sum_of_squares

    LOAD_NET r30, r31
    movw    r16, r22
    or      r16, r17
    or      r16, r24
    or      r16, r25
    breq    1f
    mov     r16, r12
    or      r16, r13
    or      r16, r14
    or      r16, r15
    brne    2f
1:  rjmp    skip
2:
    ldd     r26, Z+NET_ETA
    ldd     r27, Z+NET_ETA+1
    ldd     r16, Z+NET_ETA+2
    tst     r16
    brne    1f
    rjmp    unchanged
1:  movw    r18, r12
    movw    r20, r14
    XCALL   anp_global_factor
    std     Y+FRAME_MANTISSA, r18
    std     Y+FRAME_MANTISSA+1, r19
    std     Y+FRAME_EXPONENT, r16
    LOAD_NET r30, r31
    rcall   begin_update
update_layers:
    XCALL   anp_update_layer
updated:
    LOAD_NET r30, r31
    ldd     r16, Z+NET_DECORRELATE
    tst     r16
    breq    count_step
    rjmp    update_matrices
count_step:
    LOAD_COUNTERS
    ldd     r22, Z+LAST_LOSS
    ldd     r23, Z+LAST_LOSS+1
    ldd     r24, Z+LAST_LOSS+2
    ldd     r25, Z+LAST_LOSS+3
    clr     zero
    sec
    ldd     r18, Z+STEPS
    adc     r18, zero
    std     Z+STEPS, r18
    brcs    carry_steps
add_loss:
    ldd     r18, Z+LOSS_SUM
    ldd     r19, Z+LOSS_SUM+1
    ldd     r20, Z+LOSS_SUM+2
    ldd     r21, Z+LOSS_SUM+3
    add     r18, r22
    adc     r19, r23
    adc     r20, r24
    adc     r21, r25
    std     Z+LOSS_SUM, r18
    std     Z+LOSS_SUM+1, r19
    std     Z+LOSS_SUM+2, r20
    std     Z+LOSS_SUM+3, r21
    brcs    carry_loss
1:  adiw    r28, FRAME_SIZE
    SET_STACK
    clr     r1
    .irp    register, 29, 28, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2
    pop     r\register
    .endr
    ret

carry_steps:
    ADD_CARRY STEPS+1, 3
    rjmp    add_loss
carry_loss:
    ADD_CARRY LOSS_SUM+4, 4
    rjmp    1b

other_losses:
    std     Y+FRAME_OUTPUT, r18
    std     Y+FRAME_OUTPUT+1, r19
    rcall   loss
have_loss:
    LOAD_COUNTERS
    std     Z+LAST_LOSS, r22
    std     Z+LAST_LOSS+1, r23
    std     Z+LAST_LOSS+2, r24
    std     Z+LAST_LOSS+3, r25
#if !defined ANP_ONE_RULE && !defined ANP_NO_FEEDBACK
    LOAD_NET r30, r31
    ldd     r18, Z+NET_RULE
    sbrc    r18, 1
    rjmp    feed_back
#endif
    ldd     r26, Y+FRAME_OUTPUT
    ldd     r27, Y+FRAME_OUTPUT+1
    rcall   loss
    LOAD_COUNTERS
    ldd     r12, Z+LAST_LOSS
    ldd     r13, Z+LAST_LOSS+1
    ldd     r14, Z+LAST_LOSS+2
    ldd     r15, Z+LAST_LOSS+3
    rjmp    have_losses

skip:
    LOAD_COUNTERS
    sec
    clr     zero
    ADD_CARRY SKIPPED, 4
    LOAD_NET r30, r31
unchanged:
#ifdef ANP_ONE_RULE
    rcall   begin_update
    rjmp    updated
#else
    ldd     r8, Z+NET_RULE
    rcall   begin_update
    tst     r8
    breq    1f
    /* the last layer has a factor of its own */
    ldd     r16, Y+FRAME_LEFT
    ldi     r17, 1
    std     Y+FRAME_LEFT, r17
    dec     r16
    ldi     r17, LAYER_SIZE
    mul     r16, r17
    add     r30, r0
    adc     r31, r1
    rcall   anp_take_delta
    breq    1f
    rjmp    update_layers
1:  rjmp    updated

/* Except with ANP, the factor of the delta rule. Z: it is 0. Keeps r8, r15:r14, r25:r24, r31:r30. */
    .global anp_take_delta
    .type   anp_take_delta, @function
anp_take_delta:
    movw    r18, r30
    LOAD_NET r30, r31
    ldd     r16, Z+NET_RULE
    tst     r16
    breq    1f
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldd     r16, Z+DELTA_EXPONENT
    std     Y+FRAME_EXPONENT, r16
    ldd     r16, Z+DELTA_MANTISSA
    std     Y+FRAME_MANTISSA, r16
    ldd     r17, Z+DELTA_MANTISSA+1
    std     Y+FRAME_MANTISSA+1, r17
    or      r16, r17
1:  movw    r30, r18
    ret

/* r31:r30 is the network, r18 the rule. */
pass_by_rule:
#ifndef ANP_NO_FEEDBACK
    sbrs    r18, 1
    rjmp    1f
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldd     r19, Z+STEPS
    LOAD_NET r30, r31
    andi    r19, 3
    breq    1f
    rjmp    clean
1:
#endif
    rcall   is_negated
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldd     r20, Z+NOISY
    LOAD_NET r30, r31
    tst     r20
    breq    2f
    brts    1f
    lsl     r20
1:  ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
    movw    r30, r16
    XCALL   anp_noise_draw
    LOAD_NET r30, r31
    rcall   is_negated
2:  clr     zero
    ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
    ldd     r21, Z+NET_UNITS
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldd     r20, Z+NOISY
    add     r26, r20
    adc     r27, zero
    add     r26, r20
    adc     r27, zero
    movw    r30, r26           /* the end of the noise in pass 2, of which that in pass 1 is the source, or what was drawn behind it */
    add     r30, r21
    adc     r31, zero
    add     r30, r21
    adc     r31, zero
    brts    1f
    add     r26, r20
    adc     r27, zero
    add     r26, r20
    adc     r27, zero
1:  mov     r18, r20
    tst     r18
    breq    5f
3:  ld      r17, -X
    ld      r16, -X
    brtc    4f
    com     r17
    neg     r16
    sbci    r17, 0xff
4:  st      -Z, r17
    st      -Z, r16
    dec     r18
    brne    3b
5:  sub     r21, r20           /* the outputs have none */
    mov     r18, r21
6:  st      -Z, zero
    st      -Z, zero
    dec     r18
    brne    6b
    add     r20, r21
    add     r30, r20
    adc     r31, zero
    add     r30, r20
    adc     r31, zero
7:  st      Z+, zero
    st      Z+, zero
    dec     r21
    brne    7b
    rjmp    passes

/* T: pass 2 negates the noise of pass 1. r31:r30 is the network. */
is_negated:
    ldd     r18, Z+NET_RULE
    lsr     r18
    ldd     r19, Z+NET_ANTITHETIC
    or      r18, r19
    bst     r18, 0
    ret

#ifndef ANP_NO_FEEDBACK
/* A step of feedback without a probe: one pass, as both with the noise 0. */
clean:
    ldd     r16, Y+FRAME_FLAGS
    ori     r16, 1 << FLAG_CLEAN
    std     Y+FRAME_FLAGS, r16
    ldd     r20, Z+NET_UNITS
    ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
    clr     zero
1:  .rept   4
    st      X+, zero
    .endr
    dec     r20
    brne    1b
    rjmp    passes
#endif

/* The loss of pass 1, whose outputs are at X, and the error: by feedback it goes to the outputs' second values, else to their differences. */
loss_by_rule:
    std     Y+FRAME_OUTPUT, r18
    std     Y+FRAME_OUTPUT+1, r19
    mov     r18, r16
    ldd     r19, Z+NET_LOSS
    tst     r19
    breq    squared_by_rule
    movw    r22, r26
    ldd     r20, Y+FRAME_TARGET
    ldd     r21, Y+FRAME_TARGET+1
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    ldd     r24, Y+FRAME_OUTPUT
    ldd     r25, Y+FRAME_OUTPUT+1
    sbrs    r18, 1
    ldd     r24, Z+LAYER_DIFFERENCE
    sbrs    r18, 1
    ldd     r25, Z+LAYER_DIFFERENCE+1
    movw    r18, r24
    LOAD_NET r24, r25
    movw    r16, r24
    subi    r16, lo8(-NET_SATURATIONS)
    sbci    r17, hi8(-NET_SATURATIONS)
    clr     r1
    XCALL   anp_loss_and_error
    rjmp    have_loss
squared_by_rule:
    movw    r22, r26
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    ldd     r20, Z+LAYER_UNITS
    ldd     r24, Y+FRAME_OUTPUT
    ldd     r25, Y+FRAME_OUTPUT+1
    sbrs    r18, 1
    ldd     r24, Z+LAYER_DIFFERENCE
    sbrs    r18, 1
    ldd     r25, Z+LAYER_DIFFERENCE+1
    ldd     r30, Y+FRAME_TARGET
    ldd     r31, Y+FRAME_TARGET+1
    movw    r8, r28            /* Y the errors */
    movw    r28, r24
1:  ld      r16, X+
    ld      r17, X+
    ld      r18, Z+
    ld      r19, Z+
    sub     r16, r18
    sbc     r17, r19
    brvs    3f
    cpi     r17, 0x80
    brne    2f
    cpse    r16, zero
    rjmp    2f
    inc     r16
2:  st      Y+, r16
    st      Y+, r17
    dec     r20
    brne    1b
    movw    r28, r8
    movw    r26, r22
    rcall   loss
    rjmp    have_loss
3:  ldi     r16, 0xff          /* the sign is the opposite one */
    ldi     r19, 0x7f
    sbrs    r17, 7
    ldi     r16, 1
    sbrs    r17, 7
    ldi     r19, 0x80
    mov     r17, r19
    rjmp    2b

#ifndef ANP_NO_FEEDBACK
feed_back:
    movw    r24, r30
    subi    r30, lo8(-NET_STEPS)
    sbci    r31, hi8(-NET_STEPS)
    ldi     r22, 1
    ldd     r18, Z+STEPS
    andi    r18, 3
    breq    1f
    clr     r22
1:  clr     r1
    XCALL   anp_feed_back
    LOAD_NET r30, r31
    rcall   begin_update
    rcall   anp_take_delta
    breq    1f
    rjmp    update_layers
1:  rjmp    updated
#endif
#endif

/* r25:r24 the first dither word, r15:r14 their increment, r31:r30 the first layer; r31:r30 is the network before. */
begin_update:
    ldd     r16, Z+NET_LAYERS
    std     Y+FRAME_LEFT, r16
    ldd     r24, Z+NET_RANDOM_STATE
    ldd     r25, Z+NET_RANDOM_STATE+1
    ldi     r16, lo8(40503)
    ldi     r17, hi8(40503)
    ldd     r18, Z+NET_ROUNDING
    sbrc    r18, 0
    rjmp    1f
    ldi     r24, lo8(32768)
    ldi     r25, hi8(32768)
    ldi     r16, 0
    ldi     r17, 0
1:  movw    r14, r16
    ldd     r0, Z+NET_LAYER
    ldd     r31, Z+NET_LAYER+1
    mov     r30, r0
    ret

/* The second half of the noise is the first negated; r31:r30 is the network. */
negate_noise:
    ldd     r20, Z+NET_UNITS
    ldd     r26, Z+NET_VALUES
    ldd     r27, Z+NET_VALUES+1
    movw    r30, r26
    clr     zero
    add     r30, r20
    adc     r31, zero
    add     r30, r20
    adc     r31, zero
1:  ld      r16, X+
    ld      r17, X+
    com     r17
    neg     r16
    sbci    r17, 0xff
    st      Z+, r16
    st      Z+, r17
    dec     r20
    brne    1b
    ret

update_matrices:
    movw    r10, r24
    movw    r12, r14
    rcall   begin_update
    movw    r24, r10
    movw    r14, r12
1:  std     Y+FRAME_LAYER, r30
    std     Y+FRAME_LAYER+1, r31
    ldd     r18, Z+LAYER_MATRIX
    ldd     r19, Z+LAYER_MATRIX+1
    or      r18, r19
    breq    2f
    XCALL   anp_update_matrix
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
2:  adiw    r30, LAYER_SIZE
    ldd     r18, Y+FRAME_LEFT
    dec     r18
    std     Y+FRAME_LEFT, r18
    brne    1b
    rjmp    count_step
#endif
