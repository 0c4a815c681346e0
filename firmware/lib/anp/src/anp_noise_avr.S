/* Random numbers and noise. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

/* uint32_t anp_random(uint32_t *state), an ordinary function. */
FUNCTION anp_random
    movw    r30, r24
    ld      r22, Z
    ldd     r23, Z+1
    ldd     r24, Z+2
    ldd     r25, Z+3
    /* ^= << 13, which is << 16 and >> 3 */
    mov     r18, r24
    movw    r20, r22
    clr     r19
    lsr     r18
    ror     r21
    ror     r20
    ror     r19
    lsr     r18
    ror     r21
    ror     r20
    ror     r19
    lsr     r18
    ror     r21
    ror     r20
    ror     r19
    eor     r23, r19
    eor     r24, r20
    eor     r25, r21
    /* ^= >> 17 */
    movw    r20, r24
    lsr     r21
    ror     r20
    eor     r22, r20
    eor     r23, r21
    /* ^= << 5, a product with 32 */
    ldi     r18, 32
    mul     r24, r18
    movw    r20, r0            /* bytes 2 and 3 */
    mul     r22, r18
    eor     r22, r0
    mov     r19, r1
    mul     r23, r18
    eor     r19, r0
    eor     r20, r1
    mov     r1, r25
    swap    r1
    lsl     r1
    mov     r0, r18
    neg     r0                 /* 0xe0 */
    and     r1, r0
    eor     r23, r19
    eor     r24, r20
    eor     r25, r21
    eor     r25, r1
    clr     r1
    st      Z, r22
    std     Z+1, r23
    std     Z+2, r24
    std     Z+3, r25
    ret

#define RECEIVED (NOISE_RECEIVED - NOISE_TOTAL)
#define POSITION (NOISE_POSITION - NOISE_TOTAL)
#define FILLED   (NOISE_FILLED - NOISE_TOTAL)

/* void anp_noise_put_all(struct anp_noise *noise, const uint16_t *codes, uint8_t count), an ordinary function. 26 cycles per code. The total
 * of 200 codes has 3 bytes. */
FUNCTION anp_noise_put_all
    movw    r26, r22
    movw    r30, r24
    subi    r30, lo8(-NOISE_TOTAL)
    sbci    r31, hi8(-NOISE_TOTAL)
    movw    r22, r30           /* the end of the ring */
    ldd     r18, Z+RECEIVED
    add     r18, r20
    std     Z+RECEIVED, r18
    ldd     r18, Z+RECEIVED+1
    adc     r18, r1
    std     Z+RECEIVED+1, r18
    ldd     r18, Z+RECEIVED+2
    adc     r18, r1
    std     Z+RECEIVED+2, r18
    ldd     r18, Z+RECEIVED+3
    adc     r18, r1
    std     Z+RECEIVED+3, r18
    ldd     r18, Z+FILLED
    add     r18, r20
    brcs    1f
    cpi     r18, 200
    brlo    2f
1:  ldi     r18, 200
2:  std     Z+FILLED, r18
    ldd     r0, Z+POSITION
    ld      r18, Z
    ldd     r19, Z+1
    ldd     r21, Z+2
    movw    r30, r24
    add     r30, r0
    adc     r31, r1
    add     r30, r0
    adc     r31, r1
    tst     r20
    breq    6f
3:  ld      r0, Z              /* 0 before the place's first code */
    ldd     r1, Z+1
    sub     r18, r0
    sbc     r19, r1
    sbci    r21, 0
    ld      r0, X+
    ld      r1, X+
    add     r18, r0
    adc     r19, r1
    brcc    4f
    inc     r21
4:  st      Z+, r0
    st      Z+, r1
    cp      r30, r22
    cpc     r31, r23
    brne    5f
    movw    r30, r24
5:  dec     r20
    brne    3b
    clr     r1
6:  sub     r30, r24
    sbc     r31, r25
    lsr     r31
    ror     r30
    mov     r20, r30
    movw    r30, r22
    st      Z, r18
    std     Z+1, r19
    std     Z+2, r21
    std     Z+POSITION, r20
    ret

