/* What the device keeps of the blob that a host uploads (blobs.h). Plain data, which struct device contains. */
#ifndef BLOBS_STATE_H
#define BLOBS_STATE_H

#include <stddef.h>
#include <stdint.h>

struct blobs {
    uint8_t damaged;              /* one bit per WIRE_BLOB_KIND_...: begun and not yet complete and right */
    uint8_t kind;                 /* the one being written */
    uint8_t written;              /* bytes of a chunk that stand in the nonvolatile memory */
    size_t offset;                /* where its next chunk starts; 0: none is being written */
    size_t total;                 /* its bytes, fixed by its first chunk */
    uint32_t crc;                 /* of the chunks so far */
};

#endif
