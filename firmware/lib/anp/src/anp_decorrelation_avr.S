/* The update of a decorrelation matrix. A matrix that fits an AVR's address space has at most 181 rows. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

#define MATRIX_INPUT    FRAME_SAVED       /* the next xbar_i */
#define MATRIX_U        FRAME_SAVED+2
#define MATRIX_MANTISSA FRAME_SAVED+4     /* of eps */
#define MATRIX_SHIFT    FRAME_SAVED+6     /* k - 16 */
#define MATRIX_INPUTS   FRAME_SAVED+7
#define MATRIX_LEFT     FRAME_SAVED+8     /* rows */
#define MATRIX_WORD     FRAME_SAVED+9

#define xbar_lo r20
#define xbar_hi r21
#define c_lo    r22            /* c mod 2^16; T is its sign */
#define c_hi    r23
#define word_lo r24
#define word_hi r25

/* In: r31:r30 layer, r25:r24 the dither word, r15:r14 its increment. */
FUNCTION anp_update_matrix
    std     Y+MATRIX_WORD, word_lo
    std     Y+MATRIX_WORD+1, word_hi
    ldd     r21, Z+LAYER_INPUTS
    std     Y+MATRIX_INPUTS, r21
    std     Y+MATRIX_LEFT, r21
    ldd     r12, Z+LAYER_MATRIX
    ldd     r13, Z+LAYER_MATRIX+1
    ldd     r26, Z+LAYER_INPUT
    ldd     r27, Z+LAYER_INPUT+1
    std     Y+MATRIX_INPUT, r26
    std     Y+MATRIX_INPUT+1, r27
    LOAD_NET r30, r31
    ldd     r22, Z+NET_DECORRELATION_RATE
    ldd     r23, Z+NET_DECORRELATION_RATE+1
    ldd     r24, Z+NET_DECORRELATION_RATE+2
    ldd     r25, Z+NET_DECORRELATION_RATE+3
    ldd     r18, Z+NET_PROJECTION
    ldd     r19, Z+NET_PROJECTION+1
    std     Y+MATRIX_U, r18
    std     Y+MATRIX_U+1, r19
    XCALL   anp_normalise
    lsr     r25
    ror     r24
    std     Y+MATRIX_MANTISSA, r24
    std     Y+MATRIX_MANTISSA+1, r25
    ldi     r16, 37 - 16
    sub     r16, r17
    std     Y+MATRIX_SHIFT, r16

    /* u, column by column: r13:r12 the column, r25:r24 bytes of a row, r23:r22 xbar, r21 its values, r20 columns left, Y u */
    movw    r22, r26
    movw    r28, r18
    mov     r24, r21
    clr     r25
    lsl     r24
    rol     r25
    mov     r20, r21
column:
    movw    r26, r22
    movw    r30, r12
    mov     r3, r21
    clr     r6
    ldi     r16, 0x20
    mov     r7, r16
    clr     r8
    clr     r9
    clr     r10
1:  ld      x_lo, X+
    ld      x_hi, X+
    ld      w_lo, Z
    ldd     w_hi, Z+1
    add     r30, r24
    adc     r31, r25
    MULTIPLY_ADD r6, r7, r8, r9, r10
    dec     r3
    brne    1b
    mov     r11, r10
    lsl     r11
    sbc     r11, r11
    ldi     r16, 2
2:  lsl     r7
    rol     r8
    rol     r9
    rol     r10
    rol     r11
    dec     r16
    brne    2b
    st      Y+, r8
    st      Y+, r9
    st      Y+, r10
    st      Y+, r11
    clr     zero
    ldi     r16, 2
    add     r12, r16
    adc     r13, zero
    dec     r20
    brne    column

    FRAME_AT RETURN_BYTES
    ldd     word_lo, Y+MATRIX_WORD
    ldd     word_hi, Y+MATRIX_WORD+1
    ldd     r26, Y+FRAME_LAYER
    ldd     r27, Y+FRAME_LAYER+1
    adiw    r26, LAYER_MATRIX
    ld      r30, X+
    ld      r31, X+
    ldi     r16, 0x20
    mov     r13, r16
