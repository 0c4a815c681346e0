/* The device's end of a session, as a state machine without I/O. The device calls it in every turn and gets commands from it. */
#include "session.h"

#include <string.h>

#include "flash.h"

#ifdef WIRE_SESSION_FIXED
#include "session_fixed.h"
#else
#define SESSION_ROOM(session) ((session)->write_room((session)->line_context))
#define SESSION_WRITE(session, bytes, count) ((session)->write((session)->line_context, bytes, count))
#define SESSION_PLACE(session) ((session)->place ? (session)->place((session)->line_context) : (session)->transmit)
#define SESSION_OVERRUNS(session) ((session)->receive_overruns((session)->line_context))
#define SESSION_HANDLE(session, type, payload, length) ((session)->handle((session)->command_context, type, payload, length))
#define SESSION_WELCOME(session, message) ((session)->welcome((session)->command_context, message))
#define SESSION_OPENED(session) ((session)->opened((session)->command_context))
#endif

void wire_session_init(struct wire_session *session)
{
    wire_decoder_init(&session->decoder, session->receive, session->max_payload);
    session->open = false;
    session->number = WIRE_SESSION_NONE;
    session->held = false;
    session->ack_due = false;
    session->bad_frames = 0;
}

/* Also without a session. */
static void *reserve(const struct wire_session *session, uint8_t length)
{
    WIRE_NEAR(session);
    /* An ACK that is due keeps its place, else a stream of telemetry could hold it off forever. */
    uint8_t due = session->ack_due ? WIRE_ENCODED_BYTES(WIRE_SIZE_ACK) : 0;
    uint16_t needed = (uint16_t)(WIRE_ENCODED_BYTES(length) + due);
    if (length > session->max_payload || SESSION_ROOM(session) < needed)
        return NULL;
    return SESSION_PLACE(session) + WIRE_TRANSMIT_PAYLOAD;
}

static void transmit(struct wire_session *session, uint8_t type, uint8_t number, uint8_t seq, uint8_t length)
{
    uint8_t *frame = SESSION_PLACE(session);
    wire_encode(frame, type, number, seq, length, wire_seed(&session->decoder, number, seq));
    SESSION_WRITE(session, frame + 1, (uint16_t)WIRE_ENCODED_BYTES(length));
}

void *wire_session_reserve(const struct wire_session *session, uint8_t length)
{
    return session->open ? reserve(session, length) : NULL;
}

void wire_session_send(struct wire_session *session, uint8_t type, uint8_t length)
{
    transmit(session, type, session->number, session->decoder.next_seq, length);
}

void wire_session_refuse(struct wire_session *session, uint8_t code, uint32_t detail)
{
    session->errors++;
    session->last_error = code;
    session->last_error_seq = session->decoder.next_seq;
    session->last_error_detail = detail;
    struct wire_err *err = wire_session_reserve(session, sizeof *err);
    if (!err)
        return;
    err->command = wire_frame_type(&session->decoder);
    err->code = code;
    err->detail = detail;
    wire_session_send(session, WIRE_TYPE_ERR, sizeof *err);
}

void wire_session_acknowledge(struct wire_session *session)
{
    if (!session->open)
        return;
    session->ack_due = false;
    struct wire_ack *ack = wire_session_reserve(session, sizeof *ack);
    if (!ack) {
        session->ack_due = true;
        return;
    }
    ack->next_seq = session->decoder.next_seq;
    ack->credit = session->credit;
    ack->bad_frames = session->bad_frames;
    ack->rx_overruns = (uint16_t)(SESSION_OVERRUNS(session) - session->overruns_before);
    ack->errors = session->errors;
    wire_session_send(session, WIRE_TYPE_ACK, sizeof *ack);
}

void wire_session_close(struct wire_session *session)
{
    session->open = false;
    session->held = false;
    session->ack_due = false;
}

