/* Forward passes. A row's sum lies in r11:r10:r9:r8:r6, 40 bits; that of pass 2 in r15:r14:r13:r12:r7. Both begin with 2^27 + 2^11:
 * what is then left of their shift by 12 is z + 32768 rounded, and in range when it is below 2^16. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

#define values   r20       /* r21:r20: this unit's first value; the second and third lie `units` and 2 `units` further */
#define units    r22       /* of the network, as LOAD_UNITS leaves them */
#define flags    r23
#define inputs   r24       /* in bytes */
#define left     r25       /* units of this layer */
#define counter  r3

#define HIDDEN   0         /* bits of the flags; bit 0 of a multiplication: no bias */
#define SAME     1         /* x1 and x2 are the same */
#define WIDE     2         /* int32 */
#define MANY     3         /* more than 127 inputs */
#if !defined ANP_INT16_ONLY || defined ANP_MANY_INPUTS
#define HAS_OTHER_UNITS
#endif
#define RECTIFY  4         /* of a multiplication: leaky ReLUs come out */

/* r17:r16 = sat16(z) from a sum with its bias in r19:r18. r2 is 0. */
.macro ROUND_SUM s1, s2, s3, s4, out_of_range, wrong, back
    ldi     r17, 16
    cp      \s3, r17
    cpc     \s4, zero
    brsh    \out_of_range
    mul     \s1, r17
    mov     r16, r1
    mul     \s2, r17
    or      r16, r0
    mov     r17, r1
    swap    \s3
    or      r17, \s3
    subi    r17, 0x80
    add     r16, r18
    adc     r17, r19
    brvs    \wrong
    cpi     r17, 0x80
    breq    \wrong
    .ifnb \back
\back:
    .endif
.endm

/* r17:r16 = sat16(r17:r16 + r1:r0) */
.macro ADD_NOISE overflow, minimum, back
    add     r16, r0
    adc     r17, r1
    brvs    \overflow
    cpi     r17, 0x80
    breq    \minimum
\back:
.endm

/* With the slope 1/128, or where T is set by what lies at \eighth. */
.macro LEAKY_RELU eighth, back
    tst     r17
    brpl    \back
#ifndef ANP_ONE_RULE
    brts    \eighth
#endif
    subi    r16, lo8(-127)
    sbci    r17, hi8(-127)
    lsl     r16
    rol     r17
    mov     r16, r17
    sbc     r17, r17
\back:
.endm

/* A negative value times 1/8. */
.macro EIGHTH label, back
\label:
    subi    r16, lo8(-7)
    sbci    r17, hi8(-7)
    .rept   3
    asr     r17
    ror     r16
    .endr
    rjmp    \back
.endm

/* Both passes through all layers. Out: r21:r20 behind the last unit's first value, r22 units; the frame has the last layer. */
FUNCTION anp_passes
    LOAD_NET r30, r31
    ldd     r16, Z+NET_LAYERS
    std     Y+FRAME_LEFT, r16
    LOAD_UNITS
    ldd     r20, Z+NET_VALUES
    ldd     r21, Z+NET_VALUES+1
    ldd     r26, Y+FRAME_SAMPLE
    ldd     r27, Y+FRAME_SAMPLE+1
    movw    r8, r26
    ldd     r0, Z+NET_LAYER
    ldd     r31, Z+NET_LAYER+1
    mov     r30, r0
    ldd     r6, Z+LAYER_ROWS
    ldd     r7, Z+LAYER_ROWS+1

/* r31:r30 layer, r27:r26 x1, r9:r8 x2, r7:r6 rows */
begin_layer:
    std     Y+FRAME_LAYER, r30
    std     Y+FRAME_LAYER+1, r31
    ldd     r16, Z+LAYER_MATRIX
    ldd     r17, Z+LAYER_MATRIX+1
    or      r16, r17
    breq    1f
    rcall   decorrelate
1:  clr     flags
#ifndef ANP_ONE_RULE
    clt
#endif
    cp      r26, r8
    cpc     r27, r9
    brne    1f
    ori     flags, 1 << SAME
1:  ldd     r16, Y+FRAME_FLAGS
    sbrc    r16, FLAG_WIDE
    ori     flags, 1 << WIDE
    ldd     r16, Y+FRAME_LEFT
    cpi     r16, 1
    breq    1f
    ori     flags, 1 << HIDDEN
