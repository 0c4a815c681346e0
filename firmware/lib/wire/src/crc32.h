/* CRC-32, IEEE 802.3, the one of zlib: reflected polynomial 0xEDB88320. */
#ifndef WIRE_CRC32_H
#define WIRE_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Continues a checksum: `crc` is what the call before returned, 0 at first. */
/*@ requires readable: \valid_read(bytes + (0 .. count - 1));
  @ terminates \true;
  @ assigns \result \from crc, bytes[0 .. count - 1]; */
uint32_t wire_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
