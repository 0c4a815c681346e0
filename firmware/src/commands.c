#include "commands.h"

#include <string.h>

#include "configure.h"
#include "fields.h"
#include "flash.h"
#include "messages.h"
#include "samples.h"

/* The open field at the end: the bits that are 0 in its length. */
#define OPEN_NONE 0xff
#define OPEN_BYTES 0
#define OPEN_INT16 1

struct command {
    uint8_t size;                 /* of the fixed fields */
    uint8_t open;
    bool needs_network;
    enum wire_result (*execute)(struct device *device, const uint8_t *payload, uint8_t length);
};

static enum wire_result set_rates(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)length;
    const struct wire_set_rates *rates = (const void *)payload;
    if (anp_set_rates(&device->net, rates->learning_rate, rates->decorrelation_rate) != ANP_OK)
        return device_out_of_range(device, 2);
    return WIRE_DONE;
}

static enum wire_result get_blob(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)length;
    struct wire_session *session = &device->session;
    const struct wire_get_blob *request = (const void *)payload;
    if (request->blob > WIRE_BLOB_KIND_DECORRELATION)
        return device_out_of_range(device, 1);
    if (device->blobs.damaged)
        return device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
    struct blob_place place = blob_find(&device->net, request->blob);
    if (request->offset > place.total)
        return device_refuse(device, WIRE_ERROR_BAD_OFFSET, place.total);

    size_t offset = (size_t)request->offset, count = place.total - offset;
    uint8_t most = (uint8_t)(session->max_payload - sizeof(struct wire_blob));
    if (count > most)
        count = most;
    uint8_t reply = (uint8_t)(sizeof(struct wire_blob) + count);
    struct wire_blob *header = wire_session_reserve(session, reply);
    if (!header)
        return WIRE_LATER;
    header->blob = request->blob;
    header->offset = request->offset;
    header->total = (uint32_t)place.total;
    memcpy(header + 1, place.bytes + offset, count);
    wire_session_reply(session, WIRE_TYPE_BLOB, reply);
    return WIRE_DONE;
}

static enum wire_result get_metrics(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)payload, (void)length;
    struct wire_metrics *metrics = wire_session_reserve(&device->session, sizeof *metrics);
    if (!metrics)
        return WIRE_LATER;
    memcpy(metrics, &device->metrics, sizeof *metrics);
    wire_session_reply(&device->session, WIRE_TYPE_METRICS, sizeof *metrics);
    return WIRE_DONE;
}

static uint8_t state(const struct device *device)
{
    if (!device->configured)
        return WIRE_STATE_UNCONFIGURED;
    return device->blobs.damaged ? WIRE_STATE_LOADING : WIRE_STATE_READY;
}

static const WIRE_FLASH struct field status_fields[] = {
    FIELD(wire_status, steps, device, net.steps),
    FIELD(wire_status, skipped, device, net.skipped),
    FIELD(wire_status, saturations, device, net.saturations),
    FIELD(wire_status, loss_sum, device, net.loss_sum),
    FIELD(wire_status, last_loss, device, net.last_loss),
    FIELD(wire_status, random_state, device, net.random_state),
    FIELD(wire_status, noise_deviation, device, intake.noise.deviation),
    FIELD(wire_status, noise_filled, device, intake.noise.filled),
    FIELD(wire_status, codes, device, intake.noise.received),
    FIELD(wire_status, telemetry_dropped, device, telemetry.dropped),
    FIELD(wire_status, last_error, device, session.last_error),
    FIELD(wire_status, last_error_seq, device, session.last_error_seq),
    FIELD(wire_status, last_error_detail, device, session.last_error_detail),
    FIELD(wire_status, arena_used, device, net.at.used),
};

static enum wire_result get_status(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)payload, (void)length;
    struct wire_status *status = wire_session_reserve(&device->session, sizeof *status);
    if (!status)
        return WIRE_LATER;
    FIELDS_COPY(status, device, status_fields);
    status->state = state(device);
    if (!anp_noise_calibrated(&device->intake.noise))
        status->noise_deviation = 0;
    status->codes_lost = intake_lost(&device->intake);
    wire_session_reply(&device->session, WIRE_TYPE_STATUS, sizeof *status);
    return WIRE_DONE;
}

