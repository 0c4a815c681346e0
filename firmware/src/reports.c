/* Answers to GET_BLOB, GET_METRICS, GET_STATUS and GET_HEALTH. The command table calls them. */
#include "reports.h"

#include <string.h>

#include "autonomous.h"
#include "blobs.h"
#include "fields.h"
#include "handlers.h"
#include "messages.h"

/* Bytes of a blob that can be read; 0 and an error: there is none. */
static size_t blob_bytes(const struct device *device, uint8_t kind, uint8_t *error)
{
    *error = 0;
    if (kind >= WIRE_BLOB_KIND_DATASET)
        return autonomous_blob_bytes(device, kind, error);
    if (!device->configured) {
        *error = WIRE_ERROR_NOT_CONFIGURED;
        return 0;
    }
    *error = device->blobs.damaged ? WIRE_ERROR_NOT_LOADED : 0;
    return blob_find(&device->net, kind).total;
}

enum wire_result command_get_blob(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    struct wire_session *session = &device->session;
    const struct wire_get_blob *request = (const void *)payload;
    uint8_t kind = request->blob, error;
    if (kind > WIRE_BLOB_KIND_CHECKPOINT)
        return device_out_of_range(device, WIRE_FIELD_GET_BLOB_BLOB);
    size_t total = blob_bytes(device, kind, &error);
    if (error)
        return device_refuse(device, error, 0);
    if (request->offset > total)
        return device_refuse(device, WIRE_ERROR_BAD_OFFSET, (uint32_t)total);

    size_t offset = (size_t)request->offset, count = total - offset;
    uint8_t most = (uint8_t)(session->max_payload - sizeof(struct wire_blob));
    if (count > most)
        count = most;
    uint8_t bytes = (uint8_t)(sizeof(struct wire_blob) + count);
    struct wire_blob *header = wire_session_reserve(session, bytes);
    if (!header)
        return WIRE_LATER;
    header->blob = kind;
    header->offset = (uint32_t)offset;
    header->total = (uint32_t)total;
    if (kind >= WIRE_BLOB_KIND_DATASET) {
        autonomous_blob_read(device, kind, (uint16_t)offset, (uint8_t *)(header + 1), (uint8_t)count);
    } else {
        memcpy(header + 1, blob_find(&device->net, kind).bytes + offset, count);
        autonomous_weights_read(device, offset + count < total);
    }
    wire_session_send(session, WIRE_TYPE_BLOB, bytes);
    return WIRE_DONE;
}

/* --- answers of fixed fields --- */

static const WIRE_FLASH struct field metrics_fields[] = {
    FIELD(wire_metrics, samples, device, metrics.samples),
    FIELD(wire_metrics, correct, device, metrics.correct),
    FIELD(wire_metrics, loss_sum, device, metrics.loss_sum),
};

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
};

static const WIRE_FLASH struct field health_fields[] = {
    FIELD(wire_health, fault, device, intake.health.fault),
    FIELD(wire_health, last_fault, device, intake.health.last_fault),
    FIELD(wire_health, faults, device, intake.health.faults),
    FIELD(wire_health, fault_code, device, intake.health.fault_code),
    FIELD(wire_health, seen_low, device, intake.health.seen_low),
    FIELD(wire_health, seen_high, device, intake.health.seen_high),
    FIELD(wire_health, level_low, device, intake.health.level_low),
    FIELD(wire_health, level_high, device, intake.health.level_high),
    FIELD(wire_health, run, device, intake.health.run),
    FIELD(wire_health, ones, device, intake.health.last_ones),
    FIELD(wire_health, switches, device, intake.health.last_switches),
    FIELD(wire_health, windows, device, intake.health.windows),
    FIELD(wire_health, repetitions, device, intake.health.limits.repetitions),
    FIELD(wire_health, window, device, intake.health.limits.window),
    FIELD(wire_health, ones_min, device, intake.health.limits.ones_min),
    FIELD(wire_health, ones_max, device, intake.health.limits.ones_max),
    FIELD(wire_health, switches_min, device, intake.health.limits.switches_min),
};

static const WIRE_FLASH struct report metrics = REPORT(METRICS, metrics_fields);
static const WIRE_FLASH struct report status = REPORT(STATUS, status_fields);
static const WIRE_FLASH struct report health = REPORT(HEALTH, health_fields);

__attribute__((noinline)) void *report_begin(struct device *device, const WIRE_FLASH struct report *report)
{
    void *message = wire_session_reserve(&device->session, report->size);
    if (message) {
        memset(message, 0, report->size);
        fields_copy(message, device, report->fields, report->rows);
    }
    return message;
}

enum wire_result report_end(struct device *device, const WIRE_FLASH struct report *report)
{
    wire_session_send(&device->session, report->type, report->size);
    return WIRE_DONE;
}

enum wire_result command_get_metrics(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    return report_begin(device, &metrics) ? report_end(device, &metrics) : WIRE_LATER;
}

static uint8_t state(const struct device *device)
{
    if (!device->configured)
        return WIRE_STATE_UNCONFIGURED;
    return device->blobs.damaged ? WIRE_STATE_LOADING : WIRE_STATE_READY;
}

enum wire_result command_get_status(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    struct wire_status *message = report_begin(device, &status);
    if (!message)
        return WIRE_LATER;
    device->barred = false;
    message->state = state(device);
    if (!anp_noise_calibrated(&device->intake.noise))
        message->noise_deviation = 0;
    message->arena_used = (uint32_t)device->net.at.used;
    message->codes_lost = intake_lost(&device->intake);
    return report_end(device, &status);
}

enum wire_result command_get_health(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    return report_begin(device, &health) ? report_end(device, &health) : WIRE_LATER;
}
