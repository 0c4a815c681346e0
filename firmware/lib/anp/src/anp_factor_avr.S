/* What makes one number of many: losses, sums of squares, the global factor. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

/* In: r27:r26 values, r20 count. Out: r25:r24:r23:r22. Keeps r15..r11, r21, r31..r28. */
FUNCTION anp_sum_of_squares
    clr     r3
    clr     r6
    clr     r7
    clr     r10
    movw    r8, r6
1:  ld      x_lo, X+
    ld      x_hi, X+
    SQUARE_ADD
    dec     r20
    brne    1b
    movw    r22, r6
    movw    r24, r8
    tst     r10
    brne    2f
    ret
2:  clr     zero
    XCALL   anp_count_saturation
    ldi     r22, 0xff
    ldi     r23, 0xff
    movw    r24, r22
    ret

/* uint32_t anp_squared_loss(const int16_t *y, const int16_t *target, uint16_t outputs, uint32_t *saturations) */
FUNCTION anp_squared_loss
    .irp    register, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17
    push    r\register
    .endr
    subi    r18, NET_SATURATIONS
    sbci    r19, 0
    push    r19
    push    r18
    movw    r26, r24
    movw    r30, r22
    rcall   anp_loss_squared
    pop     r18
    pop     r19
    .irp    register, 17, 16, 10, 9, 8, 7, 6, 5, 4, 3, 2
    pop     r\register
    .endr
    clr     r1
    ret

/* In: r27:r26 outputs, r31:r30 targets, r20 count. Out: r25:r24:r23:r22. */
    .global anp_loss_squared
    .type   anp_loss_squared, @function
anp_loss_squared:
    clr     r3
    clr     r6
    clr     r7
    clr     r10
    movw    r8, r6
1:  ld      x_lo, X+
    ld      x_hi, X+
    ld      r0, Z+
    ld      r1, Z+
    sub     x_lo, r0
    sbc     x_hi, r1
    brvs    overflow
    cpi     x_hi, 0x80
    breq    minimum
error:
    SQUARE_ADD
    dec     r20
    brne    1b
    movw    r22, r6
    movw    r24, r8
    lsl     r9
    adc     r10, r10
    brne    2f
    ret
2:  clr     zero
    XCALL   anp_count_saturation
    ldi     r22, 0xff
    ldi     r23, 0xff
    movw    r24, r22
    subi    r25, 0x80
    ret
overflow:
    clr     zero
    XCALL   anp_saturate_overflow
    rjmp    error
minimum:
    clr     zero
    XCALL   anp_saturate_minimum
    rjmp    error

/* r25:r24 = norm16(r25:r24:r23:r22), r17 = its bits. */
    .global anp_normalise
    .type   anp_normalise, @function
anp_normalise:
    ldi     r17, 32
    tst     r25
    brne    2f
1:  mov     r25, r24
    mov     r24, r23
    mov     r23, r22
    clr     r22
    subi    r17, 8
    tst     r25
    breq    1b
2:  brmi    4f
3:  dec     r17
    lsl     r23
    rol     r24
    rol     r25
    brpl    3b
4:  ret

/* In: r25..r22 S, r21..r18 dL, r27:r26 mantissa of eta N, r16 its bits. Out: r19:r18 mantissa, r16 exponent. Uses Z. */
FUNCTION anp_global_factor
    movw    r10, r18
    movw    r12, r20
    rcall   anp_normalise
    movw    r4, r24            /* the divisor */
    sub     r16, r17
    movw    r22, r10
    movw    r24, r12
    bst     r25, 7
    brtc    1f
    com     r25
    com     r24
    com     r23
    neg     r22
    sbci    r23, 0xff
    sbci    r24, 0xff
    sbci    r25, 0xff
