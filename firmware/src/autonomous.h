/* Autonomous learning, with datasets and checkpoints in nonvolatile memory: all that the rest of the device has to do with it. The modules
 * are in autonomous/; a build without that folder defines DEVICE_STREAMED_ONLY and learns from a host's samples alone. */
#ifndef AUTONOMOUS_H
#define AUTONOMOUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"
#include "session.h"

struct device;

#ifdef DEVICE_STREAMED_ONLY
#include "streamed_only.h"
#else

#include "autonomous/state.h"

/* Its commands, for the table in commands.c. */
#define AUTONOMOUS_COMMANDS(COMMAND) WIRE_COMMANDS_AUTONOMOUS(COMMAND)

/* At the start, when all else stands: continues from the newest checkpoint. */
void autonomous_init(struct device *device);

/* What WELCOME says of the memory, of what was restored from it, and of the pins to learn from. */
void autonomous_welcome(const struct device *device, struct wire_welcome *message);

/* A host opened a session. */
void autonomous_opened(struct device *device);

/* There is a new network. */
void autonomous_configured(struct device *device);

/* This many codes arrived together. */
void autonomous_codes(struct device *device, uint8_t count);

/* A step was made, whoever delivered the sample. */
void autonomous_trained(struct device *device);

/* A host read weights, and there are more that belong to them. */
void autonomous_weights_read(struct device *device, bool more);

/* In each turn, with its device_clock(). True: there may be more to do at once. */
bool autonomous_poll(struct device *device, uint16_t now);

/* Commands that change what is learned are refused. */
bool autonomous_learns(const struct device *device);

/* Commands that change what is saved wait. */
bool autonomous_saves(const struct device *device);

/* Whether the command that is executed has done its work: it is acknowledged once that is in the memory, so that what a host knows to be
 * done outlives a power cut. */
#define autonomous_waits(device) ((device)->autonomous.waits)

/* What to say of it. */
enum wire_result autonomous_waited(struct device *device);

/* The blobs in the memory, kinds from WIRE_BLOB_KIND_DATASET on. Bytes of the one that a SET_BLOB is of; 0: there is no room, or no dataset
 * was defined. */
size_t autonomous_blob_expected(const struct device *device, const struct wire_set_blob *header);

/* Writes a chunk that was checked (command_set_blob()); the last one completes dataset or checkpoint. */
enum wire_result autonomous_blob_write(struct device *device, const struct wire_set_blob *header, uint8_t count);

/* Bytes of one that can be read; 0 and an error: there is none. */
size_t autonomous_blob_bytes(const struct device *device, uint8_t kind, uint8_t *error);

/* Reads bytes of one that is there. */
void autonomous_blob_read(const struct device *device, uint8_t kind, uint16_t offset, uint8_t *to, uint8_t count);

#endif
#endif