static enum wire_result noise(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)length;
    const struct wire_noise *request = (const void *)payload;
    if (request->burst > WIRE_NOISE_BURST_MAX)
        return device_out_of_range(device, 2);
    /* The stream is read from the buffer, which then holds the host's own codes. */
    if (device->intake.source != WIRE_NOISE_SOURCE_ADC)
        return device_refuse(device, WIRE_ERROR_WRONG_MODE, 0);
    stream_start(&device->stream, &device->intake, request->count, request->burst);
    return WIRE_DONE;
}

static enum wire_result inject(struct device *device, const uint8_t *payload, uint8_t length)
{
    if (device->intake.source != WIRE_NOISE_SOURCE_INJECTED)
        return device_refuse(device, WIRE_ERROR_WRONG_MODE, 0);
    anp_noise_put_all(&device->intake.noise, (const uint16_t *)(const void *)payload, (uint8_t)(length / sizeof(uint16_t)));
    return WIRE_DONE;
}

static enum wire_result set_telemetry(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)length;
    const struct wire_set_telemetry *request = (const void *)payload;
    telemetry_start(&device->telemetry, device->board, request->interval);
    return WIRE_DONE;
}

static enum wire_result stop(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)payload, (void)length;
    stream_stop(&device->stream);
    device->telemetry.interval = 0;
    return WIRE_DONE;
}

static enum wire_result reset(struct device *device, const uint8_t *payload, uint8_t length)
{
    (void)payload, (void)length;
    device->restart = true;
    return WIRE_DONE;
}

static const WIRE_FLASH struct command commands[] = {
    [WIRE_TYPE_CONFIGURE] = {WIRE_SIZE_CONFIGURE, OPEN_INT16, false, command_configure},
    [WIRE_TYPE_SET_RATES] = {WIRE_SIZE_SET_RATES, OPEN_NONE, true, set_rates},
    [WIRE_TYPE_SET_BLOB] = {WIRE_SIZE_SET_BLOB, OPEN_BYTES, true, blobs_write},
    [WIRE_TYPE_GET_BLOB] = {WIRE_SIZE_GET_BLOB, OPEN_NONE, true, get_blob},
    [WIRE_TYPE_TRAIN] = {WIRE_SIZE_TRAIN, OPEN_INT16, true, command_train},
    [WIRE_TYPE_PREDICT] = {WIRE_SIZE_PREDICT, OPEN_INT16, true, command_predict},
    [WIRE_TYPE_EVALUATE] = {WIRE_SIZE_EVALUATE, OPEN_INT16, true, command_evaluate},
    [WIRE_TYPE_GET_METRICS] = {WIRE_SIZE_GET_METRICS, OPEN_NONE, false, get_metrics},
    [WIRE_TYPE_GET_STATUS] = {WIRE_SIZE_GET_STATUS, OPEN_NONE, false, get_status},
    [WIRE_TYPE_NOISE] = {WIRE_SIZE_NOISE, OPEN_NONE, false, noise},
    [WIRE_TYPE_INJECT] = {WIRE_SIZE_INJECT, OPEN_INT16, false, inject},
    [WIRE_TYPE_SET_TELEMETRY] = {WIRE_SIZE_SET_TELEMETRY, OPEN_NONE, false, set_telemetry},
    [WIRE_TYPE_STOP] = {WIRE_SIZE_STOP, OPEN_NONE, false, stop},
    [WIRE_TYPE_RESET] = {WIRE_SIZE_RESET, OPEN_NONE, false, reset},
};

static bool length_fits(const WIRE_FLASH struct command *command, uint8_t length)
{
    uint8_t size = command->size;
    return length >= size && ((uint8_t)(length - size) & command->open) == 0;
}

enum wire_result command_execute(struct device *device, uint8_t type, const uint8_t *payload, uint8_t length)
{
    /* What comes after a RESET is for the device after it. */
    if (device->restart)
        return WIRE_LATER;
    const WIRE_FLASH struct command *command = type < sizeof commands / sizeof commands[0] ? &commands[type] : NULL;
    if (!command || !command->execute)
        return device_refuse(device, WIRE_ERROR_UNKNOWN_TYPE, type);
    if (!length_fits(command, length))
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);
    if (command->needs_network && !device->configured)
        return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
    return command->execute(device, payload, length);
}
