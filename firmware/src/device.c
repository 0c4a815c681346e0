#include "device.h"

#include <string.h>

#include "commands.h"
#include "messages.h"

/* Identifies what was compiled; the build system sets it. */
#ifndef DEVICE_BUILD
#define DEVICE_BUILD 0
#endif

#define OWN_FEATURES (WIRE_FEATURES_DECORRELATION | WIRE_FEATURES_CROSS_ENTROPY | WIRE_FEATURES_INT32_WEIGHTS)

static enum wire_result handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    return command_execute(context, type, payload, length);
}

static void welcome(void *context, struct wire_welcome *message)
{
    const struct device *device = context;
    const struct board *board = device->board;
    message->build = DEVICE_BUILD;
    strncpy(message->board, board->name, sizeof message->board - 1);
    message->boot_count = board->boot_count;
    message->reset_cause = board->reset_cause;
    message->receive_window = board->receive_window;
    message->features = (uint16_t)(board->features | OWN_FEATURES);
    message->adc_bits = board->adc_bits;
    message->adc_rate = board->adc_rate;
    message->adc_reference = board->adc_reference;
    message->line_rate = board->line_rate;
    message->arena = board->arena_bytes;
    message->activation_bits = ANP_FRACTION_BITS;
    message->weight32_bits = ANP_WEIGHT32_BITS;
    message->loss_bits = ANP_LOSS_BITS;
}

/* The network and what it learned stay: a host that crashed finds them again. */
static void opened(void *context)
{
    struct device *device = context;
    stream_stop(&device->stream);
    telemetry_init(&device->telemetry);
    blobs_abandon(&device->blobs);
    device->metrics = (struct wire_metrics){0};
}

void device_init(struct device *device, const struct board *board)
{
    memset(device, 0, sizeof *device);
    device->board = board;
    intake_init(&device->intake, board);
    struct wire_session *session = &device->session;
    session->receive = (uint8_t *)device->receive;
#ifndef DEVICE_FRAMES_IN_PLACE
    session->transmit = (uint8_t *)device->transmit;
#endif
    session->max_payload = board->max_payload < DEVICE_MAX_PAYLOAD ? board->max_payload : DEVICE_MAX_PAYLOAD;
    session->boot_count = board->boot_count;
    session->credit = board->receive_window;
    session->line_context = board->context;
    session->write_room = board->write_room;
    session->write = board->write;
    session->place = board->place;
    session->receive_overruns = board->receive_overruns;
    session->command_context = device;
    session->handle = handle;
    session->welcome = welcome;
    session->opened = opened;
    wire_session_init(session);
}

bool device_take_codes(struct device *device)
{
    uint8_t taken, all = 0;
    do {
        taken = intake_take(&device->intake, device->board);
        all |= taken;
        if (device->stream.active)
            stream_send(&device->stream, &device->intake, &device->session, device->board);
    } while (taken == INTAKE_BATCH);
    return all != 0;
}

enum wire_result device_refuse(struct device *device, uint8_t code, uint32_t detail)
{
    wire_session_refuse(&device->session, code, detail);
    return WIRE_DONE;
}

/* Whether bytes were taken from the board. */
static bool receive(struct device *device)
{
    const struct board *board = device->board;
    if (device->session.held)
        return false;
    if (device->input_start == device->input_end) {
        device->input_start = 0;
        device->input_end = (uint8_t)board->read(board->context, device->input, DEVICE_INPUT);
        if (device->input_end == 0)
            return false;
    }
    uint8_t *waiting = device->input + device->input_start;
    uint8_t count = (uint8_t)(device->input_end - device->input_start);
    device->input_start = (uint8_t)(device->input_start + wire_session_receive(&device->session, waiting, count));
    return true;
}

bool device_poll(struct device *device)
{
    const struct board *board = device->board;
    uint32_t code = device->intake.next;
    if (device->session.held || device->session.ack_due)
        wire_session_poll(&device->session);
    if (device->restart) {
        /* The acknowledgement of the RESET must be on its way first. */
        if (device->session.ack_due)
            return false;
        board->reset(board->context);
        return true;
    }
    bool received = receive(device);
    if (device->stream.active && stream_waits_for_codes(&device->stream, &device->intake, &device->session, board))
        board->advance(board->context);
    /* A command that waits for codes takes them itself. */
    return device_take_codes(device) || received || device->intake.next != code;
}
