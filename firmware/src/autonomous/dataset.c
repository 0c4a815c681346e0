/* DEFINE_DATASET, the check of an upload, and the samples unpacked. The command table, memory_blobs.c and tasks.c call it. */
#include "dataset.h"

#include "autonomous.h"
#include "blobs.h"
#include "bounds.h"
#include "checkpoint.h"
#include "crc32.h"
#include "device.h"
#include "handlers.h"
#include "memory_map.h"
#include "messages.h"

#define ONE (1 << ANP_FRACTION_BITS)

static uint16_t outputs_of(const struct device *device)
{
    return device->net.config.sizes[device->net.config.layers];
}

/* Values of a sample that stand in the memory as such. */
static uint16_t width_of(const struct device *device)
{
    uint16_t inputs = device->net.config.sizes[0];
    return device->autonomous.dataset.target_kind == WIRE_TARGET_KIND_VALUES ? (uint16_t)(inputs + outputs_of(device)) : inputs;
}

/* Bytes of a sample's values. */
static uint16_t sample_bytes(const struct device *device)
{
    return (uint16_t)(width_of(device) * device->autonomous.dataset.value_bytes);
}

size_t dataset_bytes(const struct device *device)
{
    const struct dataset *dataset = &device->autonomous.dataset;
    return bounds_dataset(dataset->samples, sample_bytes(device), dataset->class_bits);
}

uint16_t dataset_place(const struct device *device)
{
    return (uint16_t)memory_slot_room(device->board, memory_bytes_of(&device->net));
}

/* Bytes that are missing for it, exactly, however large it is said to be. */
static uint32_t missing(const struct device *device)
{
    const struct dataset *dataset = &device->autonomous.dataset;
    ptrdiff_t room = memory_dataset_room(device->board, memory_bytes_of(&device->net));
    return bounds_missing(dataset->samples, sample_bytes(device), dataset->class_bits, room);
}

/* Number of the field that does not suit the network; 0: all do. */
static uint8_t unfit(const struct device *device, const struct dataset *dataset)
{
    bool classes = device->net.config.loss == ANP_CROSS_ENTROPY;
    uint8_t bits = dataset->class_bits;
    if (dataset->samples == 0)
        return WIRE_FIELD_DEFINE_DATASET_SAMPLES;
    if (dataset->value_bytes < WIRE_DEFINE_DATASET_VALUE_BYTES_MIN || dataset->value_bytes > WIRE_DEFINE_DATASET_VALUE_BYTES_MAX)
        return WIRE_FIELD_DEFINE_DATASET_VALUE_BYTES;
    if (dataset->scale > WIRE_DEFINE_DATASET_SCALE_MAX)
        return WIRE_FIELD_DEFINE_DATASET_SCALE;
    switch (dataset->target_kind) {
    case WIRE_TARGET_KIND_VALUES:
        return classes ? WIRE_FIELD_DEFINE_DATASET_TARGET_KIND : bits ? WIRE_FIELD_DEFINE_DATASET_CLASS_BITS : 0;
    case WIRE_TARGET_KIND_CLASSES:
        break;
    case WIRE_TARGET_KIND_SIGNS:
        if (!classes && outputs_of(device) == 1)
            break;
        return WIRE_FIELD_DEFINE_DATASET_TARGET_KIND;
    default:
        return WIRE_FIELD_DEFINE_DATASET_TARGET_KIND;
    }
    return bits == 1 || bits == 2 || bits == 4 || bits == 8 ? 0 : WIRE_FIELD_DEFINE_DATASET_CLASS_BITS;
}

bool dataset_fits(const struct device *device)
{
    return unfit(device, &device->autonomous.dataset) == 0 && missing(device) == 0;
}