#define left           r20
#define total_at       r14     /* r15:r14: the end of the ring, where the noise keeps the total of its codes */
#define step           r12     /* r13:r12: two strides */

.macro NEXT_VALUE again
    add     r30, r12
    adc     r31, r13
    cp      r30, r14
    cpc     r31, r15
    brlo    1f
    subi    r30, lo8(NOISE_TOTAL)
    sbci    r31, hi8(NOISE_TOTAL)
1:  dec     left
    brne    \again
    ret
.endm

/* In: r31:r30 noise, r27:r26 values, r22 position, r23 stride, r20 count.
 *
 * With s <= 3 values that do not saturate are linear in the code, 200 being a multiple of 2^3:
 * n = (factor * (code - base) + offset) >> 16, with the factor in r7:r6:r5:r4, the offset in r11:r10:r9:r8, the base in r25:r24, and
 * the highest code - base in r3. */
FUNCTION anp_noise_draw
    clr     zero
    movw    r24, r30
    subi    r30, lo8(-NOISE_TOTAL)
    sbci    r31, hi8(-NOISE_TOTAL)
    movw    total_at, r30
    ld      r8, Z
    ldd     r9, Z+1
    ldd     r10, Z+2
    ldd     r18, Z+NOISE_GAIN-NOISE_TOTAL
    ldd     r19, Z+NOISE_GAIN-NOISE_TOTAL+1
    ldd     r16, Z+NOISE_SHIFT-NOISE_TOTAL
    movw    r30, r24
    add     r30, r22
    adc     r31, zero
    add     r30, r22
    adc     r31, zero
    mov     r12, r23
    clr     r13
    lsl     r12
    rol     r13
    neg     r16
    cpi     r16, 6             /* beyond 5 too few codes do not saturate */
    brlo    1f
    cpi     r16, -3
    brsh    1f
    rjmp    draw_any

    /* r25:r24 = total // 200, or one less: the product with 2^23 / 200 without its lowest byte */
1:  ldi     r17, lo8(41943)
    ldi     r21, hi8(41943)
    clr     r24
    clr     r25
    mul     r8, r21
    movw    r22, r0
    mul     r9, r17
    add     r22, r0
    adc     r23, r1
    adc     r24, zero
    mul     r9, r21
    add     r23, r0
    adc     r24, r1
    adc     r25, zero
    mul     r10, r17
    add     r23, r0
    adc     r24, r1
    adc     r25, zero
    mul     r10, r21
    add     r24, r0
    adc     r25, r1
    lsl     r23
    rol     r24
    rol     r25

    /* the factor is 200 gain 2^-s; less than 163 * 2^s codes from the mean nothing saturates */
    ldi     r17, 200
    mov     r21, r16
    tst     r21
    brpl    2f
1:  lsr     r17
    inc     r21
    brne    1b
2:  mul     r18, r17
    movw    r4, r0
    mul     r19, r17
    clr     r7
    add     r5, r0
    mov     r6, r1
    adc     r6, zero
    ldi     r23, 128
    tst     r21
    breq    2f
    ldi     r23, 163
1:  lsr     r23
    lsl     r4
    rol     r5
    rol     r6
    rol     r7
    dec     r21
    brne    1b
2:  dec     r23
    sub     r24, r23
    sbc     r25, zero
    lsl     r23
    mov     r3, r23

    /* r23:r22 = (200 base - total) * 2^-s, and the offset is its product with the gain, and 2^15 */
    ldi     r17, 200
    mul     r24, r17
    movw    r22, r0
    mul     r25, r17
    add     r23, r0
    sub     r22, r8
    sbc     r23, r9
    tst     r16
    breq    4f
    brpl    3f
1:  asr     r23
    ror     r22
    inc     r16
    brne    1b
    rjmp    4f
3:  lsl     r22
    rol     r23
    dec     r16
    brne    3b
4:  mul     r22, r18
    movw    r8, r0
    mulsu   r23, r19
    movw    r10, r0
    mulsu   r23, r18
    sbc     r11, zero
    add     r9, r0
    adc     r10, r1
    adc     r11, zero
    mul     r22, r19
    add     r9, r0
    adc     r10, r1
    adc     r11, zero
    ldi     r16, 0x80
    add     r9, r16
    adc     r10, zero
    adc     r11, zero