static void open_session(struct wire_session *session, uint32_t nonce)
{
    WIRE_NEAR(session);
    /* The first number comes from the nonce and the count of starts, so that a device that restarts does not take the
     * one it had: frames of the session before may still be under way. */
    session->nonce = nonce;
    uint16_t sum = session->number;
    if (sum == WIRE_SESSION_NONE) {
        /* Mod 255, the sum of a number's bytes is the number. */
        sum = (uint16_t)((uint8_t)session->boot_count + (session->boot_count >> 8));
        const uint8_t *bytes = (const uint8_t *)&session->nonce;
        for (uint8_t i = 0; i < sizeof session->nonce; i++)
            sum = (uint16_t)(sum + bytes[i]);
    }
    while (sum >= 255)
        sum = (uint16_t)(sum - 255);
    session->number = (uint8_t)(1 + sum);
    session->open = true;
    session->decoder.next_seq = 0;
    session->decoder.oldest_seed = nonce - WIRE_SEED_STEP;
    session->ack_due = false;
    session->bad_frames = 0;
    session->overruns_before = SESSION_OVERRUNS(session);
    session->errors = 0;
    session->last_error = 0;
    session->last_error_seq = 0;
    session->last_error_detail = 0;
    SESSION_OPENED(session);
}

/* False when there is no room for the answer: then nothing was done. */
static bool greet(struct wire_session *session)
{
    const struct wire_hello *hello = (const void *)wire_frame_payload(&session->decoder);
    if (wire_frame_length(&session->decoder) != sizeof *hello)
        return true;
    struct wire_welcome *welcome = reserve(session, sizeof *welcome);
    if (!welcome)
        return false;
    bool understood = hello->version_min <= WIRE_VERSION && WIRE_VERSION <= hello->version_max;
    if (understood && !(session->open && hello->nonce == session->nonce))
        open_session(session, hello->nonce);

    memset(welcome, 0, sizeof *welcome);
    SESSION_WELCOME(session, welcome);
    welcome->nonce = hello->nonce;
    welcome->version = WIRE_VERSION;
    welcome->session = understood ? session->number : WIRE_SESSION_NONE;
    welcome->schema = WIRE_SCHEMA;
    welcome->max_payload = session->max_payload;
    transmit(session, WIRE_TYPE_WELCOME, WIRE_SESSION_NONE, wire_frame_seq(&session->decoder), sizeof *welcome);
    return true;
}

static enum wire_result take_command(struct wire_session *session)
{
    struct wire_decoder *frame = &session->decoder;
    WIRE_NEAR(frame);
    if (!session->open || wire_frame_session(frame) != session->number || wire_frame_type(frame) >= WIRE_DEVICE_TYPES)
        return WIRE_DONE;
    if (wire_frame_seq(frame) == frame->next_seq) {
        enum wire_result result = SESSION_HANDLE(session, wire_frame_type(frame), wire_frame_payload(frame), wire_frame_length(frame));
        if (result == WIRE_LATER)
            return WIRE_LATER;
        if (++frame->next_seq == WIRE_HALF_TURN)
            frame->oldest_seed += WIRE_SEED_STEP;
    }
    wire_session_acknowledge(session);
    return WIRE_DONE;
}

static void take_frame(struct wire_session *session)
{
    bool hello = wire_frame_type(&session->decoder) == WIRE_TYPE_HELLO &&
                 wire_frame_session(&session->decoder) == WIRE_SESSION_NONE;
    session->held = hello ? !greet(session) : take_command(session) == WIRE_LATER;
}

uint16_t wire_session_receive(struct wire_session *session, const uint8_t *bytes, uint16_t count)
{
    uint16_t taken = 0;
    while (taken < count && !session->held) {
        uint16_t decoded;
        enum wire_event event = wire_decode(&session->decoder, bytes + taken, (uint16_t)(count - taken), &decoded);
        taken = (uint16_t)(taken + decoded);
        if (event == WIRE_FRAME) {
            take_frame(session);
        } else if (event == WIRE_BAD_FRAME) {
            session->bad_frames++;
            wire_session_acknowledge(session);
        }
    }
    return taken;
}

void wire_session_poll(struct wire_session *session)
{
    if (session->held)
        take_frame(session);
    if (session->ack_due)
        wire_session_acknowledge(session);
}
