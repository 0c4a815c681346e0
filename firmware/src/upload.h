/* Blobs that go into the nonvolatile memory, as fast as that takes them: a dataset, and a checkpoint to be restored. */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "messages.h"
#include "session.h"

struct device;

/* Bytes of the blob that the header is of; 0: there is no room, or no dataset was defined. */
size_t upload_bytes(const struct device *device, const struct wire_set_blob *header);

/* Writes a chunk that was checked (blobs_write()); the last one completes dataset or checkpoint. */
enum wire_result upload_write(struct device *device, const struct wire_set_blob *header, uint8_t count);

#endif
