/* Weights and matrices in chunks, from the host into the network; datasets and checkpoints into the nonvolatile memory (autonomous.h). A
 * blob is written where it will be used, since a chip has no room for a second copy; until all of it is there and right, it must not be
 * used. */
#ifndef BLOBS_H
#define BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anp.h"
#include "blobs_state.h"

struct device;

/* One of the network's two blobs. */
struct blob_place {
    uint8_t *bytes;
    size_t total;
};

/* A new configuration: nothing is damaged. */
void blobs_init(struct blobs *blobs);

/* The host that was writing is gone: the rest of its blob will not come. */
void blobs_abandon(struct blobs *blobs);

/* The size or place of such a blob changed: what was written of it is not a part of the new one. */
void blobs_abandon_kind(struct blobs *blobs, uint8_t kind);

struct blob_place blob_find(const struct anp_network *net, uint8_t kind);

/* Number of the first invalid value, from 1, among those that are complete at `end` and were not at `start`; 0: none. A chunk may end
 * inside a value. Numbers saturate symmetrically, so the most negative one never occurs (shared/numerics.md, section 1). */
size_t blobs_first_invalid(const uint8_t *bytes, size_t start, size_t end, uint8_t value_bytes);

#endif
