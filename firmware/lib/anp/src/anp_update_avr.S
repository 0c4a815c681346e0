/* The update of a layer. In a row: r21:r20 c, r23:r22 x, r25:r24 the dither word, r15:r14 its increment, Z the weight, X the next input,
 * Y the next da, r18 inputs left of 256, r2 0. With many inputs r19 says how many 256s are left. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

#define MAX_SHIFT 30

#define units_left r8
#define mode       r9          /* how a row goes: */
#define NOT_TWO_BYTES 0        /* (k + 7) / 8 is not 2 */
#define NOT_16     1           /* not int16 with s = 16 */
#define LOOP       2           /* 3 bits: 0, 1, 2 for s = 24, 16, 8, with int32 4 more */
#define BYTES      5           /* 3 bits: (k + 7) / 8 */
#define g          r10         /* r13:r11:r10: g * 2^b, b = -k mod 8, so that a shift by k is a matter of whole bytes */
#define input_bytes r12        /* of all inputs; with many the lower byte, and then T is set, and the higher byte is in r3 */
#define c_lo       r20
#define c_hi       r21
#define in_lo      r22
#define in_hi      r23
#define word_lo    r24
#define word_hi    r25

/* Ends a weight: on with the next one, then the bias, then the next row. */
.macro NEXT_WEIGHT weight, bias
    add     word_lo, r14
    adc     word_hi, r15
    dec     r18
    brne    \weight
    dec     r19
    brmi    1f
    brne    \weight
    rcall   take_bias
    rjmp    \bias
1:  rjmp    row_done
.endm

/* c * 4096 = r7:r6:r5 * 2^8, 10 cycles; uses r16 */
.macro BIAS_PRODUCT
    ldi     r16, 16
    mul     c_lo, r16
    mov     r5, r0
    mov     r6, r1
    mulsu   c_hi, r16
    add     r6, r0
    mov     r7, r1
    adc     r7, zero
.endm

/* The update of the layers from Z on, as many as the frame has left. In: r31:r30 layer, r25:r24 the dither word, r15:r14 its increment. */
FUNCTION anp_update_layer
next_layer:
    std     Y+FRAME_LAYER, r30
    std     Y+FRAME_LAYER+1, r31
#ifndef ANP_ONE_RULE
    ldd     r16, Y+FRAME_LEFT
    cpi     r16, 1
    brne    1f
    XCALL   anp_take_delta
1:
#endif
    ldd     r26, Z+LAYER_INPUT
    ldd     r27, Z+LAYER_INPUT+1
    mov     r0, r26
    or      r0, r27
    brne    1f
    ldd     r26, Y+FRAME_SAMPLE
    ldd     r27, Y+FRAME_SAMPLE+1
1:  ldd     r18, Z+LAYER_INPUTS
    mov     input_bytes, r18
    lsl     input_bytes
#ifdef ANP_MANY_INPUTS
    ldd     r19, Z+LAYER_INPUTS+1
    mov     r13, r19
    rol     r13
    clt
    breq    1f
    set
1:
#endif
    ldd     r20, Z+LAYER_ROWS
    ldd     r21, Z+LAYER_ROWS+1
    ldd     r19, Z+LAYER_UNITS

    /* r23 = h, from 2^24 - 1 + ||x||^2 */
    clr     r3
    clr     r23
    ldd     r22, Y+FRAME_FLAGS
    sbrs    r22, FLAG_NORMALISED
    rjmp    3f
    clr     r9
    clr     r10
    ldi     r16, 0xff
    mov     r6, r16
    mov     r7, r16
    mov     r8, r16
#ifdef ANP_MANY_INPUTS
    mov     r11, r13
    lsr     r11
    cpse    r18, r3
    inc     r11
#endif
1:  ld      x_lo, X+
    ld      x_hi, X+
    SQUARE_ADD
    dec     r18
    brne    1b
#ifdef ANP_MANY_INPUTS
    dec     r11
    brne    1b
    sub     r26, input_bytes
    sbc     r27, r13
#else
    sub     r26, input_bytes
    sbc     r27, r3
#endif
    tst     r10
    brne    many_bits
few_bits:
    tst     r9
    breq    3f
1:  inc     r23
    lsr     r9
    brne    1b
3:  clr     zero

    /* r16 = D; the magnitudes together have as many bits as the largest */
    ldd     r6, Z+LAYER_DIFFERENCE
    ldd     r7, Z+LAYER_DIFFERENCE+1
    movw    r30, r6
    mov     units_left, r19
    clr     r4
    clr     r5
