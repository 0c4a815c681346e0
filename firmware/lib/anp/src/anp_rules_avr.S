/* The products of the feedback (shared/numerics.md, section 13), as functions that C calls. */
#if defined __AVR__ && !defined ANP_PORTABLE && !defined ANP_ONE_RULE && !defined ANP_NO_FEEDBACK
#include "anp_macros_avr.h"

/* r25:r24:r23:r22 += (r19:r18 * r21:r20) >> 8, 26 cycles: of the lowest byte nothing but the product of the lower bytes is part, so that it can
 * be left out. r13 is 0. */
.macro ADD_UPPER sign_of
    mul     r18, r20
    add     r22, r1
    adc     r23, r13
    adc     r24, r13
    adc     r25, r13
    muls    r19, r21
    sbc     \sign_of, \sign_of
    add     r23, r0
    adc     r24, r1
    adc     r25, \sign_of
    mulsu   r19, r20
    sbc     \sign_of, \sign_of
    add     r22, r0
    adc     r23, r1
    adc     r24, \sign_of
    adc     r25, \sign_of
    mulsu   r21, r18
    sbc     \sign_of, \sign_of
    add     r22, r0
    adc     r23, r1
    adc     r24, \sign_of
    adc     r25, \sign_of
.endm

/* The 32 bits at Z, one more; r18, r19 */
.macro COUNT_SATURATION
    ld      r18, Z
    ldd     r19, Z+1
    subi    r18, 0xff
    sbci    r19, 0xff
    st      Z, r18
    std     Z+1, r19
    ldd     r18, Z+2
    ldd     r19, Z+3
    sbci    r18, 0xff
    sbci    r19, 0xff
    std     Z+2, r18
    std     Z+3, r19
.endm

/* hi:lo = +-32767 by the sign of a register; r18, r19 */
.macro LIMIT sign_of, lo, hi
    ldi     r18, 0xff
    ldi     r19, 0x7f
    sbrs    \sign_of, 7
    rjmp    9f
    ldi     r18, 1
    ldi     r19, 0x80
9:  mov     \lo, r18
    mov     \hi, r19
.endm

/* int32_t anp_sum_of_upper(const int16_t *row, uint16_t stride, const int16_t *x, uint8_t count), an ordinary function.
 * X row, Z x, r25:r24:r23:r22 the sum, r15:r14 what is between two values of the row, r12 the count, r13 0, r17 sign */
FUNCTION anp_sum_of_upper
    push    r12
    push    r13
    push    r14
    push    r15
    push    r17
    movw    r26, r24
    movw    r30, r20
    movw    r14, r22
    lsl     r14
    rol     r15
    mov     r12, r18
    clr     r13
    clr     r22
    clr     r23
    movw    r24, r22
1:  ld      r18, X+
    ld      r19, X
    sbiw    r26, 1
    add     r26, r14
    adc     r27, r15
    ld      r20, Z+
    ld      r21, Z+
    ADD_UPPER r17
    dec     r12
    brne    1b
    clr     r1
    pop     r17
    pop     r15
    pop     r14
    pop     r13
    pop     r12
    ret

/* void anp_signals(struct anp_network *net, const struct anp_layer *layer, const int16_t *b, const int16_t *error, uint8_t outputs), an
 * ordinary function.
 * X b, Z the error or what the layer gave on, Y the signals, r25:r24:r23:r22 the sum, r7:r6 network, r8 slope, r9 sign, r11:r10 the error,
 * r12 units left, r13 0, r15:r14 what the next unit gave on, r16 outputs, r17 outputs left */
FUNCTION anp_signals
    .irp    register, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 28, 29
    push    r\register
    .endr
    movw    r6, r24
    movw    r10, r18
    movw    r26, r20
    movw    r30, r22
    ldd     r12, Z+LAYER_UNITS
    ldd     r28, Z+LAYER_DIFFERENCE
    ldd     r29, Z+LAYER_DIFFERENCE+1
    movw    r30, r24
    ldd     r8, Z+NET_SLOPE
    ldd     r18, Z+NET_UNITS
    clr     r13
    movw    r14, r28
    .rept   4
    add     r14, r18
    adc     r15, r13
    .endr