matrix_row:
    ldd     r26, Y+MATRIX_INPUT
    ldd     r27, Y+MATRIX_INPUT+1
    ld      xbar_lo, X+
    ld      xbar_hi, X+
    std     Y+MATRIX_INPUT, r26
    std     Y+MATRIX_INPUT+1, r27

    /* c = -((xbar_i m + dith(k)) >> k): shifted by k - 16, together with the whole word, then by 16 */
    ldd     r16, Y+MATRIX_MANTISSA
    ldd     r17, Y+MATRIX_MANTISSA+1
    SIGNED_PRODUCT xbar_lo, xbar_hi, r16, r17
    mov     r8, r7
    lsl     r8
    sbc     r8, r8
    ldd     r18, Y+MATRIX_SHIFT
    tst     r18
    breq    3f
    brmi    2f
1:  asr     r7
    ror     r6
    ror     r5
    ror     r4
    dec     r18
    brne    1b
    rjmp    3f
2:  lsl     r4
    rol     r5
    rol     r6
    rol     r7
    rol     r8
    inc     r18
    brne    2b
3:  add     r4, word_lo
    adc     r5, word_hi
    adc     r6, zero
    adc     r7, zero
    adc     r8, zero
    add     word_lo, r14
    adc     word_hi, r15
    movw    c_lo, r6
    mov     r18, r8
    com     r18
    com     c_hi
    neg     c_lo
    sbci    c_hi, 0xff
    sbci    r18, 0xff
    bst     r18, 7
    ldd     r26, Y+MATRIX_U
    ldd     r27, Y+MATRIX_U+1
    ldd     r3, Y+MATRIX_INPUTS

element:
    ld      r16, Z
    ldd     r17, Z+1
    SIGNED_PRODUCT xbar_lo, xbar_hi, r16, r17
    /* r8:r7:r6 = its half added, * 4 / 2^16 */
    add     r5, r13
    adc     r6, zero
    adc     r7, zero
    mov     r8, r7
    lsl     r8
    sbc     r8, r8
    lsl     r5
    rol     r6
    rol     r7
    rol     r8
    lsl     r5
    rol     r6
    rol     r7
    rol     r8
    mov     r9, r8
    lsl     r9
    sbc     r9, r9
    ld      r18, X+
    ld      r19, X+
    ld      r10, X+
    ld      r11, X+
    sub     r18, r6
    sbc     r19, r7
    sbc     r10, r8
    sbc     r11, r9
    /* T of the specification: r19:r18 = sat16(r11:r10:r19:r18) */
    mov     r0, r19
    lsl     r0
    sbc     r0, r0
    cp      r10, r0
    cpc     r11, r0
    brne    step_overflow
    cpi     r19, 0x80
    breq    step_minimum
step:
    mul     c_lo, r18
    movw    r4, r0
    mulsu   r19, c_hi
    movw    r6, r0
    mulsu   r19, c_lo
    sbc     r7, zero
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
    mul     c_hi, r18
    add     r5, r0
    adc     r6, r1
    adc     r7, zero
    brtc    1f
    sub     r6, r18
    sbc     r7, r19
1:  add     r4, word_lo
    adc     r5, word_hi
    adc     r16, r6
    adc     r17, r7
    brvs    matrix_overflow
    cpi     r17, 0x80
    breq    matrix_minimum
matrix_saturated:
    st      Z+, r16
    st      Z+, r17
    add     word_lo, r14
    adc     word_hi, r15
    dec     r3
    breq    1f
    rjmp    element
1:  ldd     r16, Y+MATRIX_LEFT
    dec     r16
    std     Y+MATRIX_LEFT, r16
    breq    1f
    rjmp    matrix_row
1:  ret

step_overflow:
    movw    r4, r16
    mov     r17, r11
    com     r17                /* the sign that an overflow leaves */
    XCALL   anp_saturate_overflow
    rjmp    1f
step_minimum:
    movw    r4, r16
    movw    r16, r18
    XCALL   anp_saturate_minimum
1:  movw    r18, r16
    movw    r16, r4
    rjmp    step
matrix_overflow:
    XCALL   anp_saturate_overflow
    rjmp    matrix_saturated
matrix_minimum:
    XCALL   anp_saturate_minimum
    rjmp    matrix_saturated
#endif
