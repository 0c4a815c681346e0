/* The command table, what each command needs, and the commands of a few lines. turn.c calls command_execute(). */
#include "commands.h"

#include <string.h>

#include "autonomous.h"
#include "flash.h"
#include "handlers.h"
#include "long_samples.h"
#include "messages.h"

struct command {
    uint8_t size;                 /* of the fixed fields */
    uint8_t open;                 /* bits that are 0 in the length of the rest */
    uint8_t needs;
    enum wire_result (*execute)(struct device *device, const uint8_t *payload, uint8_t length);
};

enum wire_result command_set_rates(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_set_rates *rates = (const void *)payload;
    if (anp_set_rates(&device->net, rates->learning_rate, rates->decorrelation_rate) != ANP_OK)
        return device_out_of_range(device, WIRE_FIELD_SET_RATES_DECORRELATION_RATE);
    return WIRE_DONE;
}

enum wire_result command_noise(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_noise *request = (const void *)payload;
    if (request->burst > WIRE_NOISE_BURST_MAX)
        return device_out_of_range(device, WIRE_FIELD_NOISE_BURST);
    /* The stream is read from the buffer, which then holds the host's own codes. */
    if (device->intake.source != WIRE_NOISE_SOURCE_ADC)
        return device_refuse(device, WIRE_ERROR_WRONG_MODE, 0);
    stream_start(&device->stream, &device->intake, request->count, request->burst);
    return WIRE_DONE;
}

enum wire_result command_inject(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    if (device->intake.source != WIRE_NOISE_SOURCE_INJECTED)
        return device_refuse(device, WIRE_ERROR_WRONG_MODE, 0);
    anp_noise_put_all(&device->intake.noise, (const uint16_t *)(const void *)payload, (uint8_t)(length / sizeof(uint16_t)));
    return WIRE_DONE;
}

enum wire_result command_set_telemetry(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    const struct wire_set_telemetry *request = (const void *)payload;
    telemetry_start(&device->telemetry, device->board, request->interval);
    return WIRE_DONE;
}

enum wire_result command_stop(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    stream_stop(&device->stream);
    device->telemetry.interval = 0;
    return WIRE_DONE;
}

enum wire_result command_set_health(struct device *device, const uint8_t *payload, uint8_t length)
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
        return device_out_of_range(device, WIRE_FIELD_SET_HEALTH_RECALIBRATE);
    health_set_limits(&device->intake.health, &limits);
    if (request->recalibrate) {
        health_forget(&device->intake.health);
        anp_noise_forget(&device->intake.noise);
    }
    return WIRE_DONE;
}

enum wire_result command_reset(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    device->restart = true;
    return WIRE_DONE;
}

_Static_assert(sizeof(struct health_limits) == offsetof(struct wire_set_health, recalibrate), "the message begins with them");

#define ROW(NAME, name, needs) [WIRE_TYPE_##NAME] = {WIRE_SIZE_##NAME, WIRE_OPEN_##NAME, needs, command_##name},

static const WIRE_FLASH struct command commands[] = {
    WIRE_COMMANDS(ROW)
    AUTONOMOUS_COMMANDS(ROW)
    LONG_SAMPLES_COMMANDS(ROW)
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
    if ((command->needs & WIRE_NEEDS_MEMORY) && BOARD(device->board, memory_bytes) == 0)
        return device_refuse(device, WIRE_ERROR_NO_MEMORY, 0);
    if ((command->needs & WIRE_NEEDS_NETWORK) && !device->configured)
        return device_refuse(device, WIRE_ERROR_NOT_CONFIGURED, 0);
    if ((command->needs & WIRE_NEEDS_IDLE) && autonomous_learns(device))
        return device_refuse(device, WIRE_ERROR_BUSY, 0);
    if ((command->needs & WIRE_NEEDS_SAVED) && autonomous_saves(device))
        return WIRE_LATER;
    return long_samples_used(device, type, command->execute(device, payload, length));
}
