/* session.c under Frama-C's Eva (eva.py), for every state of a session, every frame, and every answer of its board and its commands. In
 * place of frame.c stands its contract: what it returns, and what it may read and write. */
#include "session.h"

#include <string.h>

#include "__fc_builtin.h"

#define LINE 3                    /* received bytes: none, one, and more than one frame's end */

static uint8_t receive[WIRE_RECEIVE_BYTES(WIRE_MAX_PAYLOAD)], transmit[WIRE_TRANSMIT_BYTES(WIRE_MAX_PAYLOAD)];
static uint8_t elsewhere[sizeof transmit];
static uint8_t line[LINE];
static struct wire_session session;

/* The receive buffer holds a whole frame. Eva keeps the states with and without one apart (-eva-partition-value). */
int whole;

static bool any_bool(void)
{
    return Frama_C_interval(0, 1) != 0;
}

/* --- frame.c --- */

void wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload)
{
    /*@ assert writable: \valid(buffer + (0 .. max_payload + 7)); */
    *decoder = (struct wire_decoder){.buffer = buffer, .capacity = (uint8_t)(max_payload + WIRE_FRAME_OVERHEAD)};
    whole = 0;
}

enum wire_event wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken)
{
    /*@ assert readable: \valid_read(bytes + (0 .. count - 1)); */
    /*@ assert free: !session.held; */
    Frama_C_make_unknown((char *)receive, sizeof receive);
    *taken = (uint16_t)Frama_C_interval(1, count);
    whole = any_bool();
    decoder->length = (uint8_t)Frama_C_interval(whole ? WIRE_FRAME_OVERHEAD : 0, decoder->capacity);
    //@ split *taken;
    return whole ? WIRE_FRAME : any_bool() ? WIRE_BAD_FRAME : WIRE_NOTHING;
}

uint32_t wire_seed(const struct wire_decoder *decoder, uint8_t number, uint8_t seq)
{
    (void)decoder, (void)number, (void)seq;
    return Frama_C_unsigned_long_interval(0, UINT32_MAX);
}

void wire_encode(uint8_t *buffer, uint8_t type, uint8_t number, uint8_t seq, uint8_t length, uint32_t seed)
{
    (void)type, (void)number, (void)seq, (void)seed;
    /*@ assert encodable: length <= 240; */
    /*@ assert writable: \valid(buffer + (0 .. length + 10)); */
}

/* --- the board and the commands --- */

static uint16_t any_room(void *context)
{
    (void)context;
    return (uint16_t)Frama_C_unsigned_long_interval(0, UINT16_MAX);
}

static uint8_t *any_place(void *context)
{
    (void)context;
    return elsewhere;
}

static void take(void *context, const uint8_t *bytes, uint16_t count)
{
    (void)context;
    /*@ assert sendable: \valid_read(bytes + (0 .. count - 1)); */
}

static bool any_answer(void)
{
    uint8_t length = (uint8_t)Frama_C_interval(0, WIRE_MAX_PAYLOAD), *answer = wire_session_reserve(&session, length);
    void *beyond = wire_session_reserve(&session, (uint8_t)Frama_C_interval(WIRE_MAX_PAYLOAD + 1, UINT8_MAX));
    /*@ assert refused: beyond == \null; */
    if (!answer)
        return false;
    if (length)
        answer[length - 1] = 0;
    wire_session_send(&session, WIRE_TYPE_STATUS, length);
    return true;
}

static enum wire_result execute(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    (void)context, (void)type;
    /*@ assert whole_frame: whole == 1; */
    /*@ assert readable: \valid_read(payload + (0 .. length - 1)); */
    session.credit = (uint16_t)Frama_C_unsigned_long_interval(0, UINT16_MAX);
    if (any_bool())
        wire_session_refuse(&session, (uint8_t)Frama_C_interval(0, UINT8_MAX), 0);
    else if (any_bool())
        wire_session_acknowledge(&session);
    else if (!any_answer())
        return WIRE_LATER;
    return WIRE_DONE;
}

static void describe(void *context, struct wire_welcome *welcome)
{
    (void)context;
    memset(welcome, 0, sizeof *welcome);
}

static void begin(void *context)
{
    (void)context;
}

static void any_session(void)
{
    Frama_C_make_unknown((char *)&session, sizeof session);
    Frama_C_make_unknown((char *)receive, sizeof receive);
    whole = any_bool();
    session.receive = receive;
    session.transmit = transmit;
    session.max_payload = WIRE_MAX_PAYLOAD;
    session.write_room = session.receive_overruns = any_room;
    session.write = take;
    session.place = any_bool() ? any_place : NULL;
    session.handle = execute;
    session.welcome = describe;
    session.opened = begin;
    session.decoder.buffer = receive;
    session.decoder.capacity = WIRE_MAX_PAYLOAD + WIRE_FRAME_OVERHEAD;
    session.decoder.length = (uint8_t)Frama_C_interval(whole ? WIRE_FRAME_OVERHEAD : 0, session.decoder.capacity);
    session.held = whole && any_bool();
    session.open = any_bool();
    session.ack_due = any_bool();
    session.decoder.started = any_bool();
    session.decoder.too_long = any_bool();
    session.decoder.zero = any_bool();
}

/* What every function leaves: a frame that is held is a whole one, which is 7 bytes at least. */
static void check(void)
{
    /*@ assert held: session.held ==> whole == 1; */
    /*@ assert length: session.held ==> session.decoder.length >= 7; */
    /*@ assert inside: session.decoder.length <= session.decoder.capacity; */
}

void start(void)
{
    any_session();
    wire_session_init(&session);
    check();
}

void receive_bytes(void)
{
    any_session();
    //@ loop unroll LINE + 1;
    for (uint16_t count = 0; count <= LINE; count++) {
        wire_session_receive(&session, line + LINE - count, count);
        check();
        any_session();
    }
}

void poll(void)
{
    any_session();
    wire_session_poll(&session);
    check();
}

void answer(void)
{
    any_session();
    any_answer();
    check();
    wire_session_close(&session);
    check();
}
