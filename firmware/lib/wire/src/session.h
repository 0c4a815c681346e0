/* The device's end of a session: handshake, commands in order and exactly once, acknowledgements with credit, counters.
 *
 * Nothing here blocks, allocates or performs I/O. The caller fills the upper part of the struct, calls
 * wire_session_init(), and from then on feeds received bytes to wire_session_receive() and calls wire_session_poll() in
 * every turn of its loop:
 *
 *     wire_session_poll(&session);
 *     taken = wire_session_receive(&session, bytes, count);    keep bytes[taken..] for the next turn
 */
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "messages.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a command handler says. */
enum wire_result {
    WIRE_DONE,                    /* executed, or refused with wire_session_refuse(): acknowledge it */
    WIRE_LATER,                   /* call again with the same command at the next poll */
};

/* A build in which line and handlers are known at compile time defines WIRE_SESSION_FIXED and has a header session_fixed.h with the seven
 * macros at the top of session.c: then all are called directly, and a session has no pointers to them. */

struct wire_session {
    /* --- set by the caller before wire_session_init() --- */

    /* Memory: WIRE_RECEIVE_BYTES(max_payload) and WIRE_TRANSMIT_BYTES(max_payload) bytes, aligned to 2 bytes (72 and 75
     * bytes for payloads of 64). No `transmit` where there is place(). */
    uint8_t *receive;
#ifndef WIRE_SESSION_FIXED
    uint8_t *transmit;
#endif
    uint8_t max_payload;          /* largest payload taken and sent, WIRE_MIN_PAYLOAD .. WIRE_MAX_PAYLOAD */

    /* Starts of the device as far as it can count them, so that the first session after a restart has another number
     * than the one before it even if the host's HELLO is repeated; else 0. */
    uint16_t boot_count;

    /* Encoded bytes the host may have in flight, reported in every ACK. The caller may set it to 0 to hold the host off and
     * back again at any time; call wire_session_acknowledge() after raising it, for the host waits. */
    uint16_t credit;

#ifndef WIRE_SESSION_FIXED
    /* The line. The signatures are those of struct board, so that a board's own callbacks fit. */
    void *line_context;
    /* Bytes that write() takes now. Must reach WIRE_ENCODED_BYTES(max_payload) when the host reads, or replies never
     * leave. */
    uint16_t (*write_room)(void *line_context);
    /* Queues one whole encoded frame, never more than write_room() just said. */
    void (*write)(void *line_context, const uint8_t *bytes, uint16_t count);
    /* Where the next frame is built; NULL: in `transmit`. Valid while there is room for that frame. */
    uint8_t *(*place)(void *line_context);
    /* Bytes lost in the receiver since the start, mod 2^16. */
    uint16_t (*receive_overruns)(void *line_context);

    void *command_context;
    /* Executes one command. Its seq is session->decoder.next_seq. The payload is aligned to 2 bytes and stays until the command
     * is done. A command with a reply first calls wire_session_reserve() and returns WIRE_LATER when there is no room; then
     * it builds the reply there and sends it with wire_session_send(). While it returns
     * WIRE_LATER no further bytes are taken, so it may also work in pieces. Every type below 0x80 comes here, unknown
     * ones too. */
    enum wire_result (*handle)(void *command_context, uint8_t type, const uint8_t *payload, uint8_t length);
    /* Fills in what the device knows; nonce, version, session, schema and max_payload are filled in afterwards. */
    void (*welcome)(void *command_context, struct wire_welcome *welcome);
    /* A new session has begun: whatever the host before had asked for ends (telemetry, noise stream, half a blob). */
    void (*opened)(void *command_context);
#endif

    /* --- the session's own, to be read only --- */

    struct wire_decoder decoder;  /* its next_seq is expected next; in handle() that of the command */
    uint32_t nonce;               /* of the HELLO that opened the session */
    bool open;
    uint8_t number;               /* 1..255; stays that of the last session when none is open; 0: never one */
    bool held;                    /* the receive buffer holds a frame that waits for room, or for its handler */
    bool ack_due;                 /* an ACK waits for room */
    uint16_t bad_frames;          /* in this session, mod 2^16 */
    uint16_t overruns_before;     /* receive_overruns() when the session began */
    uint8_t errors;               /* commands refused in this session, mod 2^8 */
    uint8_t last_error;           /* code of the last refused command in this session; 0: none */
    uint8_t last_error_seq;
    uint32_t last_error_detail;
};

/* Starts without a session. May be called again after a restart of the device: the number of the last session is
 * forgotten. */
void wire_session_init(struct wire_session *session);

/* Takes received bytes; returns how many. Fewer than `count` only when a frame is held: continue after the next poll. */
uint16_t wire_session_receive(struct wire_session *session, const uint8_t *bytes, uint16_t count);

/* Tries a held frame again and sends an ACK that is due. */
void wire_session_poll(struct wire_session *session);

/* Where to build a payload of `length` bytes, aligned to 2 bytes, until the next call of any function here. NULL without a
 * session, without room for the frame now, or beyond max_payload: a command with a reply is left for later then,
 * telemetry is dropped. */
void *wire_session_reserve(const struct wire_session *session, uint8_t length);

/* Sends the payload of `length` bytes that was built there, numbered like the command expected next: in handle() it is the answer to the
 * command. */
void wire_session_send(struct wire_session *session, uint8_t type, uint8_t length);

/* In handle(), which then returns WIRE_DONE: refuses the command with a WIRE_ERROR_... and its detail. An ERR that
 * finds no room is not sent: the errors counter in the next ACK shows it, and last_error holds it. */
void wire_session_refuse(struct wire_session *session, uint8_t code, uint32_t detail);

/* Sends an ACK now or as soon as there is room. Does nothing without a session. */
void wire_session_acknowledge(struct wire_session *session);

/* Ends the session, e.g. before a restart of the device: see ack_due first, so that the host learns of it. */
void wire_session_close(struct wire_session *session);

#ifdef __cplusplus
}
#endif
#endif
