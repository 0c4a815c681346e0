/* Comparisons and places that must hold for all numbers. blobs.c, memory_map.c and long_samples.c call them. */
#include "bounds.h"

bool bounds_chunk(size_t total, size_t start, uint8_t count)
{
    return start <= total && count <= total - start && (count != 0 || total == 0);
}

uint16_t bounds_place(uint16_t memory_bytes, uint8_t slot, uint16_t offset)
{
    return slot ? (uint16_t)(((uint32_t)memory_bytes + (UINT16_MAX - offset)) % (UINT16_MAX + UINT32_C(1))) : offset;
}

size_t bounds_checkpoint(uint8_t layers, size_t blob_bytes)
{
    return WIRE_SIZE_CHECKPOINT_RECORD + (layers + 1u) * sizeof(uint16_t) + blob_bytes;
}

size_t bounds_slot(size_t checkpoint_bytes, uint16_t block)
{
    return block > 1 ? (checkpoint_bytes + block - 1) / block * block : checkpoint_bytes;
}

ptrdiff_t bounds_between(uint16_t memory_bytes, size_t slot_bytes)
{
    return (ptrdiff_t)memory_bytes - (ptrdiff_t)(2 * slot_bytes);
}

size_t bounds_dataset(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits)
{
    return (size_t)samples * sample_bytes + ((size_t)samples * class_bits + 7) / 8;
}

uint32_t bounds_missing(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits, ptrdiff_t room)
{
    uint32_t bits = (uint32_t)sample_bytes * 8 + class_bits;
    int32_t bytes = (int32_t)((samples * bits + 7) / 8);
    return bytes > room ? (uint32_t)(bytes - (int32_t)room) : 0;
}

uint16_t bounds_sample(uint16_t index, uint16_t sample_bytes)
{
    return (uint16_t)((uint32_t)index * sample_bytes);
}

bool bounds_part(uint16_t inputs, uint16_t offset, uint8_t count)
{
    return count != 0 && offset <= inputs && count <= inputs - offset;
}

size_t bounds_sample_place(size_t used)
{
    return (used + 3) / 4 * 4;
}

uint32_t bounds_with_sample(uint32_t used, uint16_t inputs, uint16_t targets)
{
    return (used + 3) / 4 * 4 + ((uint32_t)inputs + targets) * 2;
}

uint16_t bounds_class(uint16_t samples, uint16_t sample_bytes, uint8_t class_bits, uint16_t index)
{
    return (uint16_t)((size_t)samples * sample_bytes + (size_t)index * class_bits / 8);
}
