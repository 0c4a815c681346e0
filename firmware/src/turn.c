/* The turns of the main loop, which the board's main() begins and repeats, and the session's handlers. */
#include "turn.h"

#include <string.h>

#include "autonomous.h"
#include "blobs.h"
#include "commands.h"
#include "fields.h"
#include "long_samples.h"
#include "messages.h"

/* Identifies what was compiled; the build system sets it. */
#ifndef DEVICE_BUILD
#define DEVICE_BUILD 0
#endif

#define OWN_FEATURES (WIRE_FEATURES_DECORRELATION | WIRE_FEATURES_CROSS_ENTROPY |                                                                \
                      (ANP_LAST_FORMAT == ANP_INT32 ? WIRE_FEATURES_INT32_WEIGHTS : 0) |                                                      \
                      (ANP_LAST_RULE >= ANP_RULE_EXACT ? WIRE_FEATURES_ANP_EXACT : 0) |                                                       \
                      (ANP_LAST_RULE >= ANP_RULE_FEEDBACK ? WIRE_FEATURES_FEEDBACK : 0) | LONG_SAMPLES_FEATURES)

enum wire_result device_handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    struct device *device = context;
    uint8_t errors = device->session.errors;
    enum wire_result result = command_execute(device, type, payload, length);
    if (device->session.errors != errors)
        device_remember(device, device->session.last_error);
    return result;
}

static const WIRE_FLASH struct field start_fields[] = {
    FIELD(wire_welcome, boot_count, board_start, boot_count),
    FIELD(wire_welcome, reset_cause, board_start, reset_cause),
    FIELD(wire_welcome, last_error, board_start, last_error),
};

void device_welcome(void *context, struct wire_welcome *message)
{
    const struct device *device = context;
    const BOARD_FLASH struct board *board = device->board;
    message->receive_window = BOARD(board, receive_window);
    message->adc_bits = BOARD(board, adc_bits);
    message->adc_rate = BOARD(board, adc_rate);
    message->adc_reference = BOARD(board, adc_reference);
    message->line_rate = BOARD(board, line_rate);
    message->arena = BOARD(board, arena_bytes);
    FIELDS_COPY(message, device->start, start_fields);
    message->build = DEVICE_BUILD;
    const char *name = BOARD(board, name);
    for (uint8_t i = 0; name[i] && i < sizeof message->board - 1; i++)
        message->board[i] = name[i];
    message->features = (uint16_t)(BOARD(board, features) | OWN_FEATURES);
    message->activation_bits = ANP_FRACTION_BITS;
    message->weight32_bits = ANP_WEIGHT32_BITS;
    message->loss_bits = ANP_LOSS_BITS;
    autonomous_welcome(device, message);
}

/* The network and what it learned stay: a host that crashed finds them again. */
void device_opened(void *context)
{
    struct device *device = context;
    stream_stop(&device->stream);
    telemetry_init(&device->telemetry);
    blobs_abandon(&device->blobs);
    long_samples_forget(device);
    device->barred = false;
    autonomous_opened(device);
    device->metrics = (struct wire_metrics){0};
}

#ifndef WIRE_SESSION_FIXED
static const WIRE_FLASH struct field session_fields[] = {
    FIELD(wire_session, line_context, board, context),
    FIELD(wire_session, write_room, board, write_room),
    FIELD(wire_session, write, board, write),
    FIELD(wire_session, place, board, place),
    FIELD(wire_session, receive_overruns, board, receive_overruns),
};
#endif

__attribute__((noinline)) void device_init(struct device *device, const BOARD_FLASH struct board *board, const struct board_start *start)
{
    memset(device, 0, sizeof *device);
    device->board = board;
    device->start = start;
    intake_init(&device->intake, board);
    struct wire_session *session = &device->session;
#ifndef WIRE_SESSION_FIXED
    FIELDS_COPY(session, board, session_fields);
    session->command_context = device;
    session->handle = device_handle;
    session->welcome = device_welcome;
    session->opened = device_opened;
#endif
    session->credit = BOARD(board, receive_window);
    session->boot_count = start->boot_count;
    session->receive = (uint8_t *)device->receive;
#ifndef DEVICE_FRAMES_IN_PLACE
    session->transmit = (uint8_t *)device->transmit;
#endif
    uint8_t most = BOARD(board, max_payload);
    session->max_payload = most < DEVICE_MAX_PAYLOAD ? most : DEVICE_MAX_PAYLOAD;
    wire_session_init(session);
    device->code_clock = device_clock(device);
    autonomous_init(device);
}

/* Whether bytes were taken from the board. */
static bool receive(struct device *device)
{
    const BOARD_FLASH struct board *board = device->board;
    if (device->session.held)
        return false;
#ifdef DEVICE_INPUT_IN_PLACE
    const uint8_t *bytes;
    uint8_t seen = BOARD_CALL(board, look, &bytes);
    if (seen)
        BOARD_CALL(board, took, (uint8_t)wire_session_receive(&device->session, bytes, seen));
    return seen != 0;
#else
    if (device->input_start == device->input_end) {
        device->input_start = 0;
        device->input_end = (uint8_t)BOARD_CALL(board, read, device->input, DEVICE_INPUT);
        if (device->input_end == 0)
            return false;
    }
    uint8_t *waiting = device->input + device->input_start;
    uint8_t count = (uint8_t)(device->input_end - device->input_start);
    device->input_start = (uint8_t)(device->input_start + wire_session_receive(&device->session, waiting, count));
    return true;
#endif
}

bool device_poll(struct device *device)
{
    const BOARD_FLASH struct board *board = device->board;
    device->took_codes = false;
    uint16_t faults = device->intake.health.faults;
    uint8_t errors = device->session.errors;
    wire_session_poll(&device->session);
    if (device->restart) {
        /* The acknowledgement of the RESET must be on its way first. */
        if (device->session.ack_due)
            return false;
        BOARD_DO(board, reset);
        return true;
    }
    /* Codes are taken once a command was executed: a small chip's FIFO cannot wait for several. */
    uint8_t inputs = 0, seq = device->session.decoder.next_seq;
    while (inputs < DEVICE_INPUTS && seq == device->session.decoder.next_seq && receive(device))
        inputs++;
    device_take_codes(device);
    if (device->stream.active && device->stream.waits) {
        BOARD_DO(board, advance);
        device_take_codes(device);
    }
    /* On a virtual clock a broken source can only be healthy again if time passes. */
    if (device->intake.health.fault) {
        BOARD_DO(board, advance);
        device_take_codes(device);
    }
    uint16_t now = device_clock(device);
    bool works = autonomous_poll(device, now);
    device_check_silence(device, now);
    /* A command that the fault made fail is newer than the fault. */
    bool refused = device->session.errors != errors && device->session.last_error == WIRE_ERROR_NOISE_FAULT;
    if (device->intake.health.faults != faults && !refused)
        device_remember(device, WIRE_FAULT_ERROR | device->intake.health.last_fault);
    return device->took_codes || inputs || works;
}
