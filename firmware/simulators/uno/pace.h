/* How fast simulated time may pass. */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Besides multiples of real time: */
#define PACE_UNLIMITED 0.0
#define PACE_BY_LINE (-1.0)       /* unlimited while bytes flow, real time once the line was silent for a second of simulated time */

struct pace {
    double speed;
    uint64_t moved;               /* cycle at which a byte moved last */
    bool anchored;                /* simulated time is tied to real time since: */
    uint64_t anchor_cycle;
    uint64_t anchor_time;         /* ns */
};

void pace_init(struct pace *pace, double speed);

/* A byte moved on the line. */
void pace_moved(struct pace *pace, uint64_t cycle);

/* Milliseconds for which the chip is ahead; 0: continue. */
int pace_ahead(struct pace *pace, uint64_t cycle);

#endif
