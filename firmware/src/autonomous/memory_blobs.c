/* Blobs of the nonvolatile memory: a dataset, and checkpoints; written as fast as that takes them. */
#include "autonomous.h"
#include "checkpoint.h"
#include "crc32.h"
#include "dataset.h"
#include "device.h"
#include "memory_map.h"
#include "restore.h"
#include "slots.h"

#define FLUSHED 0xff              /* of blobs.written, which is a byte count else */
#define COMMIT_BYTES 2            /* of a slot: they must not count before the checkpoint is complete */
#define ERASED 0xff

_Static_assert(WIRE_MAX_PAYLOAD - WIRE_SIZE_SET_BLOB < FLUSHED, "a chunk is shorter");

size_t autonomous_blob_expected(const struct device *device, const struct wire_set_blob *header)
{
    if (header->offset)
        return device->blobs.total;
    if (header->blob == WIRE_BLOB_KIND_DATASET)
        return (size_t)(device->autonomous.dataset.samples ? dataset_bytes(device) : 0);
    uint16_t most = BOARD(device->board, memory_bytes) / 2;
    return header->total > WIRE_SIZE_CHECKPOINT_RECORD && header->total <= most ? (size_t)header->total : 0;
}

/* True when the byte stands in the memory. */
static bool put(const struct device *device, uint8_t kind, uint16_t offset, uint8_t byte)
{
    const BOARD_FLASH struct board *board = device->board;
    if (kind == WIRE_BLOB_KIND_DATASET)
        return memory_put(board, (uint16_t)(dataset_place(device) + offset), byte);
    uint16_t place = memory_place(board, checkpoint_next_slot(&device->autonomous.checkpoint), offset);
    return memory_put(board, place, offset < COMMIT_BYTES ? ERASED : byte);
}

/* Whether a checkpoint is so large that it fits next to the dataset in use in slot 1 at most. */
static bool is_confined(const struct device *device, uint16_t room)
{
    return device->autonomous.dataset.complete && room > dataset_place(device);
}

static enum wire_result complete(struct device *device, const struct wire_set_blob *header)
{
    device->blobs.offset = 0;
    bool checkpoint = header->blob == WIRE_BLOB_KIND_CHECKPOINT;
    if (device->blobs.crc != header->crc || (!checkpoint && !dataset_check(device)))
        return device_refuse(device, WIRE_ERROR_BAD_CHECKSUM, 0);
    return checkpoint ? checkpoint_import(device) : WIRE_DONE;
}

enum wire_result autonomous_blob_write(struct device *device, const struct wire_set_blob *header, uint8_t count)
{
    struct blobs *blobs = &device->blobs;
    const BOARD_FLASH struct board *board = device->board;
    const uint8_t *data = (const uint8_t *)(header + 1);
    uint16_t start = (uint16_t)header->offset, room = (uint16_t)memory_slot_room(board, (size_t)header->total);
    if (start == 0 && blobs->written == 0) {
        uint16_t commit = (uint16_t)(data[0] | (count > 1 ? (uint16_t)data[1] << 8 : 0));
        if (header->blob == WIRE_BLOB_KIND_CHECKPOINT && !slot_is_committed(commit))
            return device_refuse(device, WIRE_ERROR_BAD_CHECKPOINT, commit >> 8 == WIRE_CHECKPOINT_COMMIT >> 8 ? commit & 0xffu : 0);
        if (header->blob == WIRE_BLOB_KIND_DATASET) {
            device->autonomous.dataset.complete = false;
        } else if (is_confined(device, room)) {
            /* A refused upload changes nothing, and a power cut leaves a board that learns. */
            if (dataset_place(device) + dataset_bytes(device) + room > BOARD(board, memory_bytes) || blobs->damaged)
                return device_refuse(device, WIRE_ERROR_OCCUPIED, 0);
            /* After one save more it is slot 1's turn. */
            if (checkpoint_next_slot(&device->autonomous.checkpoint) == 0) {
                device->autonomous.checkpoint.wanted = true;
                return WIRE_LATER;
            }
        }
        blobs->kind = header->blob;
        blobs->total = (size_t)header->total;
        blobs->crc = 0;
    }
    for (; blobs->written < count; blobs->written++) {
        if (!put(device, header->blob, (uint16_t)(start + blobs->written), data[blobs->written]))
            return WIRE_LATER;
    }
    uint16_t end = (uint16_t)(start + count);
    bool last = end == (uint16_t)blobs->total;
    if (last && blobs->written != FLUSHED) {
        BOARD_DO(board, memory_flush);
        blobs->written = FLUSHED;
    }
    if (!BOARD_DO(board, memory_ready))
        return WIRE_LATER;
    blobs->written = 0;
    blobs->crc = wire_crc32(blobs->crc, data, count);
    blobs->offset = end;
    return last ? complete(device, header) : WIRE_DONE;
}

size_t autonomous_blob_bytes(const struct device *device, uint8_t kind, uint8_t *error)
{
    size_t bytes;
    if (kind == WIRE_BLOB_KIND_CHECKPOINT) {
        bytes = BOARD(device->board, memory_bytes) ? checkpoint_newest(device) : 0;
        *error = bytes ? 0 : WIRE_ERROR_NO_MEMORY;
    } else if (!device->configured) {
        bytes = 0;
        *error = WIRE_ERROR_NOT_CONFIGURED;
    } else {
        bytes = dataset_bytes(device);
        *error = device->autonomous.dataset.complete ? 0 : WIRE_ERROR_NO_MEMORY;
    }
    return bytes;
}

void autonomous_blob_read(const struct device *device, uint8_t kind, uint16_t offset, uint8_t *to, uint8_t count)
{
    const BOARD_FLASH struct board *board = device->board;
    for (; count; count--, offset++) {
        uint16_t place = kind == WIRE_BLOB_KIND_DATASET ? (uint16_t)(dataset_place(device) + offset)
                                                        : memory_place(board, checkpoint_slot(&device->autonomous.checkpoint), offset);
        *to++ = memory_read(board, place);
    }
}