1:  ld      r16, Z+
    ld      r17, Z+
    tst     r17
    brpl    2f
    com     r17
    neg     r16
    sbci    r17, 0xff
2:  or      r4, r16
    or      r5, r17
    dec     r19
    brne    1b
    movw    r30, r20
    ldi     r16, 8
    tst     r5
    breq    2f
1:  inc     r16
    lsr     r5
    brne    1b
    rjmp    3f
many_bits:
    mov     r9, r10
    ldi     r23, 8
    rjmp    few_bits
2:  lsl     r4
    brcs    3f
    dec     r16
    brne    2b
3:
    /* r23 = k, r17 = 0, 4, 8 for s = 24, 16, 8 */
    ldd     r17, Y+FRAME_EXPONENT
    sub     r23, r17
    subi    r23, 24 - 12
    clr     r17
    cp      r23, r16
    brge    5f
    ldi     r17, 1 << LOOP
    subi    r23, -8
    cp      r23, r16
    brge    5f
    ldi     r17, 2 << LOOP
    subi    r23, -8
    cp      r23, r16
    brge    5f
    mov     r23, r16
    XCALL   anp_count_saturation
5:  cpi     r23, MAX_SHIFT + 1
    brge    to_below_resolution

    /* the mode */
    sbrc    r22, FLAG_WIDE
    subi    r17, -(4 << LOOP)
    cpi     r17, 1 << LOOP
    breq    7f
    ori     r17, 1 << NOT_16
7:  mov     r16, r23
    subi    r16, -7
    andi    r16, 0x38
    lsl     r16
    lsl     r16
    cpi     r16, 2 << BYTES
    breq    7f
    ori     r17, 1 << NOT_TWO_BYTES
7:  or      r17, r16
    mov     mode, r17

    ldd     r16, Y+FRAME_MANTISSA
    ldd     r17, Y+FRAME_MANTISSA+1
    mov     r18, r17
    lsl     r18
    sbc     r18, r18
    neg     r23
    andi    r23, 7
    breq    8f
7:  lsl     r16
    rol     r17
    rol     r18
    dec     r23
    brne    7b
8:  movw    g, r16
    mov     r13, r18
    movw    r28, r6
    rjmp    row

to_below_resolution:
    rjmp    below_resolution
#ifdef ANP_MANY_INPUTS
many:
    rjmp    take_many
#endif
row:
    ld      in_lo, Y+          /* da */
    ld      in_hi, Y+
    movw    r16, g
    mov     r18, r13
    sbrc    mode, NOT_TWO_BYTES
    rjmp    other_bytes
    /* r7:r6:r5:r4 = g 2^b da, of which bits 16 to 31 are the coefficient */
    mul     r16, in_lo
    movw    r4, r0
    mulsu   in_hi, r17
    movw    r6, r0
    mulsu   r18, in_lo
    add     r6, r0
    adc     r7, r1
    muls    r18, in_hi
    add     r7, r0
    mulsu   in_hi, r16
    sbc     r19, r19
    add     r5, r0
    adc     r6, r1
    adc     r7, r19
    mul     r17, in_lo
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
    add     r4, word_lo
    adc     r5, word_hi
    adc     r6, zero
    adc     r7, zero
    movw    c_lo, r6
coefficient:
    add     word_lo, r14
    adc     word_hi, r15
    mov     r18, input_bytes
    lsr     r18
#ifdef ANP_MANY_INPUTS
    brts    many
#endif
weights:
    sbrc    mode, NOT_16
    rjmp    other_weights

weight16:
    ld      in_lo, X+
    ld      in_hi, X+
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    add     r4, word_lo
    adc     r5, word_hi
    ld      r16, Z
    ldd     r17, Z+1
    adc     r16, r6
    adc     r17, r7
    brvs    overflow16
    cpi     r17, 0x80
    breq    minimum16
saturated16:
    st      Z+, r16
    st      Z+, r17
    add     word_lo, r14
    adc     word_hi, r15
    dec     r18
    brne    weight16
#ifdef ANP_MANY_INPUTS
    brts    more16
#endif
bias16:
    BIAS_PRODUCT
    add     r5, word_hi
bias_high:
    ld      r16, Z
    ldd     r17, Z+1
    adc     r16, r6
    adc     r17, r7
    brvs    bias_overflow
    cpi     r17, 0x80
    breq    bias_minimum
bias_saturated:
    st      Z+, r16
    st      Z+, r17
    add     word_lo, r14
    adc     word_hi, r15
row_done:
    sub     r26, input_bytes
    sbc     r27, zero
    dec     units_left
    breq    layer_done
    rjmp    row
