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
        return (struct blob_place){net->at.matrices, net->at.matrices_bytes, sizeof(int16_t)};
    bool wide = net->config.weight_format == ANP_INT32;
    return (struct blob_place){net->at.weights, net->at.weights_bytes, wide ? sizeof(int32_t) : sizeof(int16_t)};
}

/* Numbers saturate symmetrically, so the most negative one never occurs (shared/numerics.md, section 1). */
static bool valid(const struct blob_place *place, uint32_t index)
{
    const uint8_t *at = place->bytes + index * place->value_bytes;
    int32_t wide;
    int16_t narrow;
    if (place->value_bytes == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide != INT32_MIN;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow != INT16_MIN;
}

/* Number of the first invalid value, from 1, among those that are complete at `end` and were not at `start`; 0: none. A chunk may end
 * inside a value. */
static uint32_t first_invalid(const struct blob_place *place, uint32_t start, uint32_t end)
{
    for (uint32_t index = start / place->value_bytes; index < end / place->value_bytes; index++)
        if (!valid(place, index))
            return index + 1;
    return 0;
}

uint8_t blobs_write(struct blobs *blobs, const struct anp_network *net, const uint8_t *payload, uint8_t length, uint32_t *detail)
{
    struct wire_set_blob header;
    memcpy(&header, payload, sizeof header);
    uint8_t count = (uint8_t)(length - sizeof header);
    struct blob_place place = blob_find(net, header.blob);
    if (header.total != place.total) {
        *detail = FIELD_TOTAL;
        return WIRE_ERROR_OUT_OF_RANGE;
    }
    uint32_t expected = blobs->kind == header.blob ? blobs->offset : 0;
    if (header.offset != 0 && header.offset != expected) {
        *detail = expected;
        return WIRE_ERROR_BAD_OFFSET;
    }
    if (count > place.total - header.offset || (count == 0 && place.total != 0)) {
        *detail = length;
        return WIRE_ERROR_BAD_LENGTH;
    }

    uint8_t bit = (uint8_t)(1u << header.blob);
    uint32_t end = header.offset + count;
    blobs->damaged |= bit;
    blobs->kind = header.blob;
    blobs->offset = 0;
    memcpy(place.bytes + header.offset, payload + sizeof header, count);
    *detail = first_invalid(&place, header.offset, end);
    if (*detail)
        return WIRE_ERROR_OUT_OF_RANGE;
    blobs->crc = wire_crc32(header.offset ? blobs->crc : 0, payload + sizeof header, count);
    if (end < place.total) {
        blobs->offset = end;
        return 0;
    }
    if (blobs->crc != header.crc)
        return WIRE_ERROR_BAD_CHECKSUM;
    blobs->damaged &= (uint8_t)~bit;
    return 0;
}
