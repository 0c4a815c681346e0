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

/* v in r23:r22:r17:r16 is 2^m (200 code - total), m = -s mod 8, so that v >> s is a matter of whole bytes. */
#define multiplier_lo  r24     /* 200 * 2^m */
#define multiplier_hi  r25
#define gain_lo        r18
#define gain_hi        r19
#define bytes          r3      /* to leave away: 0 for s <= 0, then 1 or 2 */
#define left           r20
#define code_lo        r4
#define code_hi        r5

/* In: r31:r30 noise, r27:r26 values, r22 position, r23 stride, r20 count. */
FUNCTION anp_noise_draw
    clr     zero
    /* Z runs in steps of two strides; r15:r14 is the end of the ring, r13:r12 the step, r11:r10:r9:r8 2^m total */
    movw    r14, r30
    subi    r30, lo8(-NOISE_TOTAL)
    sbci    r31, hi8(-NOISE_TOTAL)
    ld      r8, Z
    ldd     r9, Z+1
    ldd     r10, Z+2
    clr     r11
    ldd     gain_lo, Z+NOISE_GAIN-NOISE_TOTAL
    ldd     gain_hi, Z+NOISE_GAIN-NOISE_TOTAL+1
    ldd     r16, Z+NOISE_SHIFT-NOISE_TOTAL
    movw    r4, r30
    movw    r30, r14
    movw    r14, r4
    add     r30, r22
    adc     r31, zero
    add     r30, r22
    adc     r31, zero
    mov     r12, r23
    clr     r13
    lsl     r12
    rol     r13
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
    add     r30, r12
    adc     r31, r13
    cp      r30, r14
    cpc     r31, r15
    brlo    1f
    subi    r30, lo8(NOISE_TOTAL)
    sbci    r31, hi8(NOISE_TOTAL)
1:  dec     left
    brne    next_value
    ret

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
