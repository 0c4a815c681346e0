/* The commands that ask how autonomous training goes and what is kept of it: GET_PROGRESS, GET_CURVE, GET_CHECKPOINT. */
#include <string.h>

#include "autonomous.h"
#include "checkpoint.h"
#include "device.h"
#include "handlers.h"
#include "memory_map.h"
#include "messages.h"
#include "reports.h"
#include "training.h"

static const WIRE_FLASH struct field progress_fields[] = {
    FIELD(wire_progress, activity, device, autonomous.training.activity),
    FIELD(wire_progress, task, device, autonomous.training.task),
    FIELD(wire_progress, stop_reason, device, autonomous.training.stop_reason),
    FIELD(wire_progress, epoch, device, autonomous.training.epoch),
    FIELD(wire_progress, position, device, autonomous.training.position),
    FIELD(wire_progress, epoch_steps, device, autonomous.training.epoch_steps),
    FIELD(wire_progress, learning_rate, device, net.config.learning_rate),
    FIELD(wire_progress, epoch_loss, device, autonomous.training.epoch_loss),
    FIELD(wire_progress, evaluated, device, autonomous.training.evaluated),
    FIELD(wire_progress, evaluation_loss, device, autonomous.training.evaluation_loss),
    FIELD(wire_progress, correct, device, autonomous.training.correct),
    FIELD(wire_progress, stop_steps, device, autonomous.training.stop_steps),
    FIELD(wire_progress, stop_epochs, device, autonomous.training.stop_epochs),
    FIELD(wire_progress, loss_target, device, autonomous.training.loss_target),
    FIELD(wire_progress, halve_every, device, autonomous.training.halve_every),
    FIELD(wire_progress, evaluate_every, device, autonomous.training.evaluate_every),
    FIELD(wire_progress, checkpoint_interval, device, autonomous.training.checkpoint_interval),
};

static const WIRE_FLASH struct field checkpoint_fields[] = {
    FIELD(wire_checkpoints, generation, device, autonomous.checkpoint.generation),
    FIELD(wire_checkpoints, restored, device, autonomous.checkpoint.restored),
    FIELD(wire_checkpoints, age, device, autonomous.checkpoint.age),
    FIELD(wire_checkpoints, interval, device, autonomous.training.checkpoint_interval),
};

static const WIRE_FLASH struct report progress = REPORT(PROGRESS, progress_fields);
static const WIRE_FLASH struct report checkpoints = REPORT(CHECKPOINTS, checkpoint_fields);

enum wire_result command_get_curve(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    const struct curve *curve = &device->autonomous.training.curve;
    uint8_t points = (uint8_t)(curve->filled * sizeof curve->points[0]), bytes = (uint8_t)(sizeof(struct wire_curve) + points);
    struct wire_curve *header = wire_session_reserve(&device->session, bytes);
    if (!header)
        return WIRE_LATER;
    header->interval = curve_interval(curve, device->autonomous.training.epoch_steps);
    memcpy(header + 1, curve->points, points);
    wire_session_send(&device->session, WIRE_TYPE_CURVE, bytes);
    return WIRE_DONE;
}

enum wire_result command_get_progress(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    struct wire_progress *message = report_begin(device, &progress);
    if (!message)
        return WIRE_LATER;
    message->steps = training_steps(&device->autonomous.training);
    if (device->configured) {
        const uint16_t *sizes = device->net.config.sizes;
        ptrdiff_t room = memory_dataset_room(device->board, memory_bytes_of(&device->net));
        if (device->autonomous.dataset.complete)
            message->samples = device->autonomous.dataset.samples;
        if (room > 0)
            message->room = (uint16_t)room;
        message->sample_bytes = (uint16_t)(sizes[0] + sizes[device->net.config.layers]);
    }
    return report_end(device, &progress);
}

static uint16_t limited(uint32_t value)
{
    return (uint16_t)(value < UINT16_MAX ? value : UINT16_MAX);
}

enum wire_result command_get_checkpoint(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    const struct checkpoint *checkpoint = &device->autonomous.checkpoint;
    struct wire_checkpoints *message = report_begin(device, &checkpoints);
    if (!message)
        return WIRE_LATER;
    message->saving = checkpoint_busy(checkpoint);
    message->memory = BOARD(device->board, memory_bytes);
    message->block = BOARD(device->board, memory_block);
    if (checkpoint->phase != CHECKPOINT_IDLE && message->generation)
        message->generation--;
    if (device->configured) {
        message->slot_bytes = limited((uint32_t)memory_bytes_of(&device->net));
        message->missing = limited(checkpoint_missing(device));
    }
    return report_end(device, &checkpoints);
}
