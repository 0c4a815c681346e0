/* Half a byte at a time through two tables. Frames, uploads and checkpoints call it. An AVR has crc32_avr.S. */
#include "crc32.h"

#ifndef __AVR__

/* The table for a byte is the sum of two for its halves: 128 bytes instead of 1024, and unlike four bits at a time no shift but by whole
 * bytes. */
static const uint32_t low_half[16] = {
    0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3,
    0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91,
};
static const uint32_t high_half[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t wire_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    crc = ~crc;
    /*@ loop invariant inside: \base_addr(bytes) == \base_addr(\at(bytes, Pre)) && \at(bytes, Pre) <= bytes <= \at(bytes, Pre) + count;
      @ loop assigns bytes, crc;
      @ loop variant \at(bytes, Pre) + count - bytes; */
    for (const uint8_t *end = bytes + count; bytes != end; bytes++) {
        uint8_t index = (uint8_t)(crc ^ *bytes);
        crc = (crc >> 8) ^ low_half[index % 16] ^ high_half[index / 16];
    }
    return ~crc;
}
#endif
