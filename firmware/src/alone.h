/* Learning on its own, with datasets and checkpoints in nonvolatile memory: all that the rest of the device has to do with it. The modules
 * are in alone/; a build without that folder defines DEVICE_STREAMED_ONLY and learns from the samples of a host alone. */
#ifndef ALONE_H
#define ALONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"
#include "session.h"

struct device;

#ifdef DEVICE_STREAMED_ONLY
#include "streamed_only.h"
#else

#include "alone/autonomous.h"
#include "alone/checkpoint.h"
#include "alone/dataset.h"

struct alone {
    uint8_t fresh;                /* codes that arrived together and that steps may still count on */
    bool waits;                   /* the command that is executed waits for a checkpoint */
    struct dataset dataset;
    struct checkpoint checkpoint;
    struct autonomous autonomous;
};

/* Its commands, for the table in commands.c. */
#define ALONE_COMMANDS(COMMAND) WIRE_COMMANDS_AUTONOMOUS(COMMAND)

/* At the start, when all else stands: goes on from the newest checkpoint. */
void alone_init(struct device *device);

/* What WELCOME says of the memory, of what was restored from it, and of the pins to learn from. */
void alone_welcome(const struct device *device, struct wire_welcome *message);

/* A host opened a session. */
void alone_opened(struct device *device);

/* There is a new network. */
void alone_configured(struct device *device);

/* So many codes arrived together. */
void alone_codes(struct device *device, uint8_t count);

/* A step was made, whoever delivered the sample. */
void alone_trained(struct device *device);

/* A host read weights, and there are more that belong to them. */
void alone_weights_read(struct device *device, bool more);

/* In each turn. True: there may be more to do at once. */
bool alone_poll(struct device *device);

/* Commands that change what is learned are refused. */
bool alone_learns(const struct device *device);

/* Commands that change what is saved wait. */
bool alone_saves(const struct device *device);

/* Whether the command that is executed has done its work: it is acknowledged once that is in the memory, so that what a host knows to be
 * done outlives a power cut. */
#define alone_waits(device) ((device)->alone.waits)

/* What to say of it. */
enum wire_result alone_waited(struct device *device);

/* The blobs in the memory, kinds from WIRE_BLOB_KIND_DATASET on. Bytes of the one that a SET_BLOB is of; 0: there is no room, or no dataset
 * was defined. */
size_t alone_blob_expected(const struct device *device, const struct wire_set_blob *header);

/* Writes a chunk that was checked (command_set_blob()); the last one completes dataset or checkpoint. */
enum wire_result alone_blob_write(struct device *device, const struct wire_set_blob *header, uint8_t count);

/* Bytes of one that can be read; 0 and an error: there is none. */
size_t alone_blob_bytes(const struct device *device, uint8_t kind, uint8_t *error);

/* Reads bytes of one that is there. */
void alone_blob_read(const struct device *device, uint8_t kind, uint16_t offset, uint8_t *to, uint8_t count);

#endif
#endif
