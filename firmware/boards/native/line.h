/* A virtual board's serial line: a pseudo-terminal, or a TCP port on the loopback interface. Never blocks: what a client does not
 * read waits in a bounded queue. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_TRANSMIT 8192        /* bytes that may wait for the client */
#define LINE_RECEIVE 4096

struct line {
    int fd;                       /* the connection; -1: no client (TCP only) */
    int listener;                 /* TCP only, else -1 */
    int slave;                    /* pseudo-terminal only: kept open, so that clients may come and go */
    char url[64];                 /* what a client opens */
    uint16_t transmit_start;
    uint16_t transmit_count;
    uint16_t receive_start;
    uint16_t receive_end;
    uint8_t transmit[LINE_TRANSMIT];
    uint8_t receive[LINE_RECEIVE];
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

/* Takes the next TCP client, if there is none now and one waits. */
void line_accept(struct line *line);

#endif
