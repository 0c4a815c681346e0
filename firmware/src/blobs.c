/* SET_BLOB: checks a chunk and writes it into the network, or passes it on to the seam. The command table calls it. */
#include "blobs.h"

#include <string.h>

#include "autonomous.h"
#include "bounds.h"
#include "crc32.h"
#include "device.h"
#include "handlers.h"
#include "messages.h"

void blobs_init(struct blobs *blobs)
{
    blobs->damaged = 0;
    blobs_abandon(blobs);
}

void blobs_abandon(struct blobs *blobs)
{
    blobs->offset = 0;
    blobs->written = 0;
}

__attribute__((noinline)) void blobs_abandon_kind(struct blobs *blobs, uint8_t kind)
{
    if (blobs->kind == kind)
        blobs_abandon(blobs);
}

struct blob_place blob_find(const struct anp_network *net, uint8_t kind)
{
    if (kind == WIRE_BLOB_KIND_DECORRELATION)
        return (struct blob_place){net->at.matrices, net->at.matrices_bytes};
    return (struct blob_place){net->at.weights, net->at.weights_bytes};
}

size_t blobs_first_invalid(const uint8_t *bytes, size_t start, size_t end, uint8_t value_bytes)
{
    size_t at = start & ~(size_t)(value_bytes - 1);
    while ((at += value_bytes) <= end) {
        const uint8_t *value = bytes + at;
        uint8_t left = value_bytes;
        if (*--value != 0x80)
            continue;
        while (--left && *--value == 0)
            ;
        if (left == 0)
            return value_bytes == sizeof(int16_t) ? at / sizeof(int16_t) : at / sizeof(int32_t);
    }
    return 0;
}

static bool is_wide(const struct anp_network *net, uint8_t kind)
{
    return kind == WIRE_BLOB_KIND_WEIGHTS && anp_is_wide(&net->config);
}

enum wire_result command_set_blob(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    struct blobs *blobs = &device->blobs;
    const struct wire_set_blob *header = (const void *)payload;
    uint8_t kind = header->blob, count = (uint8_t)(length - sizeof *header);
    if (kind > WIRE_BLOB_KIND_CHECKPOINT)
        return device_out_of_range(device, WIRE_FIELD_SET_BLOB_BLOB);
    if (kind != WIRE_BLOB_KIND_CHECKPOINT && !device->configured)
        return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
    const struct anp_network *net = &device->net;
    struct blob_place place = blob_find(net, kind);
    size_t expected = blobs->kind == kind ? blobs->offset : 0, start = (size_t)header->offset;
    if (header->offset != 0 && header->offset != expected)
        return device_refuse(device, WIRE_ERROR_BAD_OFFSET, (uint32_t)expected);
    size_t total = kind >= WIRE_BLOB_KIND_DATASET ? autonomous_blob_expected(device, header) : place.total;
    if (total == 0 && kind >= WIRE_BLOB_KIND_DATASET)
        return device_refuse(device, WIRE_ERROR_NO_MEMORY, 0);
    if (header->total != total)
        return device_out_of_range(device, WIRE_FIELD_SET_BLOB_TOTAL);
    if (!bounds_chunk(total, start, count))
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);

    if (kind >= WIRE_BLOB_KIND_DATASET)
        return autonomous_blob_write(device, header, count);

    uint8_t bit = kind == WIRE_BLOB_KIND_DECORRELATION ? 1u << WIRE_BLOB_KIND_DECORRELATION : 1u << WIRE_BLOB_KIND_WEIGHTS;
    blobs->damaged |= bit;
    blobs->kind = kind;
    blobs->offset = 0;
    memcpy(place.bytes + start, header + 1, count);
    size_t invalid = blobs_first_invalid(place.bytes, start, start + count, is_wide(net, kind) ? sizeof(int32_t) : sizeof(int16_t));
    if (invalid)
        return device_refuse(device, WIRE_ERROR_OUT_OF_RANGE, (uint32_t)invalid);
    if (start == 0)
        blobs->crc = 0;
    blobs->crc = wire_crc32(blobs->crc, (const uint8_t *)(header + 1), count);
    start += count;
    if (start < total) {
        blobs->offset = start;
        return WIRE_DONE;
    }
    if (blobs->crc != header->crc)
        return device_refuse(device, WIRE_ERROR_BAD_CHECKSUM, 0);
    blobs->damaged &= (uint8_t)~bit;
    return WIRE_DONE;
}
