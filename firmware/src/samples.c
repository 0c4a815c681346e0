#include "samples.h"

#include <string.h>

#include "messages.h"

#define LED_STEPS 8               /* the LED changes every 2^8 training steps */

/* Samples in a frame. */
struct batch {
    const int16_t *values;        /* back to back */
    uint8_t count;                /* samples */
    uint8_t inputs;               /* values of one sample */
    uint8_t targets;
};

/* Number of the first value that is out of range, from 1; 0: none. All are checked before the first sample is used. */
static uint8_t first_invalid(const struct batch *batch, const struct anp_config *config)
{
    const int16_t *value = batch->values;
    bool classes = batch->targets > 0 && config->loss == ANP_CROSS_ENTROPY;
    uint8_t number = 0, width = (uint8_t)(batch->inputs + batch->targets);
    for (uint8_t sample = 0; sample < batch->count; sample++) {
        for (uint8_t i = 0; i < width; i++, value++) {
            number++;
            if (*value < -WIRE_MAX_SAMPLES_VALUE)
                return number;
        }
        /* A negative class reads as one of 32768 or more. */
        if (classes && (uint16_t)value[-1] >= config->sizes[config->layers])
            return number;
    }
    return 0;
}

/* Finds the samples in `length` bytes. False when the command was refused. */
static bool read_batch(struct device *device, struct batch *batch, const int16_t *values, uint8_t length, bool with_targets)
{
    const struct anp_network *net = &device->net;
    batch->values = values;
    batch->inputs = (uint8_t)net->config.sizes[0];
    batch->targets = (uint8_t)(with_targets ? anp_target_count(net) : 0);
    uint16_t sample_bytes = (uint16_t)((batch->inputs + batch->targets) * (int)sizeof(int16_t));
    batch->count = (uint8_t)(length / sample_bytes);
    if (device->blobs.damaged) {
        device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
        return false;
    }
    if (length % sample_bytes != 0) {
        device_refuse(device, WIRE_ERROR_BAD_LENGTH, wire_frame_length(&device->session.decoder));
        return false;
    }
    uint8_t invalid = first_invalid(batch, &net->config);
    if (invalid) {
        device_refuse(device, WIRE_ERROR_OUT_OF_RANGE, invalid);
        return false;
    }
    return true;
}

/* Before the first step: a full buffer. False: not yet, with what to answer. */
static bool buffer_full(struct device *device, enum wire_result *result)
{
    const struct board *board = device->board;
    const struct intake *intake = &device->intake;
    if (anp_noise_ready(&intake->noise))
        return true;
    if (intake->source == WIRE_NOISE_SOURCE_INJECTED || !(board->features & WIRE_FEATURES_ADC_LIVE)) {
        *result = device_refuse(device, WIRE_ERROR_NOISE_NOT_READY, (uint32_t)(ANP_NOISE_BUFFER - intake->noise.filled));
        return false;
    }
    board->advance(board->context);
    device_take_codes(device);
    *result = WIRE_LATER;
    return anp_noise_ready(&intake->noise);
}

enum wire_result command_train(struct device *device, const uint8_t *payload, uint8_t length)
{
    const struct board *board = device->board;
    struct anp_network *net = &device->net;
    struct anp_noise *noise = &device->intake.noise;
    struct batch batch;
    enum wire_result result;
    if (!read_batch(device, &batch, (const int16_t *)(const void *)payload, length, true))
        return WIRE_DONE;
    if (batch.count == 0)
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);
    if (!buffer_full(device, &result))
        return result;

    const int16_t *x = batch.values;
    for (uint8_t i = 0; i < batch.count; i++, x += batch.inputs + batch.targets) {
        board->advance(board->context);
        device_take_codes(device);
        if (!anp_noise_calibrated(noise) && !anp_noise_calibrate(noise, net->config.sigma, net->config.noise_std))
            return device_refuse(device, WIRE_ERROR_NO_NOISE, noise->deviation);
        anp_train(net, noise, x, x + batch.inputs);
        telemetry_step(&device->telemetry, net, &device->session, board);
    }
    board->led(board->context, (uint8_t)(net->steps >> LED_STEPS) & 1u);
    return WIRE_DONE;
}

enum wire_result command_predict(struct device *device, const uint8_t *payload, uint8_t length)
{
    struct anp_network *net = &device->net;
    struct wire_session *session = &device->session;
    struct batch batch;
    if (!read_batch(device, &batch, (const int16_t *)(const void *)payload, length, false))
        return WIRE_DONE;
    if (batch.count == 0)
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);

    uint8_t outputs = (uint8_t)net->config.sizes[net->config.layers];
    uint8_t output_bytes = (uint8_t)(outputs * sizeof(int16_t));
    uint8_t fit = (uint8_t)(session->max_payload / output_bytes);
    uint8_t count = batch.count < fit ? batch.count : fit;
    uint8_t reply = (uint8_t)(count * output_bytes);
    if (!wire_session_room(session, reply))
        return WIRE_LATER;
    int16_t *y = (int16_t *)(void *)wire_session_payload(session);
    for (uint8_t i = 0; i < count; i++)
        anp_predict(net, batch.values + i * batch.inputs, y + i * outputs);
    wire_session_reply(session, WIRE_TYPE_PREDICTION, y, reply);
    return WIRE_DONE;
}

enum wire_result command_evaluate(struct device *device, const uint8_t *payload, uint8_t length)
{
    struct anp_network *net = &device->net;
    struct wire_metrics *metrics = &device->metrics;
    struct batch batch;
    uint8_t restart = payload[0];
    if (restart > WIRE_EVALUATE_RESTART_MAX)
        return device_refuse(device, WIRE_ERROR_OUT_OF_RANGE, 0);
    /* The samples stand behind one byte: they move down to an even address. That loses the payload's first byte, so no path below may
     * return WIRE_LATER. */
    int16_t *values = (int16_t *)(void *)(device->session.receive + WIRE_RECEIVE_PAYLOAD);
    memmove(values, payload + WIRE_SIZE_EVALUATE, (size_t)(length - WIRE_SIZE_EVALUATE));
    if (!read_batch(device, &batch, values, (uint8_t)(length - WIRE_SIZE_EVALUATE), true))
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
