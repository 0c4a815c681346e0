/* crc32.c for AVR chips: 48 cycles a byte, where the compiler's code takes 69. A board that trains from its line passes
 * every byte through here, 16 for a sample of 4-8-3. */
#ifdef __AVR__

    .section .progmem.gcc_crc32, "a", @progbits
    .p2align 7 /* both tables in one page of 256 bytes: the upper half of their addresses stays in r31 */
low_half:
    .long 0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3
    .long 0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91
high_half:
    .long 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c
    .long 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c

    .section .text.wire_crc32, "ax", @progbits
    .global wire_crc32
    .type wire_crc32, @function
/* r25:r24:r23:r22 is the checksum, X goes through the bytes up to r21:r20. */
wire_crc32:
    movw    r26, r20
    add     r20, r18
    adc     r21, r19
    com     r22
    com     r23
    com     r24
    com     r25
    ldi     r31, hi8(low_half)
    rjmp    next
byte:
    ld      r18, X+
    eor     r18, r22
    mov     r30, r18
    lsl     r30
    lsl     r30
    andi    r30, 0x3c
    ori     r30, lo8(low_half)
    lpm     r22, Z+
    eor     r22, r23
    lpm     r23, Z+
    eor     r23, r24
    lpm     r24, Z+
    eor     r24, r25
    lpm     r25, Z
    lsr     r18
    lsr     r18
    andi    r18, 0x3c
    ori     r18, lo8(high_half)
    mov     r30, r18
    lpm     r0, Z+
    eor     r22, r0
    lpm     r0, Z+
    eor     r23, r0
    lpm     r0, Z+
    eor     r24, r0
    lpm     r0, Z
    eor     r25, r0
next:
    cp      r26, r20
    cpc     r27, r21
    brne    byte
    com     r22
    com     r23
    com     r24
    com     r25
    ret
    .size wire_crc32, . - wire_crc32

#endif
