/* TRAIN, PREDICT and EVALUATE, sample by sample. The command table calls them. */
#include <string.h>

#include "device.h"
#include "handlers.h"
#include "long_samples.h"
#include "messages.h"
#include "steps.h"

/* Samples in a frame. */
struct batch {
    const int16_t *values;        /* back to back */
    uint8_t count;                /* samples */
    sample_width inputs;          /* values of one sample */
    uint8_t targets;
};

/* Finds the samples in `length` bytes, or the one that they complete, and checks all values before the first is used. False when the command
 * was refused. Only an EVALUATE may hold no sample. */
static bool read_batch(struct device *device, struct batch *batch, const int16_t *values, uint8_t length, bool with_targets)
{
    const struct anp_config *config = &device->net.config;
    sample_width inputs = (sample_width)config->sizes[0];
    uint8_t targets = (uint8_t)(with_targets ? anp_target_count(&device->net) : 0);
    bool classes = with_targets && config->loss == ANP_CROSS_ENTROPY;
    sample_width width = (sample_width)(inputs + targets);
    bool completes = long_samples_completes(device, length, width);
    if (completes)
        width = (sample_width)(width - long_samples_filled(device));
    sample_width sample_bytes = (sample_width)(width * sizeof *values);
    batch->values = values;
    batch->inputs = inputs;
    batch->targets = targets;
    batch->count = 0;
    if (device->blobs.damaged) {
        device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
        return false;
    }
    uint8_t number = 0, invalid = 0;
    const int16_t *value = values;
    for (; completes ? batch->count == 0 : length >= sample_bytes; length = (uint8_t)(length - sample_bytes)) {
        batch->count++;
        for (sample_width left = width; left; left--) {
            number++;
            if (*value++ < -WIRE_MAX_SAMPLES_VALUE && !invalid)
                invalid = number;
        }
        /* A negative class reads as one of 32768 or more. */
        if (classes && (uint16_t)value[-1] >= config->sizes[config->layers] && !invalid)
            invalid = number;
    }
    uint8_t frame_length = wire_frame_length(&device->session.decoder);
    if (length != 0 || (frame_length == 0 && !completes)) {
        device_refuse(device, WIRE_ERROR_BAD_LENGTH, frame_length);
        return false;
    }
    if (invalid) {
        device_out_of_range(device, invalid);
        return false;
    }
    if (completes)
        batch->values = long_samples_complete(device, values, number);
    return true;
}

static enum wire_result refuse_training(struct device *device, uint8_t trained)
{
    uint32_t detail;
    uint8_t code = step_refusal(device, &detail);
    if (code == WIRE_ERROR_NOISE_FAULT) {
        device->barred = true;
        detail |= (uint32_t)trained << 8;
    }
    return device_refuse(device, code, detail);
}

enum wire_result command_train(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    struct batch batch;
    if (!read_batch(device, &batch, (const int16_t *)(const void *)payload, length, true))
        return WIRE_DONE;
    /* Frames that were on their way when the fault was reported must not be trained before their predecessors are sent again. */
    if (device->barred)
        return device_refuse(device, WIRE_ERROR_NOISE_FAULT, device->intake.health.last_fault);

    const int16_t *x = batch.values;
    for (uint8_t i = 0; i < batch.count; i++, x += batch.inputs + batch.targets) {
        enum step_state state = step_prepare(device);
        if (state != STEP_READY)
            return state == STEP_FILLING ? WIRE_LATER : refuse_training(device, i);
        step_train(device, x, x + batch.inputs);
    }
    return WIRE_DONE;
}

enum wire_result command_predict(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    struct anp_network *net = &device->net;
    struct wire_session *session = &device->session;
    struct batch batch;
    if (!read_batch(device, &batch, (const int16_t *)(const void *)payload, length, false))
        return WIRE_DONE;

    uint8_t outputs = (uint8_t)net->config.sizes[net->config.layers];
    uint8_t output_bytes = (uint8_t)(outputs * sizeof(int16_t));
    /* Not by a division, nor is a library's function called below: each would be the only one in a small image. */
    uint8_t count = batch.count;
    while (count * output_bytes > session->max_payload)
        count--;
    uint8_t reply = (uint8_t)(count * output_bytes);
    int16_t *y = wire_session_reserve(session, reply);
    if (!y)
        return WIRE_LATER;
    const int16_t *x = batch.values;
    for (; count; count--, x += batch.inputs, y += outputs)
        anp_predict(net, x, y);
    wire_session_send(session, WIRE_TYPE_PREDICTION, reply);
    return WIRE_DONE;
}

enum wire_result command_evaluate(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    struct anp_network *net = &device->net;
    struct wire_metrics *metrics = &device->metrics;
    struct batch batch;
    uint8_t restart = payload[0];
    if (restart > WIRE_EVALUATE_RESTART_MAX)
        return device_out_of_range(device, 0);
    /* The samples stand behind one byte: they move down to an even address. That loses the payload's first byte, so no path below may
     * return WIRE_LATER. */
    uint8_t *values = device->session.receive + WIRE_RECEIVE_PAYLOAD;
    length = (uint8_t)(length - WIRE_SIZE_EVALUATE);
    for (uint8_t i = 0; i < length; i++)
        values[i] = payload[i + WIRE_SIZE_EVALUATE];
    if (!read_batch(device, &batch, (const int16_t *)(const void *)values, length, true))
        return WIRE_DONE;
    if (restart)
        *metrics = (struct wire_metrics){0};
    const int16_t *x = batch.values;
    for (uint8_t i = 0; i < batch.count; i++, x += batch.inputs + batch.targets) {
        bool correct;
        metrics->loss_sum += anp_evaluate(net, x, x + batch.inputs, &correct);
        metrics->correct += correct;
        metrics->samples++;
    }
    return WIRE_DONE;
}
