/* Places in the nonvolatile memory: checkpoint slot 0 from the first address upwards, slot 1 from the last address downwards, so that both
 * begin at places that depend on nothing; the dataset behind slot 0. docs/memory.md shows the map.
 *
 * Sizes are of type size_t: on a small chip 16 bits, which the checkpoint of a network that fits it cannot exceed. */
#ifndef MEMORY_MAP_H
#define MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anp.h"
#include "board.h"

/* Bytes of a checkpoint of a network with this many layers and bytes of weights and matrices. */
size_t memory_checkpoint_bytes(uint8_t layers, size_t blob_bytes);

/* The same of this network. */
size_t memory_bytes_of(const struct anp_network *net);

/* A checkpoint's bytes in whole blocks: what a slot takes, and where the dataset begins. */
size_t memory_slot_room(const BOARD_FLASH struct board *board, size_t checkpoint_bytes);

/* What is left between two such slots; negative: this many bytes are missing for them. */
ptrdiff_t memory_dataset_room(const BOARD_FLASH struct board *board, size_t checkpoint_bytes);

/* Address of a byte of a slot. */
uint16_t memory_place(const BOARD_FLASH struct board *board, uint8_t slot, uint16_t offset);

/* A byte; beyond the memory, as an erased one. */
uint8_t memory_read(const BOARD_FLASH struct board *board, uint16_t address);

/* Whether the byte stands there. If not, the memory is busy or has begun to write it: ask again in the next turn. Beyond the memory nothing is
 * written, and nothing is waited for. */
bool memory_put(const BOARD_FLASH struct board *board, uint16_t address, uint8_t value);

#endif