#ifndef ANP_ONE_RULE
    ldd     r16, Y+FRAME_FLAGS
    .rept   FLAG_SLOPE
    lsr     r16
    .endr
    andi    r16, 15
    cpi     r16, 7
    breq    1f
    set
    cpi     r16, 3
    breq    1f
    andi    flags, 0xff - (1 << HIDDEN) /* with T: another slope */
#endif
1:  ldd     inputs, Z+LAYER_INPUTS
    lsl     inputs
#ifdef ANP_MANY_INPUTS
    ldd     r16, Z+LAYER_INPUTS+1
    rol     r16
    breq    1f
    ori     flags, 1 << MANY
#endif
1:  ldd     left, Z+LAYER_UNITS
    movw    r28, r8
    movw    r30, r6
    rjmp    unit

#ifdef HAS_OTHER_UNITS
to_other_unit:
    rjmp    other_unit
#endif
unit:
    ldi     r16, 8
    ldi     r17, 0
    movw    r8, r16
    movw    r10, r16
    clr     r6
    mov     counter, inputs
    lsr     counter
    cpi     flags, 1 << SAME
    brlo    both_passes
#ifdef HAS_OTHER_UNITS
    cpi     flags, 1 << WIDE
    brsh    to_other_unit
#endif
1:  ld      x_lo, X+
    ld      x_hi, X+
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    dec     counter
    brne    1b
    rjmp    activate
both_passes:
    movw    r12, r16
    movw    r14, r16
    clr     r7
1:  ld      x_lo, X+
    ld      x_hi, X+
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    ld      x_lo, Y+
    ld      x_hi, Y+
    MULTIPLY_ADD r7, r12, r13, r14, r15
    dec     counter
    brne    1b

activate:
    ld      r18, Z+
    ld      r19, Z+
    movw    r4, r30
    movw    r30, r20
    clr     zero
    ROUND_SUM r8, r9, r10, r11, first_out_of_range, first_wrong, first_rounded
    movw    r8, r16
    ld      r0, Z
    ldd     r1, Z+1
    ADD_NOISE first_overflow, first_minimum, first_added
    movw    r6, r16
    ADD_UNITS r30, r31
    sbrs    flags, SAME
    rjmp    round_second
    movw    r16, r8
second_rounded:
    ld      r0, Z
    ldd     r1, Z+1
    ADD_NOISE second_overflow, second_minimum, second_added
    movw    r18, r6
    sub     r18, r16
    sbc     r19, r17
    brvs    difference_overflow
    cpi     r19, 0x80
    breq    difference_minimum
difference_done:
    sbrc    flags, HIDDEN
    rjmp    hidden
    rjmp    linear

first_wrong:
    swap    r10
first_out_of_range:
    ldi     r16, 4
    ldi     r17, 8
    XCALL   anp_saturate_sum
    rjmp    first_rounded
first_overflow:
    XCALL   anp_saturate_overflow
    rjmp    first_added
first_minimum:
    XCALL   anp_saturate_minimum
    rjmp    first_added
second_overflow:
    XCALL   anp_saturate_overflow
    rjmp    second_added
second_minimum:
    XCALL   anp_saturate_minimum
    rjmp    second_added
difference_overflow:
    movw    r8, r16
    movw    r16, r18
    XCALL   anp_saturate_overflow
    rjmp    1f
difference_minimum:
    movw    r8, r16
    movw    r16, r18
    XCALL   anp_saturate_minimum
1:  movw    r18, r16
    movw    r16, r8
    rjmp    difference_done
round_second:
    ROUND_SUM r12, r13, r14, r15, second_out_of_range, second_wrong
    rjmp    second_rounded
second_wrong:
    swap    r14
second_out_of_range:
    movw    r8, r12
    movw    r10, r14
    ldi     r16, 4
    ldi     r17, 8
    XCALL   anp_saturate_sum
    rjmp    second_rounded

#ifndef ANP_ONE_RULE
    EIGHTH  second_eighth, second_given
    EIGHTH  first_eighth, give_on
any_hidden:
    rcall   any_slope
    st      Z, r16
    std     Z+1, r17
    movw    r16, r6
    rcall   any_slope
    rjmp    give_on
