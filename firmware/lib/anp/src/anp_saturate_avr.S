/* What saturates, out of the way of what does not. On the stack lie, from the top, two return addresses and a pointer from
 * which the counter of saturations is NET_SATURATIONS away; r2 is 0. All other registers than r0, r1 and r17:r16 are kept. */
#if defined __AVR__ && !defined ANP_PORTABLE
#include "anp_macros_avr.h"

/* r17:r16 is a sum that overflowed: its sign is wrong. */
FUNCTION anp_saturate_overflow
    lsl     r17
    brcs    limit_positive
limit_negative:
    ldi     r16, 0x01
    ldi     r17, 0x80
    rjmp    count
limit_positive:
    ldi     r16, 0xff
    ldi     r17, 0x7f
count:
    push    r30
    push    r31
    in      r30, SPL_IO
    in      r31, SPH_IO
    ldd     r0, Z+2*RETURN_BYTES+3
    ldd     r31, Z+2*RETURN_BYTES+4
    mov     r30, r0
    sec
    ldd     r0, Z+NET_SATURATIONS
    adc     r0, zero
    std     Z+NET_SATURATIONS, r0
    ldd     r0, Z+NET_SATURATIONS+1
    adc     r0, zero
    std     Z+NET_SATURATIONS+1, r0
    ldd     r0, Z+NET_SATURATIONS+2
    adc     r0, zero
    std     Z+NET_SATURATIONS+2, r0
    ldd     r0, Z+NET_SATURATIONS+3
    adc     r0, zero
    std     Z+NET_SATURATIONS+3, r0
    pop     r31
    pop     r30
    ret

/* r17 is 0x80: -32768 is one too low. */
    .global anp_saturate_minimum
    .type   anp_saturate_minimum, @function
anp_saturate_minimum:
    tst     r16
    breq    limit_negative
    ret

/* r17:r16 = sat16 of a sum in units of 2^-8 in r11:r10:r9:r8, from which r17 * 2^16 is first taken away, shifted right by r16
 * and with r19:r18 added. Uses r0, r8..r11. */
    .global anp_saturate_sum
    .type   anp_saturate_sum, @function
anp_saturate_sum:
    sub     r10, r17
    sbc     r11, zero
1:  asr     r11
    ror     r10
    ror     r9
    ror     r8
    dec     r16
    brne    1b
    mov     r0, r19
    lsl     r0
    sbc     r0, r0
    add     r8, r18
    adc     r9, r19
    adc     r10, r0
    adc     r11, r0
    movw    r16, r8
    lsl     r9
    sbc     r0, r0
    cp      r10, r0
    cpc     r11, r0
    brne    2f
    cpi     r17, 0x80
    breq    anp_saturate_minimum
    ret
2:  sbrc    r11, 7
    rjmp    limit_negative
    rjmp    limit_positive

/* Counts one. */
    .global anp_count_saturation
    .type   anp_count_saturation, @function
anp_count_saturation:
    rjmp    count

#ifndef ANP_INT16_ONLY
/* The int32 at Z becomes the limit of r16's sign; Z passes on. Uses r17. */
    .global anp_saturate_wide
    .type   anp_saturate_wide, @function
anp_saturate_wide:
    ldi     r17, 0x80
    std     Z+3, r17
    ldi     r17, 0x01
    st      Z, r17
    std     Z+1, zero
    std     Z+2, zero
    sbrc    r16, 7
    rjmp    1f
    ldi     r17, 0xff
    st      Z, r17
    std     Z+1, r17
    std     Z+2, r17
    ldi     r17, 0x7f
    std     Z+3, r17
1:  adiw    r30, 4
    rjmp    count

/* The int32 at Z, whose highest byte is r16 = 0x80 and not stored yet: -2^31 is one too low. */
    .global anp_saturate_wide_minimum
    .type   anp_saturate_wide_minimum, @function
anp_saturate_wide_minimum:
    ld      r17, Z
    ldd     r0, Z+1
    or      r17, r0
    ldd     r0, Z+2
    or      r17, r0
    breq    anp_saturate_wide
    std     Z+3, r16
    adiw    r30, 4
    ret
#endif
#endif
