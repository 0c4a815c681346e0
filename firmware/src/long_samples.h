/* Samples longer than a frame: SAMPLE_PART writes inputs behind the network in the arena, and the next TRAIN, PREDICT or EVALUATE completes
 * the sample and uses it. A build without them defines DEVICE_SHORT_SAMPLES: it does not know the command, and each sample fits a frame. */
#ifndef LONG_SAMPLES_H
#define LONG_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "long_samples_state.h"
#include "messages.h"
#include "session.h"

struct device;

#ifdef DEVICE_SHORT_SAMPLES

typedef uint8_t sample_width;          /* values of a sample */

#define LONG_SAMPLES_COMMANDS(COMMAND)
#define LONG_SAMPLES_FEATURES 0

static inline void long_samples_forget(struct device *device) { (void)device; }

static inline bool long_samples_completes(const struct device *device, uint8_t length, sample_width width)
{
    (void)device, (void)length, (void)width;
    return false;
}

static inline sample_width long_samples_filled(const struct device *device)
{
    (void)device;
    return 0;
}

static inline const int16_t *long_samples_complete(struct device *device, const int16_t *values, uint8_t count)
{
    (void)device, (void)count;
    return values;
}

static inline enum wire_result long_samples_used(struct device *device, uint8_t type, enum wire_result result)
{
    (void)device, (void)type;
    return result;
}

#else

typedef uint16_t sample_width;

/* Its command, for the table in commands.c. */
#define LONG_SAMPLES_COMMANDS(COMMAND) WIRE_COMMANDS_LONG_SAMPLES(COMMAND)
#define LONG_SAMPLES_FEATURES WIRE_FEATURES_LONG_SAMPLES

/* The next part begins a sample. Called where the memory behind the network gets another meaning. */
void long_samples_forget(struct device *device);

/* Whether `length` bytes are just what parts have left missing of a sample of `width` values. */
bool long_samples_completes(const struct device *device, uint8_t length, sample_width width);

sample_width long_samples_filled(const struct device *device);

/* Writes the missing values behind the others; returns the whole sample. Harmless when repeated. */
const int16_t *long_samples_complete(struct device *device, const int16_t *values, uint8_t count);

/* After a command, whose result it returns: one that used samples, or refused them, forgets the parts. */
enum wire_result long_samples_used(struct device *device, uint8_t type, enum wire_result result);

#endif
#endif