any_slope:
    tst     r17
    brpl    2f
    movw    r8, r30
    in      r30, SPL_IO
    in      r31, SPH_IO
    ldd     r0, Z+2*RETURN_BYTES+FRAME_FLAGS
    movw    r30, r8
    mov     r9, r18
    mov     r18, r0
    .rept   FLAG_SLOPE
    lsr     r18
    .endr
    andi    r18, 15
    mov     r0, r18
    mov     r18, r9
    com     r17
    neg     r16
    sbci    r17, 0xff
1:  lsr     r17
    ror     r16
    dec     r0
    brne    1b
    com     r17
    neg     r16
    sbci    r17, 0xff
2:  ret
#endif
linear:
#ifndef ANP_ONE_RULE
    brts    any_hidden
#endif
    st      Z, r16
    std     Z+1, r17
    movw    r16, r6
    rjmp    give_on
hidden:
    LEAKY_RELU second_eighth, second_given
    st      Z, r16
    std     Z+1, r17
    movw    r16, r6
    LEAKY_RELU first_eighth, give_on
    ADD_UNITS r30, r31
    st      Z, r16
    std     Z+1, r17
    movw    r30, r20
    st      Z+, r18
    st      Z+, r19
    movw    r20, r30
    movw    r30, r4
    sub     r26, inputs
    sbc     r27, zero
    sub     r28, inputs
    sbc     r29, zero
    dec     left
    breq    1f
    rjmp    unit
1:
    /* the next layer's rows and values follow; its inputs are the second and third values of this one */
    FRAME_AT RETURN_BYTES
    ldd     r16, Y+FRAME_LEFT
    dec     r16
    brne    1f
    ret
1:  std     Y+FRAME_LEFT, r16
    movw    r6, r30
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    ldd     r16, Z+LAYER_UNITS
    movw    r8, r20
    ADD_UNITS r8, r9
    sub     r8, r16
    sbc     r9, zero
    sub     r8, r16
    sbc     r9, zero
    movw    r26, r8
    ADD_UNITS r26, r27
#ifndef ANP_ONE_RULE
    ldd     r16, Y+FRAME_FLAGS
    sbrc    r16, FLAG_CLEAN
    movw    r8, r26
#endif
    adiw    r30, LAYER_SIZE
    rjmp    begin_layer

/* Units of int32 weights, of many inputs. */
other_unit:
#ifdef ANP_MANY_INPUTS
    sbrc    flags, MANY
    rjmp    unit_of_many
#endif
#ifndef ANP_INT16_ONLY
    sbrs    flags, SAME
    rjmp    1f
    rcall   sum32
    rjmp    2f
1:  movw    r12, r16
    movw    r14, r16
    clr     r7
3:  ld      x_lo, X+
    ld      x_hi, X+
    adiw    r30, 2
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    ld      x_lo, Y+
    ld      x_hi, Y+
    MULTIPLY_ADD r7, r12, r13, r14, r15
    dec     counter
    brne    3b
2:  adiw    r30, 2
    rjmp    activate
#endif

#ifdef ANP_MANY_INPUTS
unit_of_many:
    push    r24
    push    r25
    movw    r14, r30
    in      r30, SPL_IO
    in      r31, SPH_IO
    ldd     r0, Z+RETURN_BYTES+2+FRAME_LAYER
    ldd     r31, Z+RETURN_BYTES+2+FRAME_LAYER+1
    mov     r30, r0
    ldd     r24, Z+LAYER_INPUTS
    ldd     r25, Z+LAYER_INPUTS+1
    movw    r30, r14
    push    r26
    push    r27
    sbrc    flags, SAME
    rjmp    1f
    push    r30
    push    r31
    movw    r26, r28
    rcall   sum_of_many
    movw    r12, r8
    movw    r14, r10
    pop     r31
    pop     r30
    pop     r27
    pop     r26
    push    r26
    push    r27
    ldi     r16, 8
    ldi     r17, 0
1:  rcall   sum_of_many
    pop     r27
    pop     r26
    pop     r25
    pop     r24
    sbrc    flags, WIDE
    adiw    r30, 2
    clr     zero
    add     r26, inputs        /* activate() takes it off */
    adc     r27, zero
    add     r28, inputs
    adc     r29, zero
    rjmp    activate
#endif

/* Sums over `counter` inputs, begun with what they hold. */
sum16:
    ld      x_lo, X+
    ld      x_hi, X+
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    dec     counter
    brne    sum16
    ret
