/* The noise stream: raw codes to the host. It is read from the noise buffer, which gives the line 200 codes of slack and costs no
 * memory; codes that left the buffer unsent are a hole, which shows in the numbers of the frames. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "intake.h"
#include "session.h"

struct stream {
    bool active;
    bool waits;                   /* a frame could be sent if only the converter had more codes */
    uint32_t left;                /* codes to send until the stream ends by itself; 0: it does not */
    uint32_t next;                /* number of the code to send next */
    uint16_t burst;               /* codes of a contiguous burst; 0: one code after the other */
    uint16_t burst_left;          /* 0: no bursts */
};

/* Starts with the next code of the converter. count 0: until stream_stop(). */
void stream_start(struct stream *stream, const struct intake *intake, uint32_t count, uint16_t burst);

void stream_stop(struct stream *stream);

/* Sends as many full frames as there are codes and room for. */
void stream_send(struct stream *stream, const struct intake *intake, struct wire_session *session, const BOARD_FLASH struct board *board);

#endif
