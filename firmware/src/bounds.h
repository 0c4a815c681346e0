/* Bounds of what a host asks for, as functions of numbers alone, so that they can be proved for all of them (`make prove`). */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a chunk lies in its blob. Only a blob of no bytes has an empty one. */
/*@ assigns \nothing;
  @ ensures inside: \result ==> start + count <= total;
  @ ensures exact: \result <==> start + count <= total && (count > 0 || total == 0); */
bool bounds_chunk(size_t total, size_t start, uint8_t count);

/* Address of a byte of a slot, which begins at the first address or, downwards, at the last; not below `memory_bytes` where there is none. */
/*@ assigns \nothing;
  @ ensures inside: offset < memory_bytes ==> \result < memory_bytes;
  @ ensures outside: offset >= memory_bytes ==> \result >= memory_bytes;
  @ ensures upwards: slot == 0 ==> \result == offset;
  @ ensures downwards: slot != 0 && offset < memory_bytes ==> \result == memory_bytes - 1 - offset; */
uint16_t bounds_place(uint16_t memory_bytes, uint8_t slot, uint16_t offset);

#endif