1:  movw    r30, r10
    mov     r17, r16
    clr     r22
    clr     r23
    movw    r24, r22
2:  ld      r18, X+
    ld      r19, X+
    ld      r20, Z+
    ld      r21, Z+
    ADD_UPPER r9
    dec     r17
    brne    2b
    subi    r22, 0xf8
    sbci    r23, 0xff
    sbci    r24, 0xff
    sbci    r25, 0xff
    .rept   4
    asr     r25
    ror     r24
    ror     r23
    ror     r22
    .endr
    mov     r18, r23
    lsl     r18
    sbc     r18, r18
    cp      r24, r18
    cpc     r25, r18
    brne    8f
    cpi     r23, 0x80
    brne    3f
    tst     r22
    breq    8f
3:  movw    r30, r14
    adiw    r30, 1
    ld      r18, Z+
    movw    r14, r30
    tst     r18
    brpl    7f
    mov     r18, r8
    tst     r23
    brmi    5f
4:  lsr     r23
    ror     r22
    dec     r18
    brne    4b
    rjmp    7f
5:  com     r23
    neg     r22
    sbci    r23, 0xff
6:  lsr     r23
    ror     r22
    dec     r18
    brne    6b
    com     r23
    neg     r22
    sbci    r23, 0xff
7:  st      Y+, r22
    st      Y+, r23
    dec     r12
    breq    7f
    rjmp    1b
7:  clr     r1
    .irp    register, 29, 28, 17, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6
    pop     r\register
    .endr
    ret
8:  movw    r30, r6            /* limited, and counted */
    adiw    r30, NET_SATURATIONS
    COUNT_SATURATION
    LIMIT   r25, r22, r23
    rjmp    3b

/* void anp_add_outer(int16_t *row, int16_t change, const int16_t *rest, uint8_t count, uint8_t shift, uint32_t *saturations), an ordinary
 * function.
 * X row, Z rest, r23:r22 the change, r12 the count, r17 what is left of the shift, r21:r20 the value of the row and r13 its sign */
FUNCTION anp_add_outer
    .irp    register, 2, 4, 5, 6, 7, 12, 13, 17
    push    r\register
    .endr
    movw    r26, r24
    movw    r30, r20
    mov     r12, r18
    clr     zero
1:  ld      r18, Z+
    ld      r19, Z+
    SIGNED_PRODUCT r22, r23, r18, r19
    ld      r20, X+
    ld      r21, X
    mov     r13, r21
    lsl     r13
    sbc     r13, r13
    mov     r17, r16
2:  cpi     r17, 9
    brlo    3f
    movw    r18, r6
    mov     r4, r5
    mov     r5, r18
    mov     r6, r19
    lsl     r19
    sbc     r7, r7
    subi    r17, 8
    rjmp    2b
3:  asr     r7
    ror     r6
    ror     r5
    ror     r4
    dec     r17
    brne    3b
    adc     r4, r20            /* the bit that was shifted out last rounds */
    adc     r5, r21
    adc     r6, r13
    adc     r7, r13
    mov     r18, r5
    lsl     r18
    sbc     r18, r18
    cp      r6, r18
    cpc     r7, r18
    brne    5f
    mov     r18, r5
    cpi     r18, 0x80
    brne    4f
    tst     r4
    breq    5f
4:  st      X, r5
    st      -X, r4
    adiw    r26, 2
    dec     r12
    brne    1b
    clr     r1
    .irp    register, 17, 13, 12, 7, 6, 5, 4, 2
    pop     r\register
    .endr
    ret
5:  movw    r20, r30           /* limited, and counted */
    movw    r30, r14
    COUNT_SATURATION
    movw    r30, r20
    LIMIT   r7, r4, r5
    rjmp    4b
#endif
