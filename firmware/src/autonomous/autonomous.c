#include "autonomous.h"

#include "device.h"

void alone_init(struct device *device)
{
    autonomous_forget(&device->alone.autonomous);
    checkpoint_restore(device);
}

void alone_welcome(const struct device *device, struct wire_welcome *message)
{
    const BOARD_FLASH struct board *board = device->board;
    message->memory = BOARD(board, memory_bytes);
    message->restored = device->alone.checkpoint.restored;
    message->features |= (uint16_t)((BOARD(board, memory_bytes) ? WIRE_FEATURES_MEMORY : 0) |
                                    (BOARD_HAS(board, analog) ? WIRE_FEATURES_ANALOG : 0));
}

void alone_opened(struct device *device)
{
    device->alone.autonomous.paused = false;
}

void alone_configured(struct device *device)
{
    device->alone.dataset = (struct dataset){0};
    device->alone.checkpoint.dirty = false;
    autonomous_forget(&device->alone.autonomous);
}

void alone_codes(struct device *device, uint8_t count)
{
    if (device->alone.fresh < count)
        device->alone.fresh = count;
}

void alone_trained(struct device *device)
{
    device->alone.checkpoint.dirty = true;
}

void alone_weights_read(struct device *device, bool more)
{
    autonomous_pause(device, more);
}

bool alone_poll(struct device *device)
{
    /* Also without a memory: a checkpoint that is wanted there is dropped, and commands that wait for it go on. */
    bool saves = checkpoint_poll(device);
    bool works = !saves && autonomous_poll(device);
    /* An upload waits for the memory, which no event tells of. */
    bool uploads = device->session.held && wire_frame_type(&device->session.decoder) == WIRE_TYPE_SET_BLOB;
    return saves || works || uploads;
}

enum wire_result alone_waited(struct device *device)
{
    if (alone_saves(device))
        return WIRE_LATER;
    device->alone.waits = false;
    return WIRE_DONE;
}

bool alone_learns(const struct device *device)
{
    return autonomous_learns(&device->alone.autonomous);
}

bool alone_saves(const struct device *device)
{
    return checkpoint_busy(&device->alone.checkpoint);
}
