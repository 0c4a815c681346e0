/* The interface of autonomous.h in a build that learns from the samples of a host alone: its commands are unknown, its blobs are not there,
 * and nothing is kept. */
#ifndef STREAMED_ONLY_H
#define STREAMED_ONLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"
#include "session.h"

struct device;

struct autonomous {};                  /* an extension of GNU C: it takes no byte */

#define AUTONOMOUS_COMMANDS(COMMAND)

static inline void autonomous_init(struct device *device) { (void)device; }
static inline void autonomous_welcome(const struct device *device, struct wire_welcome *message) { (void)device, (void)message; }
static inline void autonomous_opened(struct device *device) { (void)device; }
static inline void autonomous_configured(struct device *device) { (void)device; }
static inline void autonomous_codes(struct device *device, uint8_t count) { (void)device, (void)count; }
static inline void autonomous_trained(struct device *device) { (void)device; }
static inline void autonomous_weights_read(struct device *device, bool more) { (void)device, (void)more; }

static inline bool autonomous_poll(struct device *device, uint16_t now)
{
    (void)device, (void)now;
    return false;
}

static inline bool autonomous_learns(const struct device *device)
{
    (void)device;
    return false;
}

static inline bool autonomous_saves(const struct device *device)
{
    (void)device;
    return false;
}

static inline bool autonomous_waits(const struct device *device)
{
    (void)device;
    return false;
}

static inline enum wire_result autonomous_waited(struct device *device)
{
    (void)device;
    return WIRE_DONE;
}

static inline size_t autonomous_blob_expected(const struct device *device, const struct wire_set_blob *header)
{
    (void)device, (void)header;
    return 0;
}

static inline enum wire_result autonomous_blob_write(struct device *device, const struct wire_set_blob *header, uint8_t count)
{
    (void)device, (void)header, (void)count;
    return WIRE_DONE;
}

static inline size_t autonomous_blob_bytes(const struct device *device, uint8_t kind, uint8_t *error)
{
    (void)device, (void)kind;
    *error = WIRE_ERROR_NO_MEMORY;
    return 0;
}

static inline void autonomous_blob_read(const struct device *device, uint8_t kind, uint16_t offset, uint8_t *to, uint8_t count)
{
    (void)device, (void)kind, (void)offset, (void)to, (void)count;
}

#endif
