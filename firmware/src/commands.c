/* The command table, what each command needs, and the commands of a few lines. turn.c calls command_execute(). */
#include "commands.h"

#include <string.h>

#include "autonomous.h"
#include "blobs.h"
#include "configure.h"
#include "flash.h"
#include "messages.h"
#include "reports.h"
#include "samples.h"

/* The open field at the end: the bits that are 0 in its length. */
#define OPEN_NONE 0xff
#define OPEN_BYTES 0
#define OPEN_INT16 1

/* What a command needs. */
#define NETWORK 1                 /* a network is configured */
#define IDLE 2                    /* no autonomous training runs */
#define SAVED 4                   /* no checkpoint is being written; else the command waits */
#define MEMORY 8                  /* the board has nonvolatile memory */

struct command {
    uint8_t size;                 /* of the fixed fields */
    uint8_t open;
    uint8_t needs;
    enum wire_result (*execute)(struct device *device, const uint8_t *payload, uint8_t length);
};

static enum wire_result set_rates(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_set_rates *rates = (const void *)payload;
    if (anp_set_rates(&device->net, rates->learning_rate, rates->decorrelation_rate) != ANP_OK)
        return device_out_of_range(device, 2);
    return WIRE_DONE;
}

static enum wire_result noise(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
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
    DEVICE_KNOWN(device);
    if (device->intake.source != WIRE_NOISE_SOURCE_INJECTED)
        return device_refuse(device, WIRE_ERROR_WRONG_MODE, 0);
    anp_noise_put_all(&device->intake.noise, (const uint16_t *)(const void *)payload, (uint8_t)(length / sizeof(uint16_t)));
    return WIRE_DONE;
}

static enum wire_result set_telemetry(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_set_telemetry *request = (const void *)payload;
    telemetry_start(&device->telemetry, device->board, request->interval);
    return WIRE_DONE;
}

static enum wire_result stop(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    stream_stop(&device->stream);
    device->telemetry.interval = 0;
    return WIRE_DONE;
}

static enum wire_result set_health(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_set_health *request = (const void *)payload;
    struct health_limits limits;
    memcpy(&limits, request, sizeof limits);
    uint8_t unfit = health_unfit(&limits);
    if (unfit)
        return device_out_of_range(device, unfit);
    if (request->recalibrate > WIRE_SET_HEALTH_RECALIBRATE_MAX)
        return device_out_of_range(device, 6);
    health_set_limits(&device->intake.health, &limits);
    if (request->recalibrate) {
        health_forget(&device->intake.health);
        anp_noise_forget(&device->intake.noise);
    }
    return WIRE_DONE;
}

static enum wire_result reset(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    device->restart = true;
    return WIRE_DONE;
}

_Static_assert(sizeof(struct health_limits) == offsetof(struct wire_set_health, recalibrate), "the message begins with them");

static const WIRE_FLASH struct command commands[] = {
    [WIRE_TYPE_CONFIGURE] = {WIRE_SIZE_CONFIGURE, OPEN_INT16, IDLE | SAVED, command_configure},
    [WIRE_TYPE_SET_RATES] = {WIRE_SIZE_SET_RATES, OPEN_NONE, NETWORK | IDLE | SAVED, set_rates},
    [WIRE_TYPE_SET_BLOB] = {WIRE_SIZE_SET_BLOB, OPEN_BYTES, IDLE | SAVED, blobs_write},
    [WIRE_TYPE_GET_BLOB] = {WIRE_SIZE_GET_BLOB, OPEN_NONE, SAVED, report_blob},
    [WIRE_TYPE_TRAIN] = {WIRE_SIZE_TRAIN, OPEN_INT16, NETWORK | IDLE | SAVED, command_train},
    [WIRE_TYPE_PREDICT] = {WIRE_SIZE_PREDICT, OPEN_INT16, NETWORK, command_predict},
    [WIRE_TYPE_EVALUATE] = {WIRE_SIZE_EVALUATE, OPEN_INT16, NETWORK, command_evaluate},
    [WIRE_TYPE_GET_METRICS] = {WIRE_SIZE_GET_METRICS, OPEN_NONE, 0, report_metrics},
    [WIRE_TYPE_GET_STATUS] = {WIRE_SIZE_GET_STATUS, OPEN_NONE, 0, report_status},
    [WIRE_TYPE_NOISE] = {WIRE_SIZE_NOISE, OPEN_NONE, 0, noise},
    [WIRE_TYPE_INJECT] = {WIRE_SIZE_INJECT, OPEN_INT16, SAVED, inject},
    [WIRE_TYPE_SET_TELEMETRY] = {WIRE_SIZE_SET_TELEMETRY, OPEN_NONE, 0, set_telemetry},
    [WIRE_TYPE_STOP] = {WIRE_SIZE_STOP, OPEN_NONE, 0, stop},
    [WIRE_TYPE_RESET] = {WIRE_SIZE_RESET, OPEN_NONE, SAVED, reset},
    [WIRE_TYPE_SET_HEALTH] = {WIRE_SIZE_SET_HEALTH, OPEN_NONE, SAVED, set_health},
    [WIRE_TYPE_GET_HEALTH] = {WIRE_SIZE_GET_HEALTH, OPEN_NONE, 0, report_health},
    AUTONOMOUS_COMMANDS
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
    if (autonomous_waits(device))
        return autonomous_waited(device);
    const WIRE_FLASH struct command *command = type < sizeof commands / sizeof commands[0] ? &commands[type] : NULL;
    if (!command || !command->execute)
        return device_refuse(device, WIRE_ERROR_UNKNOWN_TYPE, type);
    if (!length_fits(command, length))
        return device_refuse(device, WIRE_ERROR_BAD_LENGTH, length);
    if ((command->needs & MEMORY) && BOARD(device->board, memory_bytes) == 0)
        return device_refuse(device, WIRE_ERROR_NO_MEMORY, 0);
    if ((command->needs & NETWORK) && !device->configured)
        return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
    if ((command->needs & IDLE) && autonomous_learns(device))
        return device_refuse(device, WIRE_ERROR_BUSY, 0);
    if ((command->needs & SAVED) && autonomous_saves(device))
        return WIRE_LATER;
    return command->execute(device, payload, length);
}
