/* Two comparisons that must hold for all numbers. blobs.c and memory_map.c call them. */
#include "bounds.h"

bool bounds_chunk(size_t total, size_t start, uint8_t count)
{
    return start <= total && count <= total - start && (count != 0 || total == 0);
}

uint16_t bounds_place(uint16_t memory_bytes, uint8_t slot, uint16_t offset)
{
    return slot ? (uint16_t)(memory_bytes - 1u - offset) : offset;
}
