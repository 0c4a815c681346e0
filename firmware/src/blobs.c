#include "blobs.h"

#include <string.h>

#include "crc32.h"
#include "messages.h"

#define FIELD_TOTAL 3             /* of SET_BLOB */

void blobs_init(struct blobs *blobs)
{
    blobs->damaged = 0;
    blobs->offset = 0;
}

void blobs_abandon(struct blobs *blobs)
{
    blobs->offset = 0;
}

struct blob_place blob_find(const struct anp_network *net, uint8_t kind)
{
    if (kind == WIRE_BLOB_KIND_DECORRELATION)
        return (struct blob_place){net->at.matrices, (size_t)net->at.matrices_bytes, sizeof(int16_t)};
    bool wide = net->config.weight_format == ANP_INT32;
    return (struct blob_place){net->at.weights, (size_t)net->at.weights_bytes, wide ? sizeof(int32_t) : sizeof(int16_t)};
}

/* Numbers saturate symmetrically, so the most negative one never occurs (shared/numerics.md, section 1). */
static bool valid(const uint8_t *value, uint8_t bytes)
{
    while (--bytes)
        if (*value++ != 0)
            return true;
    return *value != 0x80;
}

/* Number of the first invalid value, from 1, among those that are complete at `end` and were not at `start`; 0: none. A chunk may end
 * inside a value. */
static size_t first_invalid(const struct blob_place *place, size_t start, size_t end)
{
    uint8_t bytes = place->value_bytes;
    for (size_t at = start & ~(size_t)(bytes - 1); at + bytes <= end; at += bytes)
        if (!valid(place->bytes + at, bytes))
            return at / bytes + 1;
    return 0;
}

uint8_t blobs_write(struct blobs *blobs, const struct anp_network *net, const uint8_t *payload, uint8_t length, size_t *detail)
{
    const struct wire_set_blob *header = (const void *)payload;
    uint8_t count = (uint8_t)(length - sizeof *header);
    struct blob_place place = blob_find(net, header->blob);
    if (header->total != place.total) {
        *detail = FIELD_TOTAL;
        return WIRE_ERROR_OUT_OF_RANGE;
    }
    size_t expected = blobs->kind == header->blob ? blobs->offset : 0;
    if (header->offset != 0 && header->offset != expected) {
        *detail = expected;
        return WIRE_ERROR_BAD_OFFSET;
    }
    size_t start = (size_t)header->offset, total = place.total;
    if (count > total - start || (count == 0 && total != 0)) {
        *detail = length;
        return WIRE_ERROR_BAD_LENGTH;
    }

    uint8_t bit = (uint8_t)(1u << header->blob);
    size_t end = start + count;
    blobs->damaged |= bit;
    blobs->kind = header->blob;
    blobs->offset = 0;
    memcpy(place.bytes + start, header + 1, count);
    *detail = first_invalid(&place, start, end);
    if (*detail)
        return WIRE_ERROR_OUT_OF_RANGE;
    blobs->crc = wire_crc32(start ? blobs->crc : 0, (const uint8_t *)(header + 1), count);
    if (end < total) {
        blobs->offset = end;
        return 0;
    }
    if (blobs->crc != header->crc)
        return WIRE_ERROR_BAD_CHECKSUM;
    blobs->damaged &= (uint8_t)~bit;
    return 0;
}