#ifdef ANP_MANY_INPUTS
more16:
    dec     r19
    brne    weight16
    sub     r27, r3
    rjmp    bias16
#endif
layer_done:
    FRAME_AT RETURN_BYTES
below_done:
    ldd     r16, Y+FRAME_LEFT
    dec     r16
    breq    1f
    std     Y+FRAME_LEFT, r16
    ldd     r30, Y+FRAME_LAYER
    ldd     r31, Y+FRAME_LAYER+1
    adiw    r30, LAYER_SIZE
    rjmp    next_layer
1:  ret

overflow16:
    XCALL   anp_saturate_overflow
    rjmp    saturated16
minimum16:
    XCALL   anp_saturate_minimum
    rjmp    saturated16
bias_overflow:
    XCALL   anp_saturate_overflow
    rjmp    bias_saturated
bias_minimum:
    XCALL   anp_saturate_minimum
    rjmp    bias_saturated

other_bytes:
    /* r3:r7:r6:r5:r4 */
    mul     r16, in_lo
    movw    r4, r0
    mulsu   in_hi, r17
    sbc     r3, r3
    movw    r6, r0
    muls    r18, in_hi
    add     r7, r0
    adc     r3, r1
    mulsu   in_hi, r16
    sbc     r19, r19
    add     r5, r0
    adc     r6, r1
    adc     r7, r19
    adc     r3, r19
    mul     r17, in_lo
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
    adc     r3, zero
    mulsu   r18, in_lo
    sbc     r3, zero
    add     r6, r0
    adc     r7, r1
    adc     r3, zero
    mov     r16, mode
    andi    r16, 7 << BYTES
    cpi     r16, 3 << BYTES
    brlo    1f
    brne    2f
    add     r5, word_lo
    adc     r6, word_hi
    adc     r7, zero
    adc     r3, zero
    mov     c_lo, r7
    mov     c_hi, r3
    rjmp    coefficient
1:  add     r4, word_hi
    adc     r5, zero
    adc     r6, zero
    mov     c_lo, r5
    mov     c_hi, r6
    rjmp    coefficient
2:  add     r6, word_lo
    adc     r7, word_hi
    adc     r3, zero
    mov     c_lo, r3
    mov     c_hi, r3
    lsl     c_hi
    sbc     c_hi, c_hi
    rjmp    coefficient

#ifdef ANP_MANY_INPUTS
/* r19:r18 = the layer's inputs, as 256s to come and the first number below; the layer is in the frame. */
take_many:
    movw    r4, r30
    in      r30, SPL_IO
    in      r31, SPH_IO
    ldd     r0, Z+RETURN_BYTES+FRAME_LAYER
    ldd     r31, Z+RETURN_BYTES+FRAME_LAYER+1
    mov     r30, r0
    ldd     r18, Z+LAYER_INPUTS
    ldd     r19, Z+LAYER_INPUTS+1
    movw    r30, r4
    mov     r0, r18
    lsl     r0
    mov     r3, r19
    rol     r3
    cpse    r18, zero
    inc     r19
    rjmp    weights
#endif

/* The last of a row's inputs, behind those at X, which X then leaves, but for the lower byte of their number. */
take_bias:
#ifdef ANP_MANY_INPUTS
    brtc    1f
    sub     r27, r3
1:
#endif
    ldi     r18, 1
    ldi     in_lo, 0
    ldi     in_hi, 16
    ret

/* Takes units * (inputs + 2) words. */
below_resolution:
#ifdef ANP_MANY_INPUTS
    lsr     r13
    ror     r12
    ldi     r16, 2
    add     r12, r16
    adc     r13, zero
    mul     units_left, r12
    movw    r4, r0
    mul     units_left, r13
    add     r5, r0
#else
    lsr     r12
    inc     r12
    inc     r12
    mul     units_left, r12
    movw    r4, r0
#endif
    mul     r4, r14
    add     word_lo, r0
    adc     word_hi, r1
    mul     r4, r15
    add     word_hi, r0
    mul     r5, r14
    add     word_hi, r0
    rjmp    below_done

other_weights:
    mov     r16, mode
    andi    r16, 7 << LOOP
    breq    weight24
#ifdef ANP_MANY_INPUTS
    brts    1f
#endif
    ldi     r19, 1
1:
#ifndef ANP_INT16_ONLY
    cpi     r16, 5 << LOOP
    brlo    2f
    brne    3f
    rjmp    wide16
2:  cpi     r16, 4 << LOOP
    breq    4f
#endif
    rjmp    weight8