next_linear:
    ld      r18, Z
    ldd     r19, Z+1
    sub     r18, r24
    sbc     r19, r25
    cp      r3, r18
    cpc     zero, r19
    brlo    draw_any
    mul     r18, r4
    movw    r16, r0
    mul     r18, r6
    movw    r22, r0
    mul     r18, r5
    add     r17, r0
    adc     r22, r1
    adc     r23, zero
    mul     r18, r7
    add     r23, r0
    add     r16, r8
    adc     r17, r9
    adc     r22, r10
    adc     r23, r11
    st      X+, r22
    st      X+, r23
    NEXT_VALUE next_linear

/* The other values, and those that follow them. v in r23:r22:r17:r16 is 2^m (200 code - total), m = -s mod 8, so that v >> s is a
 * matter of whole bytes. */
#define multiplier_lo  r24     /* 200 * 2^m */
#define multiplier_hi  r25
#define gain_lo        r18
#define gain_hi        r19
#define bytes          r3      /* to leave away: 0 for s <= 0, then 1 or 2 */
#define code_lo        r4
#define code_hi        r5
draw_any:
    movw    r4, r30
    movw    r30, total_at
    ld      r8, Z
    ldd     r9, Z+1
    ldd     r10, Z+2
    clr     r11
    ldd     gain_lo, Z+NOISE_GAIN-NOISE_TOTAL
    ldd     gain_hi, Z+NOISE_GAIN-NOISE_TOTAL+1
    ldd     r16, Z+NOISE_SHIFT-NOISE_TOTAL
    movw    r30, r4
    mov     r17, r16
    subi    r17, -7
    lsr     r17
    lsr     r17
    lsr     r17
    mov     bytes, r17
    ldi     multiplier_lo, 200
    ldi     multiplier_hi, 0
    neg     r16
    andi    r16, 7
    breq    next_value
1:  lsl     multiplier_lo
    rol     multiplier_hi
    lsl     r8
    rol     r9
    rol     r10
    rol     r11
    dec     r16
    brne    1b

next_value:
    ld      code_lo, Z
    ldd     code_hi, Z+1
    mul     code_lo, multiplier_lo
    movw    r16, r0
    mul     code_hi, multiplier_hi
    movw    r22, r0
    mul     code_hi, multiplier_lo
    add     r17, r0
    adc     r22, r1
    adc     r23, zero
    mul     code_lo, multiplier_hi
    add     r17, r0
    adc     r22, r1
    adc     r23, zero
    sub     r16, r8
    sbc     r17, r9
    sbc     r22, r10
    sbc     r23, r11
    tst     bytes
    brne    fewer_bytes
check:
    mov     r4, r17
    lsl     r4
    sbc     r4, r4
    cp      r22, r4
    cpc     r23, r4
    brne    saturate
    cpi     r17, 0x80
    breq    minimum
saturated:
    /* n = r23:r22 = round(r17:r16 * gain, 16) */
    mul     r16, gain_lo
    mov     r4, r1
    mulsu   r17, gain_hi
    movw    r22, r0
    mulsu   r17, gain_lo
    sbc     r23, zero
    add     r4, r0
    adc     r22, r1
    adc     r23, zero
    mul     r16, gain_hi
    add     r4, r0
    adc     r22, r1
    adc     r23, zero
    lsl     r4
    adc     r22, zero
    adc     r23, zero
    st      X+, r22
    st      X+, r23
    NEXT_VALUE next_value

fewer_bytes:
    mov     r16, r17
    mov     r17, r22
    mov     r22, r23
    lsl     r23
    sbc     r23, r23
    mov     r0, bytes
    dec     r0
    breq    check
    mov     r16, r17
    mov     r17, r22
    mov     r22, r23
    rjmp    check
saturate:
    mov     r17, r23           /* with the right sign ... */
    com     r17                /* ... as the sum it would have overflowed to */
    XCALL   anp_saturate_overflow
    rjmp    saturated
minimum:
    XCALL   anp_saturate_minimum
    rjmp    saturated
#endif