#ifndef ANP_INT16_ONLY
sum32:
    ld      x_lo, X+
    ld      x_hi, X+
    adiw    r30, 2
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    dec     counter
    brne    sum32
    ret
#endif

#ifdef ANP_MANY_INPUTS
/* A sum over r25:r24 inputs, from r17:r16 = 0x0008 or 0x0020: 40 bits hold 256 products, and 48 any number. What lies beyond 2^38 is
 * cut to it: it saturates all the same. */
sum_of_many:
    push    r25
    mov     counter, r24
    cpse    counter, r17
    inc     r25
    movw    r8, r16
    movw    r10, r16
    clr     r6
    clr     r7
1:  push    r11
    clr     r11
2:  ld      x_lo, X+
    ld      x_hi, X+
    sbrc    flags, WIDE
    adiw    r30, 2
    ld      w_lo, Z+
    ld      w_hi, Z+
    MULTIPLY_ADD r6, r8, r9, r10, r11
    dec     counter
    brne    2b
    mov     r0, r11
    lsl     r0
    sbc     r0, r0
    pop     r1
    add     r11, r1
    adc     r7, r0
    dec     r25
    brne    1b
    pop     r25
    mov     r0, r11
    lsl     r0
    sbc     r0, r0
    cp      r7, r0
    breq    3f
    ldi     r16, 0x40
    sbrc    r7, 7
    ldi     r16, 0xc0
    mov     r11, r16
3:  ret
#endif

#ifdef ANP_HAS_PREDICT
/* A frame of its own, which begins as that of a step does: with what leads to a counter of saturations, here one that nobody reads. */
#define PREDICT_COUNTER 3
#define PREDICT_LAYER   7
#define PREDICT_LEFT    9
#define PREDICT_UNITS   10     /* of the network */
#define PREDICT_WIDE    11
#define PREDICT_OUTPUTS 12
#define PREDICT_ROWS    14
#define PREDICT_X       16     /* what the layer gives on */
#define PREDICT_BESIDES 18     /* where decorrelated inputs go */
#define PREDICT_SIZE    19

/* void anp_predict(struct anp_network *net, const int16_t *x, int16_t *outputs) */
FUNCTION anp_predict
    movw    r18, r20
    movw    r20, r22
    movw    r30, r24
    subi    r30, lo8(-NET_WEIGHTS)
    sbci    r31, hi8(-NET_WEIGHTS)
    ld      r22, Z
    ldd     r23, Z+1
    XJMP    anp_predict_with

/* void anp_predict_with(struct anp_network *net, void *rows, const int16_t *x, int16_t *outputs) */
FUNCTION anp_predict_with
    .irp    register, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29
    push    r\register
    .endr
    FRAME_AT 0
    sbiw    r28, PREDICT_SIZE
    SET_STACK
    movw    r16, r28
    subi    r16, lo8(NET_SATURATIONS - PREDICT_COUNTER)
    sbci    r17, hi8(NET_SATURATIONS - PREDICT_COUNTER)
    std     Y+1, r16
    std     Y+2, r17
    std     Y+PREDICT_OUTPUTS, r18
    std     Y+PREDICT_OUTPUTS+1, r19
    std     Y+PREDICT_ROWS, r22
    std     Y+PREDICT_ROWS+1, r23
    movw    r26, r20
    movw    r30, r24
    ldd     r16, Z+NET_LAYERS
    std     Y+PREDICT_LEFT, r16
    ldd     r16, Z+NET_UNITS
    std     Y+PREDICT_UNITS, r16
    ldd     r16, Z+NET_WEIGHT_FORMAT
    std     Y+PREDICT_WIDE, r16
    ldd     r16, Z+NET_DECORRELATED
    std     Y+PREDICT_BESIDES, r16
    ldd     r16, Z+NET_DECORRELATED+1
    std     Y+PREDICT_BESIDES+1, r16
    ldd     r0, Z+NET_LAYER
    ldd     r31, Z+NET_LAYER+1
    mov     r30, r0

