/* CRC-32, IEEE 802.3, the one of zlib: reflected polynomial 0xEDB88320. */
#ifndef WIRE_CRC32_H
#define WIRE_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Continues a checksum: `crc` is what the call before returned, 0 at first. */
uint32_t wire_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