#ifndef ANP_INT16_ONLY
3:  rjmp    wide8
4:  rjmp    wide24
#endif

weight24:
    ld      in_lo, X+
    ld      in_hi, X+
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    add     r5, word_lo
    adc     r6, word_hi
    adc     r7, zero
    mov     r0, r7
    lsl     r0
    sbc     r0, r0
    ld      r16, Z
    ldd     r17, Z+1
    add     r16, r7
    adc     r17, r0
    brvs    overflow24
    cpi     r17, 0x80
    breq    minimum24
saturated24:
    st      Z+, r16
    st      Z+, r17
    add     word_lo, r14
    adc     word_hi, r15
    dec     r18
    brne    weight24
#ifdef ANP_MANY_INPUTS
    brts    more24
#endif
bias24:
    BIAS_PRODUCT
    add     r5, word_lo
    adc     r6, word_hi
    adc     r7, zero
    mov     r6, r7
    lsl     r7
    sbc     r7, r7
    clc
    rjmp    bias_high
#ifdef ANP_MANY_INPUTS
more24:
    dec     r19
    brne    weight24
    sub     r27, r3
    rjmp    bias24
#endif
overflow24:
    XCALL   anp_saturate_overflow
    rjmp    saturated24
minimum24:
    XCALL   anp_saturate_minimum
    rjmp    saturated24

weight8:
    ld      in_lo, X+
    ld      in_hi, X+
bias8:
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    add     r4, word_hi
    adc     r5, zero
    adc     r6, zero
    adc     r7, zero
    ld      r16, Z
    ldd     r17, Z+1
    mov     r0, r17
    lsl     r0
    sbc     r0, r0
    add     r16, r5
    adc     r17, r6
    adc     r0, r7
    mov     r1, r17
    lsl     r1
    sbc     r1, r1
    cp      r0, r1
    brne    overflow8
    cpi     r17, 0x80
    breq    minimum8
saturated8:
    st      Z+, r16
    st      Z+, r17
    NEXT_WEIGHT weight8, bias8
overflow8:
    mov     r17, r0
    com     r17                /* the sign that an overflow leaves */
    XCALL   anp_saturate_overflow
    rjmp    saturated8
minimum8:
    XCALL   anp_saturate_minimum
    rjmp    saturated8

#ifndef ANP_INT16_ONLY
/* Adds r7:r6:r5:r4 to the int32 at Z. */
.macro ADD_WIDE next, bias
    ld      r0, Z
    add     r0, r4
    st      Z, r0
    ldd     r0, Z+1
    adc     r0, r5
    std     Z+1, r0
    ldd     r0, Z+2
    adc     r0, r6
    std     Z+2, r0
    ldd     r16, Z+3
    adc     r16, r7
    brvs    4f
    STORE_WIDE \next, \bias
.endm

/* Stores its highest byte, r16, unless it is too low or too high: then 4 is the place to go to, or 5 with a byte of the right sign. */
.macro STORE_WIDE next, bias
    cpi     r16, 0x80
    breq    3f
    std     Z+3, r16
    adiw    r30, 4
2:  NEXT_WEIGHT \next, \bias
3:  XCALL   anp_saturate_wide_minimum
    rjmp    2b
4:  com     r16
5:  XCALL   anp_saturate_wide
    rjmp    2b
.endm

wide24:
    ld      in_lo, X+
    ld      in_hi, X+
bias24_wide:
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    add     r4, word_hi
    adc     r5, zero
    adc     r6, zero
    adc     r7, zero
    mov     r4, r5
    mov     r5, r6
    mov     r6, r7
    lsl     r7
    sbc     r7, r7
    ADD_WIDE wide24, bias24_wide

wide16:
    ld      in_lo, X+
    ld      in_hi, X+
bias16_wide:
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    ADD_WIDE wide16, bias16_wide

wide8:
    ld      in_lo, X+
    ld      in_hi, X+
bias8_wide:
    SIGNED_PRODUCT c_lo, c_hi, in_lo, in_hi
    ldd     r16, Z+3
    lsl     r16
    sbc     r16, r16           /* the weight's fifth byte */
    ldd     r0, Z+1
    add     r0, r4
    std     Z+1, r0
    ldd     r0, Z+2
    adc     r0, r5
    std     Z+2, r0
    ldd     r17, Z+3
    adc     r17, r6
    adc     r16, r7
    mov     r0, r17
    lsl     r0
    sbc     r0, r0
    cp      r16, r0
    brne    5f
    mov     r16, r17
    STORE_WIDE wide8, bias8_wide
#endif
#endif