1:  rcall   anp_normalise
    add     r16, r17           /* bits(eta N) - bits(S) + bits(dL) */

    /* A reciprocal of 9 bits from the table makes one of 16, r21:r20, by one step of Newton's: 2^32 / divisor - 2^16 with an error of
     * -2 .. 3. With r = 256 + r18 and r * divisor = 2^24 + 2^8 e it is 2^8 r - r e / 2^8 - 2^16. */
    clr     zero
    mov     r30, r5
    andi    r30, 0x7f
    ldi     r31, 0
    subi    r30, lo8(-(reciprocals))
    sbci    r31, hi8(-(reciprocals))
    lpm     r18, Z
    mul     r4, r18
    mov     r7, r1
    mul     r5, r18
    add     r7, r0
    mov     r8, r1
    adc     r8, zero
    add     r7, r4
    adc     r8, r5             /* r8:r7 = e */
    mul     r7, r18
    mov     r9, r1
    mov     r20, r8
    mulsu   r20, r18
    add     r7, r0
    adc     r8, r1
    add     r7, r9
    adc     r8, zero
    ldi     r20, 0xff
    mov     r21, r18
    dec     r21
    sub     r20, r7
    sbc     r21, r8

    /* r19:r18 = (r25:r24 << 15) / r5:r4, first too low by up to 4 */
    mul     r24, r20
    mov     r6, r1
    mul     r25, r21
    movw    r8, r0
    mul     r24, r21
    add     r6, r0
    adc     r8, r1
    adc     r9, zero
    mul     r25, r20
    add     r6, r0
    adc     r8, r1
    adc     r9, zero
    add     r8, r24
    adc     r9, r25
    ror     r9
    ror     r8
    movw    r18, r8
    subi    r18, 1
    sbci    r19, 0
    clr     r22
    clr     r23
    lsr     r25
    ror     r24
    ror     r23
    mul     r18, r4
    sub     r22, r0
    sbc     r23, r1
    sbc     r24, zero
    mul     r18, r5
    sub     r23, r0
    sbc     r24, r1
    mul     r19, r4
    sub     r23, r0
    sbc     r24, r1
    mul     r19, r5
    sub     r24, r0
    rjmp    3f
2:  subi    r18, 0xff
    sbci    r19, 0xff
3:  sub     r22, r4
    sbc     r23, r5
    sbc     r24, zero
    brcc    2b

    /* r25:r24:r23 = the quotient times the mantissa of eta N, and r19:r18 the 15 bits from its highest */
    mul     r18, r26
    mov     r23, r1
    mul     r19, r27
    movw    r24, r0
    mul     r18, r27
    add     r23, r0
    adc     r24, r1
    adc     r25, zero
    mul     r19, r26
    add     r23, r0
    adc     r24, r1
    adc     r25, zero
    subi    r16, 74 - 32
    rjmp    5f
4:  lsl     r23
    rol     r24
    rol     r25
    dec     r16
5:  sbrs    r25, 7
    rjmp    4b
    lsr     r25
    ror     r24
    movw    r18, r24
    brts    6f
    com     r19                /* descent: against a positive dL */
    neg     r18
    sbci    r19, 0xff
6:  ret

/* 2^16 / (i + 128.5) - 256 */
    .section .progmem.data.anp_reciprocals, "a", @progbits
reciprocals:
    .byte   254, 250, 246, 242, 238, 234, 231, 227, 224, 220, 217, 213, 210, 207, 203, 200
    .byte   197, 194, 191, 188, 185, 182, 179, 176, 173, 170, 168, 165, 162, 160, 157, 154
    .byte   152, 149, 147, 144, 142, 139, 137, 135, 132, 130, 128, 126, 123, 121, 119, 117
    .byte   115, 113, 111, 109, 107, 105, 103, 101, 99, 97, 95, 93, 91, 89, 88, 86
    .byte   84, 82, 80, 79, 77, 75, 74, 72, 70, 69, 67, 66, 64, 62, 61, 59
    .byte   58, 56, 55, 53, 52, 50, 49, 48, 46, 45, 43, 42, 41, 39, 38, 37
    .byte   35, 34, 33, 32, 30, 29, 28, 27, 25, 24, 23, 22, 21, 19, 18, 17
    .byte   16, 15, 14, 13, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#endif
