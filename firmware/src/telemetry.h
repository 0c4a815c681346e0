/* Telemetry: progress every this many training steps, dropped and counted when the host does not read. */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include <stdint.h>

#include "anp.h"
#include "board.h"
#include "mean.h"
#include "session.h"

struct telemetry {
    uint32_t interval;            /* training steps; 0: off */
    uint32_t left;                /* steps until the next frame, sent or dropped */
    struct mean loss;             /* of their losses */
    uint32_t micros;              /* clock at the last frame */
    uint16_t sequence;
    uint16_t dropped;
};

/* Off, counters 0. */
void telemetry_init(struct telemetry *telemetry);

/* Begins a new interval here. */
void telemetry_start(struct telemetry *telemetry, const BOARD_FLASH struct board *board, uint32_t interval);

/* After each training step. */
void telemetry_step(struct telemetry *telemetry, const struct anp_network *net, struct wire_session *session,
                    const BOARD_FLASH struct board *board);

#endif