/* Y frame, r31:r30 layer, r27:r26 its input */
predict_layer:
    std     Y+PREDICT_LAYER, r30
    std     Y+PREDICT_LAYER+1, r31
    ldd     r16, Z+LAYER_MATRIX
    ldd     r17, Z+LAYER_MATRIX+1
    mov     r18, r16
    or      r18, r17
    breq    1f
    ldd     r24, Z+LAYER_INPUTS
    ldd     r25, Z+LAYER_INPUTS+1
    movw    r20, r24
    ldd     r22, Y+PREDICT_BESIDES
    ldd     r23, Y+PREDICT_BESIDES+1
    movw    r30, r16
    ldi     r18, 14
    ldi     r19, 0
    XCALL   multiply_rows
    FRAME_AT 0
    ldd     r26, Y+PREDICT_BESIDES
    ldd     r27, Y+PREDICT_BESIDES+1
    ldd     r30, Y+PREDICT_LAYER
    ldd     r31, Y+PREDICT_LAYER+1
1:  ldd     r24, Z+LAYER_INPUTS
    ldd     r25, Z+LAYER_INPUTS+1
    ldd     r20, Z+LAYER_UNITS
    ldd     r21, Z+LAYER_UNITS+1
    ldd     r19, Y+PREDICT_WIDE
    ldd     r16, Y+PREDICT_LEFT
    dec     r16
    std     Y+PREDICT_LEFT, r16
    ldd     r22, Y+PREDICT_OUTPUTS
    ldd     r23, Y+PREDICT_OUTPUTS+1
    breq    2f
    ori     r19, 1 << (RECTIFY - WIDE)
    ldd     r22, Z+LAYER_DIFFERENCE
    ldd     r23, Z+LAYER_DIFFERENCE+1
    ldd     r16, Y+PREDICT_UNITS
    clr     zero
    add     r22, r16
    adc     r23, zero
    add     r22, r16
    adc     r23, zero
    std     Y+PREDICT_X, r22
    std     Y+PREDICT_X+1, r23
2:  ldd     r30, Y+PREDICT_ROWS
    ldd     r31, Y+PREDICT_ROWS+1
    ldi     r18, 12
    XCALL   multiply_rows
    FRAME_AT 0
    ldd     r16, Y+PREDICT_LEFT
    tst     r16
    breq    3f
    std     Y+PREDICT_ROWS, r30
    std     Y+PREDICT_ROWS+1, r31
    ldd     r26, Y+PREDICT_X
    ldd     r27, Y+PREDICT_X+1
    ldd     r30, Y+PREDICT_LAYER
    ldd     r31, Y+PREDICT_LAYER+1
    adiw    r30, LAYER_SIZE
    rjmp    predict_layer
3:  adiw    r28, PREDICT_SIZE
    SET_STACK
    clr     r1
    .irp    register, 29, 28, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2
    pop     r\register
    .endr
    ret

    .section .text.anp_passes, "ax", @progbits
#else
/* void anp_multiply(const struct anp_multiplication *multiplication, uint32_t *saturations) */
FUNCTION anp_multiply
    .irp    register, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29
    push    r\register
    .endr
    subi    r22, NET_SATURATIONS
    sbci    r23, 0
    push    r23
    push    r22
    movw    r28, r24
    ld      r30, Y
    ldd     r31, Y+1
    ldd     r26, Y+2
    ldd     r27, Y+3
    ldd     r22, Y+4
    ldd     r23, Y+5
    ldd     r20, Y+6
    ldd     r21, Y+7
    ldd     r24, Y+8
    ldd     r25, Y+9
    ldd     r18, Y+10
    ldd     r19, Y+11
    rcall   multiply_rows
    pop     r22
    pop     r23
    .irp    register, 29, 28, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2
    pop     r\register
    .endr
    clr     r1
    ret
#endif

/* x1 and x2 of a layer become decorrelated; everything that begin_layer knows is kept. */
#define SAVE_ROWS   FRAME_SAVED
#define SAVE_VALUES FRAME_SAVED+2
#define SAVE_UNITS  FRAME_SAVED+4
#define SAVE_X1     FRAME_SAVED+5
#define SAVE_X2     FRAME_SAVED+7
decorrelate:
    std     Y+SAVE_ROWS, r6
    std     Y+SAVE_ROWS+1, r7
    std     Y+SAVE_VALUES, r20
    std     Y+SAVE_VALUES+1, r21
    std     Y+SAVE_UNITS, units
    std     Y+SAVE_X1, r26
    std     Y+SAVE_X1+1, r27
    ldd     r22, Z+LAYER_INPUT
    ldd     r23, Z+LAYER_INPUT+1
    std     Y+SAVE_X2, r22
    std     Y+SAVE_X2+1, r23
    cp      r26, r8
    cpc     r27, r9
    breq    1f
    LOAD_NET r26, r27
    adiw    r26, NET_DECORRELATED
    ld      r22, X+
    ld      r23, X
    std     Y+SAVE_X2, r22
    std     Y+SAVE_X2+1, r23
    movw    r26, r8
    rcall   multiply_layer
