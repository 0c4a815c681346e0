/* Addresses and sizes from the network and the board, and single bytes. The modules of this folder reach the memory through it alone. */
#include "memory_map.h"

#include "bounds.h"

#define ERASED 0xff

size_t memory_checkpoint_bytes(uint8_t layers, size_t blob_bytes)
{
    return bounds_checkpoint(layers, blob_bytes);
}

size_t memory_bytes_of(const struct anp_network *net)
{
    return memory_checkpoint_bytes(net->config.layers, net->at.weights_bytes + net->at.matrices_bytes + (size_t)anp_feedback_bytes(&net->config));
}

size_t memory_slot_room(const BOARD_FLASH struct board *board, size_t checkpoint_bytes)
{
    return bounds_slot(checkpoint_bytes, BOARD(board, memory_block));
}

ptrdiff_t memory_dataset_room(const BOARD_FLASH struct board *board, size_t checkpoint_bytes)
{
    return bounds_between(BOARD(board, memory_bytes), memory_slot_room(board, checkpoint_bytes));
}

uint16_t memory_place(const BOARD_FLASH struct board *board, uint8_t slot, uint16_t offset)
{
    return bounds_place(BOARD(board, memory_bytes), slot, offset);
}

__attribute__((noinline)) uint8_t memory_read(const BOARD_FLASH struct board *board, uint16_t address)
{
    return address < BOARD(board, memory_bytes) ? BOARD_CALL(board, memory_read, address) : ERASED;
}

bool memory_put(const BOARD_FLASH struct board *board, uint16_t address, uint8_t value)
{
    if (!BOARD_DO(board, memory_ready))
        return false;
    if (address >= BOARD(board, memory_bytes) || memory_read(board, address) == value)
        return true;
    BOARD_CALL(board, memory_write, address, value);
    /* A memory that is done at once does not wait for the next turn: on a virtual clock there may be none. */
    return BOARD_DO(board, memory_ready);
}