enum wire_result command_define_dataset(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_define_dataset *request = (const void *)payload;
    struct dataset wanted = {request->samples, request->value_bytes, request->scale, request->target_kind, request->class_bits, false,
                             request->crc};
    uint8_t field = unfit(device, &wanted);
    if (field)
        return device_out_of_range(device, field);
    struct dataset before = device->autonomous.dataset;
    device->autonomous.dataset = wanted;
    uint32_t lacking = missing(device);
    /* It will lie across the checkpoints of a larger network. One of this network must be there before. */
    bool across = checkpoint_newest(device) > memory_bytes_of(&device->net);
    if (lacking == 0 && !across) {
        blobs_abandon_kind(&device->blobs, WIRE_BLOB_KIND_DATASET);
        return WIRE_DONE;
    }
    device->autonomous.dataset = before;
    if (lacking)
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, lacking);
    if (device->blobs.damaged)
        return device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
    device->autonomous.checkpoint.wanted = true;
    return WIRE_LATER;
}

static uint8_t byte_at(const struct device *device, uint16_t offset)
{
    return memory_read(device->board, (uint16_t)(dataset_place(device) + offset));
}

static uint8_t class_of(const struct device *device, uint16_t index)
{
    const struct dataset *dataset = &device->autonomous.dataset;
    size_t bit = (size_t)index * dataset->class_bits;
    uint8_t byte = byte_at(device, bounds_class(dataset->samples, sample_bytes(device), dataset->class_bits, index));
    uint8_t mask = (uint8_t)((1u << dataset->class_bits) - 1);
    return (uint8_t)(byte >> (bit & 7) & mask);
}

/* Classes that the network has an output for. */
static bool classes_fit(const struct device *device)
{
    uint16_t most = device->autonomous.dataset.target_kind == WIRE_TARGET_KIND_SIGNS ? 2 : outputs_of(device);
    for (uint16_t i = 0; i < device->autonomous.dataset.samples; i++) {
        if (class_of(device, i) >= most)
            return false;
    }
    return true;
}

bool dataset_check(struct device *device)
{
    struct dataset *dataset = &device->autonomous.dataset;
    uint32_t crc = 0;
    size_t bytes = dataset_bytes(device);
    for (uint16_t i = 0; i < bytes; i++) {
        uint8_t byte = byte_at(device, i);
        crc = wire_crc32(crc, &byte, 1);
    }
    dataset->complete = crc == dataset->crc && (dataset->class_bits == 0 || classes_fit(device));
    return dataset->complete;
}

void dataset_sample(const struct device *device, uint16_t index, int16_t *x, int16_t *target)
{
    const struct dataset *dataset = &device->autonomous.dataset;
    const BOARD_FLASH struct board *board = device->board;
    uint16_t outputs = outputs_of(device), factor = (uint16_t)(1u << dataset->scale);
    uint16_t at = (uint16_t)(dataset_place(device) + bounds_sample(index, sample_bytes(device)));
    /* Targets that are values stand behind the inputs in the memory as well as in the arena. */
    for (uint16_t left = width_of(device); left; left--) {
        uint8_t low = memory_read(board, at++);
        int16_t value = (int8_t)low;
        if (dataset->value_bytes == sizeof(int16_t))
            value = (int16_t)(low | (uint16_t)memory_read(board, at++) << 8);
        int32_t scaled = (int32_t)value * factor;
        if (scaled > WIRE_MAX_SAMPLES_VALUE)
            scaled = WIRE_MAX_SAMPLES_VALUE;
        if (scaled < -WIRE_MAX_SAMPLES_VALUE)
            scaled = -WIRE_MAX_SAMPLES_VALUE;
        *x++ = (int16_t)scaled;
    }
    if (dataset->class_bits == 0)
        return;
    uint8_t chosen = class_of(device, index);
    if (device->net.config.loss == ANP_CROSS_ENTROPY) {
        *target = chosen;
    } else if (dataset->target_kind == WIRE_TARGET_KIND_SIGNS) {
        *target = chosen ? ONE : -ONE;
    } else {
        for (uint16_t i = 0; i < outputs; i++)
            *target++ = i == chosen ? ONE : 0;
    }
}
