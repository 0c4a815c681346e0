/* POSIX clocks are an extension of C11. */
#define _GNU_SOURCE
#include "pace.h"

#include <time.h>

#include "atmega328p.h"

#define NANOS_PER_SECOND 1000000000u
#define NANOS_PER_MILLI 1000000
#define SILENCE CLOCK_HZ          /* a second */
#define LONGEST_WAIT 10           /* ms; the board has to look around meanwhile */
#define MOST_BEHIND 100           /* ms; what a busy machine took away is not caught up beyond this */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NANOS_PER_SECOND + (uint64_t)time.tv_nsec;
}

void pace_init(struct pace *pace, double speed)
{
    pace->speed = speed;
    pace->moved = 0;
    pace->anchored = false;
}

void pace_moved(struct pace *pace, uint64_t cycle)
{
    pace->moved = cycle;
    if (pace->speed == PACE_BY_LINE)
        pace->anchored = false;
}

static void anchor(struct pace *pace, uint64_t cycle, uint64_t time)
{
    pace->anchored = true;
    pace->anchor_cycle = cycle;
    pace->anchor_time = time;
}

int pace_ahead(struct pace *pace, uint64_t cycle)
{
    if (pace->speed == PACE_UNLIMITED || (pace->speed == PACE_BY_LINE && cycle - pace->moved < SILENCE))
        return 0;
    uint64_t time = now();
    if (!pace->anchored)
        anchor(pace, cycle, time);
    double speed = pace->speed == PACE_BY_LINE ? 1.0 : pace->speed;
    double passed = (double)(cycle - pace->anchor_cycle) * NANOS_PER_SECOND / (CLOCK_HZ * speed);
    int64_t ahead = ((int64_t)passed - (int64_t)(time - pace->anchor_time)) / NANOS_PER_MILLI;
    if (ahead < -MOST_BEHIND)
        anchor(pace, cycle, time);
    if (ahead <= 0)
        return 0;
    return ahead > LONGEST_WAIT ? LONGEST_WAIT : (int)ahead;
}
