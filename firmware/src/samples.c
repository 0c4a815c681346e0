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

/* Finds the samples in `length` bytes and checks all of them before the first is used. False when the command was refused. Only an
 * EVALUATE may hold none. */
static bool read_batch(struct device *device, struct batch *batch, const int16_t *values, uint8_t length, bool with_targets)
{
    const struct anp_config *config = &device->net.config;
    uint8_t inputs = (uint8_t)config->sizes[0], targets = (uint8_t)(with_targets ? anp_target_count(&device->net) : 0);
    bool classes = with_targets && config->loss == ANP_CROSS_ENTROPY;
    uint8_t width = (uint8_t)(inputs + targets), sample_bytes = (uint8_t)(width * sizeof *values);
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
    for (; length >= sample_bytes; length = (uint8_t)(length - sample_bytes)) {
        batch->count++;
        for (uint8_t left = width; left; left--) {
            number++;
            if (*value++ < -WIRE_MAX_SAMPLES_VALUE && !invalid)
                invalid = number;
        }
        /* A negative class reads as one of 32768 or more. */
        if (classes && (uint16_t)value[-1] >= config->sizes[config->layers] && !invalid)
            invalid = number;
    }
    uint8_t frame_length = wire_frame_length(&device->session.decoder);
    if (length != 0 || frame_length == 0) {
        device_refuse(device, WIRE_ERROR_BAD_LENGTH, frame_length);
        return false;
    }
    if (invalid) {
        device_out_of_range(device, invalid);
        return false;
    }
    return true;
}

/* Before the first step: a full buffer. False: not yet, with what to answer. */
static bool buffer_full(struct device *device, enum wire_result *result)
{
    const BOARD_FLASH struct board *board = device->board;
    const struct intake *intake = &device->intake;
    if (anp_noise_ready(&intake->noise))
        return true;
    if (intake->source == WIRE_NOISE_SOURCE_INJECTED || !(board->features & WIRE_FEATURES_ADC_LIVE)) {
        *result = device_refuse(device, WIRE_ERROR_NOISE_NOT_READY, (uint8_t)(ANP_NOISE_BUFFER - intake->noise.filled));
        return false;
    }
    board->advance(board->context);
    device_take_codes(device);
    *result = WIRE_LATER;
    return anp_noise_ready(&intake->noise);
}

enum wire_result command_train(struct device *device, const uint8_t *payload, uint8_t length)
{
    const BOARD_FLASH struct board *board = device->board;
    struct anp_network *net = &device->net;
    struct anp_noise *noise = &device->intake.noise;
    struct batch batch;
    enum wire_result result;
    if (!read_batch(device, &batch, (const int16_t *)(const void *)payload, length, true))
        return WIRE_DONE;
    if (!buffer_full(device, &result))
        return result;

    const int16_t *x = batch.values;
    for (uint8_t i = 0; i < batch.count; i++, x += batch.inputs + batch.targets) {
        board->advance(board->context);
        device_take_codes(device);
        if (!anp_noise_calibrated(noise) && !anp_noise_calibrate(noise, net->config.sigma, net->config.noise_std)) {
            wire_session_refuse(&device->session, WIRE_ERROR_NO_NOISE, noise->deviation);
            return WIRE_DONE;
        }
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

    uint8_t outputs = (uint8_t)net->config.sizes[net->config.layers];
    uint8_t output_bytes = (uint8_t)(outputs * sizeof(int16_t));
    uint8_t fit = (uint8_t)(session->max_payload / output_bytes);
    uint8_t count = batch.count < fit ? batch.count : fit;
    uint8_t reply = (uint8_t)(count * output_bytes);
    int16_t *y = wire_session_reserve(session, reply);
    if (!y)
        return WIRE_LATER;
    const int16_t *x = batch.values;
    for (; count; count--, x += batch.inputs, y += outputs)
        anp_predict(net, x, y);
    wire_session_reply(session, WIRE_TYPE_PREDICTION, reply);
    return WIRE_DONE;
}

enum wire_result command_evaluate(struct device *device, const uint8_t *payload, uint8_t length)
{
    struct anp_network *net = &device->net;
    struct wire_metrics *metrics = &device->metrics;
    struct batch batch;
    uint8_t restart = payload[0];
    if (restart > WIRE_EVALUATE_RESTART_MAX)
        return device_out_of_range(device, 0);
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
