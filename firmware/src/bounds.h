/* Bounds of what a host asks for, as functions of numbers alone, so that they can be proved for all of them (`make prove`). */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"

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

/* Bytes of a checkpoint of a network with this many layers and bytes of weights and matrices. */
/*@ requires fits: WIRE_SIZE_CHECKPOINT_RECORD + 2 * (layers + 1) + blob_bytes <= SIZE_MAX;
  @ assigns \nothing;
  @ ensures exact: \result == WIRE_SIZE_CHECKPOINT_RECORD + 2 * (layers + 1) + blob_bytes; */
size_t bounds_checkpoint(uint8_t layers, size_t blob_bytes);

/* Bytes of a slot for a checkpoint, in whole blocks. */
/*@ requires fits: checkpoint_bytes + block <= SIZE_MAX;
  @ assigns \nothing;
  @ ensures room: \result >= checkpoint_bytes;
  @ ensures least: block <= 1 ? \result == checkpoint_bytes : \result < checkpoint_bytes + block;
  @ ensures whole: block > 1 ==> \result == (checkpoint_bytes + block - 1) / block * block; */
size_t bounds_slot(size_t checkpoint_bytes, uint16_t block);

/* Bytes between two such slots; negative: this many are missing for them. */
/*@ requires fits: memory_bytes <= SIZE_MAX / 2 && slot_bytes <= SIZE_MAX / 4;
  @ assigns \nothing;
  @ ensures exact: \result == memory_bytes - 2 * slot_bytes;
  @ ensures size: -(SIZE_MAX / 2) <= \result <= SIZE_MAX / 2; */
ptrdiff_t bounds_between(uint16_t memory_bytes, size_t slot_bytes);

/*@ logic integer dataset_bytes_of(integer samples, integer sample_bytes, integer class_bits) =
  @   samples * sample_bytes + (samples * class_bits + 7) / 8; */

/* Bytes of a dataset. Its packed classes come behind the values of all samples. */
/*@ requires fits: dataset_bytes_of(samples, sample_bytes, class_bits) <= SIZE_MAX / 8;
  @ assigns \nothing;
  @ ensures exact: \result == dataset_bytes_of(samples, sample_bytes, class_bits); */
size_t bounds_dataset(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits);

/* Bytes that a dataset lacks in this room; 0: it fits. */
/*@ requires sample: sample_bytes <= 4096 && class_bits <= 8;
  @ requires memory: -0x40000000 <= room <= UINT16_MAX;
  @ assigns \nothing;
  @ ensures fits: \result == 0 <==> dataset_bytes_of(samples, sample_bytes, class_bits) <= room;
  @ ensures exact: \result != 0 ==> \result == dataset_bytes_of(samples, sample_bytes, class_bits) - room; */
uint32_t bounds_missing(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits, ptrdiff_t room);

/* Offset of a sample's values in its dataset. */
/*@ requires fits: index * sample_bytes <= UINT16_MAX;
  @ assigns \nothing;
  @ ensures exact: \result == index * sample_bytes;
  @ ensures inside: \forall integer samples; index < samples ==> \result + sample_bytes <= samples * sample_bytes; */
uint16_t bounds_sample(uint16_t index, uint16_t sample_bytes);

/* Offset of the byte with a sample's class. */
/*@ requires sample: index < samples && 1 <= class_bits <= 8;
  @ requires fits: dataset_bytes_of(samples, sample_bytes, class_bits) <= UINT16_MAX;
  @ requires size: dataset_bytes_of(samples, sample_bytes, class_bits) <= SIZE_MAX / 8;
  @ assigns \nothing;
  @ ensures exact: \result == samples * sample_bytes + index * class_bits / 8;
  @ ensures inside: \result < dataset_bytes_of(samples, sample_bytes, class_bits); */
uint16_t bounds_class(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits, uint16_t index);

/* Whether a part of a sample lies in its inputs. */
/*@ assigns \nothing;
  @ ensures exact: \result <==> count > 0 && offset + count <= inputs; */
bool bounds_part(uint16_t inputs, uint16_t offset, uint8_t count);

/* Where a sample stands in the arena behind `used` bytes of network. */
/*@ requires fits: used <= SIZE_MAX / 2;
  @ assigns \nothing;
  @ ensures behind: used <= \result <= used + 3;
  @ ensures aligned: \result % 4 == 0; */
size_t bounds_sample_place(size_t used);

/* Bytes of arena that a network takes with a sample behind it. */
/*@ requires fits: used <= 0x40000000;
  @ assigns \nothing;
  @ ensures exact: \result == (used + 3) / 4 * 4 + 2 * (inputs + targets); */
uint32_t bounds_with_sample(uint32_t used, uint16_t inputs, uint16_t targets);

#endif
