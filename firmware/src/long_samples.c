/* SAMPLE_PART, and the sample that a frame completes. The command table calls it, and samples.c. */
#include "long_samples.h"

#ifndef DEVICE_SHORT_SAMPLES

#include <string.h>

#include "bounds.h"
#include "device.h"
#include "handlers.h"

static int16_t *place_of(const struct device *device)
{
    return (int16_t *)(void *)(BOARD(device->board, arena) + bounds_sample_place(device->net.at.used));
}

void long_samples_forget(struct device *device)
{
    device->long_samples.filled = 0;
}

bool long_samples_completes(const struct device *device, uint8_t length, sample_width width)
{
    uint16_t filled = device->long_samples.filled;
    return filled && length == (width - filled) * sizeof(int16_t);
}

sample_width long_samples_filled(const struct device *device)
{
    return device->long_samples.filled;
}

const int16_t *long_samples_complete(struct device *device, const int16_t *values, uint8_t count)
{
    int16_t *x = place_of(device);
    memcpy(x + device->long_samples.filled, values, count * sizeof *values);
    return x;
}

enum wire_result long_samples_used(struct device *device, uint8_t type, enum wire_result result)
{
    if (result == WIRE_DONE && (type == WIRE_TYPE_TRAIN || type == WIRE_TYPE_PREDICT || type == WIRE_TYPE_EVALUATE))
        long_samples_forget(device);
    return result;
}

static int16_t scaled(int16_t value, uint8_t scale)
{
    int32_t product = value * ((int32_t)1 << scale);
    if (product > WIRE_MAX_SAMPLES_VALUE)
        return WIRE_MAX_SAMPLES_VALUE;
    return product < -WIRE_MAX_SAMPLES_VALUE ? -WIRE_MAX_SAMPLES_VALUE : (int16_t)product;
}

enum wire_result command_sample_part(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    const struct wire_sample_part *part = (const void *)payload;
    const struct anp_network *net = &device->net;
    uint16_t filled = device->long_samples.filled, inputs = net->config.sizes[0];
    uint8_t bytes = (uint8_t)(length - sizeof *part), value_bytes = part->value_bytes;
    long_samples_forget(device);
    /* As with TRAIN: what was on its way when a fault was reported does not begin a sample. */
    if (device->barred)
        return device_refuse(device, WIRE_ERROR_NOISE_FAULT, device->intake.health.last_fault);
    if (value_bytes < WIRE_SAMPLE_PART_VALUE_BYTES_MIN || value_bytes > WIRE_SAMPLE_PART_VALUE_BYTES_MAX)
        return device_out_of_range(device, WIRE_FIELD_SAMPLE_PART_VALUE_BYTES);
    if (part->scale > WIRE_SAMPLE_PART_SCALE_MAX)
        return device_out_of_range(device, WIRE_FIELD_SAMPLE_PART_SCALE);
    if (part->offset != 0 && part->offset != filled)
        return device_refuse(device, WIRE_ERROR_BAD_OFFSET, filled);
    uint8_t count = (uint8_t)(bytes / value_bytes);
    if (bytes % value_bytes || !bounds_part(inputs, part->offset, count))
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);
    uint32_t needed = bounds_with_sample((uint32_t)net->at.used, inputs, anp_target_count(net));
    if (needed > BOARD(device->board, arena_bytes))
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, needed - BOARD(device->board, arena_bytes));

    const uint8_t *from = payload + sizeof *part;
    int16_t *x = place_of(device) + part->offset;
    for (uint8_t i = 0; i < count; i++, from += value_bytes) {
        int16_t value = (int8_t)from[0];
        if (value_bytes == sizeof(int16_t))
            memcpy(&value, from, sizeof value);
        x[i] = scaled(value, part->scale);
    }
    device->long_samples.filled = (uint16_t)(part->offset + count);
    return WIRE_DONE;
}

#endif