1:  ldd     r22, Z+LAYER_INPUT
    ldd     r23, Z+LAYER_INPUT+1
    ldd     r26, Y+SAVE_X1
    ldd     r27, Y+SAVE_X1+1
    rcall   multiply_layer
    ldd     r26, Z+LAYER_INPUT
    ldd     r27, Z+LAYER_INPUT+1
    ldd     r8, Y+SAVE_X2
    ldd     r9, Y+SAVE_X2+1
    ldd     r6, Y+SAVE_ROWS
    ldd     r7, Y+SAVE_ROWS+1
    ldd     r20, Y+SAVE_VALUES
    ldd     r21, Y+SAVE_VALUES+1
    ldd     units, Y+SAVE_UNITS
    ret

/* The layer's matrix times X to r23:r22. Out: Y frame, Z layer. */
multiply_layer:
    LOAD_NET r18, r19
    push    r19
    push    r18
    ldd     r24, Z+LAYER_INPUTS
    ldd     r25, Z+LAYER_INPUTS+1
    movw    r20, r24
    ldd     r0, Z+LAYER_MATRIX
    ldd     r31, Z+LAYER_MATRIX+1
    mov     r30, r0
    ldi     r18, 14
    ldi     r19, 0
    rcall   multiply_rows
    pop     r18
    pop     r19
    FRAME_AT 3 * RETURN_BYTES
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    ret

/* In: r31:r30 rows, r21:r20 how many, r25:r24 values in each, r27:r26 x, r23:r22 z, r18 bits, r19 int32. */
multiply_rows:
    movw    r28, r22
    movw    r14, r26
    mov     flags, r19
    lsl     flags
    lsl     flags
    ldi     r16, 8             /* what a sum begins with, and 2^(16 - bits) */
    ldi     r17, 16
    cpi     r18, 12
    breq    1f
    ldi     r16, 32
    ldi     r17, 4
    ori     flags, 1 << HIDDEN
1:  movw    r12, r16
next_row:
    mov     r16, r12
    ldi     r17, 0
    movw    r26, r14
#ifdef ANP_MANY_INPUTS
    tst     r25
    brne    2f
#endif
    movw    r8, r16
    movw    r10, r16
    clr     r6
    mov     counter, r24
#ifndef ANP_INT16_ONLY
    sbrc    flags, WIDE
    rjmp    1f
#endif
    rcall   sum16
    rjmp    3f
#ifndef ANP_INT16_ONLY
1:  rcall   sum32
    rjmp    3f
#endif
#ifdef ANP_MANY_INPUTS
2:  rcall   sum_of_many
#endif
3:  clr     r18
    clr     r19
    sbrc    flags, HIDDEN
    rjmp    4f
    sbrc    flags, WIDE
    adiw    r30, 2
    ld      r18, Z+
    ld      r19, Z+
4:  clr     zero
    mov     r3, r12
    lsl     r3
    cp      r10, r3
    cpc     r11, zero
    brsh    out_of_range
    mul     r8, r13
    mov     r16, r1
    mul     r9, r13
    or      r16, r0
    mov     r17, r1
    mul     r10, r13
    or      r17, r0
    subi    r17, 0x80
    add     r16, r18
    adc     r17, r19
    brvs    out_of_range
    cpi     r17, 0x80
    brne    row_done
out_of_range:
    ldi     r16, 4
    sbrc    flags, HIDDEN
    ldi     r16, 6
    mov     r17, r12
    XCALL   anp_saturate_sum
row_done:
#ifdef ANP_HAS_PREDICT
    sbrs    flags, RECTIFY
    rjmp    rectified
    LEAKY_RELU none, rectified
#endif
    st      Y+, r16
    st      Y+, r17
    subi    r20, 1
    sbci    r21, 0
    brne    next_row
    ret
#endif
