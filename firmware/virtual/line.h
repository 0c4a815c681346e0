/* A virtual board's serial line: a pseudo-terminal, or a TCP port on the loopback interface. Never blocks: what a client does not
 * read waits in a bounded queue.
 *
 * Anything on the machine reaches a TCP port, a web page in its browser too. So a client must begin with a frame's delimiter and send a
 * HELLO soon, else it is dropped; until then nothing is sent to it. A client that comes while there is one is given an ERR and closed. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "messages.h"

#define LINE_TRANSMIT 8192        /* bytes that may wait for the client */
#define LINE_RECEIVE 4096
#define LINE_GREETING_MS 5000     /* within which a TCP client sends HELLO */
#define LINE_LEAVING_MS 1000      /* within which one that is turned away sends it, and reads why */
#define LINE_LEAVING_READS 16     /* of what it sends, each time that it is looked at: it may send faster than it is read */

struct line {
    int fd;                       /* the connection; -1: no client (TCP only) */
    int listener;                 /* TCP only, else -1 */
    int slave;                    /* pseudo-terminal only: kept open, so that clients may come and go */
    bool knocked;                 /* its first byte was a delimiter */
    bool greeted;                 /* a HELLO came from the client; always on a pseudo-terminal */
    int64_t since;                /* when the client came, ms */
    int leaving;                  /* TCP only: a client that is being turned away, else -1 */
    int64_t leaving_since;        /* when it came, ms */
    bool told;                    /* it was sent the reason */
    char url[64];                 /* what a client opens */
    uint16_t transmit_start;
    uint16_t transmit_count;
    uint16_t receive_start;
    uint16_t receive_end;
    uint8_t transmit[LINE_TRANSMIT];
    uint8_t receive[LINE_RECEIVE];
    struct wire_decoder knock;    /* looks for the HELLO */
    _Alignas(2) uint8_t knock_buffer[WIRE_RECEIVE_BYTES(WIRE_MIN_PAYLOAD)];
};

/* Both end the process with a message when they fail. */
void line_open_pty(struct line *line);
void line_open_tcp(struct line *line, uint16_t port);

uint16_t line_read(struct line *line, uint8_t *bytes, uint16_t most);
/* Bytes that line_write() takes now; none without a client. */
uint16_t line_room(const struct line *line);

/* Queues at most line_room() bytes. */
void line_write(struct line *line, const uint8_t *bytes, uint16_t count);

/* Sends what the client takes now. Returns whether that made room. */
bool line_flush(struct line *line);

/* Takes the next TCP client, if there is none now and one waits; turns it away if there is one; drops one that has not sent HELLO in
 * time. */
void line_accept(struct line *line);

#endif
