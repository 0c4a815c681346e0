/* The seam's side that learns (autonomous.h): what the rest of the device calls, passed on to the modules of this folder. */
#include "autonomous.h"

#include "checkpoint.h"
#include "device.h"
#include "restore.h"
#include "training.h"

void autonomous_init(struct device *device)
{
    training_forget(&device->autonomous.training);
    checkpoint_restore(device);
}

void autonomous_welcome(const struct device *device, struct wire_welcome *message)
{
    const BOARD_FLASH struct board *board = device->board;
    message->memory = BOARD(board, memory_bytes);
    message->restored = device->autonomous.checkpoint.restored;
    message->features |= (uint16_t)((BOARD(board, memory_bytes) ? WIRE_FEATURES_MEMORY : 0) |
                                    (BOARD_HAS(board, analog) ? WIRE_FEATURES_ANALOG : 0));
}

void autonomous_opened(struct device *device)
{
    device->autonomous.training.paused = false;
}

void autonomous_configured(struct device *device)
{
    device->autonomous.dataset = (struct dataset){0};
    device->autonomous.checkpoint.dirty = false;
    training_forget(&device->autonomous.training);
}

void autonomous_codes(struct device *device, uint8_t count)
{
    if (device->autonomous.fresh < count)
        device->autonomous.fresh = count;
}

void autonomous_trained(struct device *device)
{
    device->autonomous.checkpoint.dirty = true;
}

void autonomous_weights_read(struct device *device, bool more)
{
    training_pause(device, more);
}

bool autonomous_poll(struct device *device, uint16_t now)
{
    /* Also without a memory: a checkpoint that is wanted there is dropped, and commands that wait for it continue. */
    bool saves = checkpoint_poll(device, now);
    bool works = !saves && training_poll(device, now);
    /* An upload waits for the memory, which no event tells of. */
    bool uploads = device->session.held && wire_frame_type(&device->session.decoder) == WIRE_TYPE_SET_BLOB;
    return saves || works || uploads;
}

enum wire_result autonomous_waited(struct device *device)
{
    if (autonomous_saves(device))
        return WIRE_LATER;
    device->autonomous.waits = false;
    return WIRE_DONE;
}

bool autonomous_learns(const struct device *device)
{
    return training_learns(&device->autonomous.training);
}

bool autonomous_saves(const struct device *device)
{
    return checkpoint_busy(&device->autonomous.checkpoint);
}
