/* The tests of the noise source (shared/numerics.md, section 12): on every code of the ADC, from the calibration on. A fault stops
 * training until the source has been healthy for a whole window. */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "anp.h"

#define HEALTH_LOOK 128           /* newest codes that show the kind of a fault; a batch of up to 72 more may lie in the buffer */

/* As SET_HEALTH. */
struct health_limits {
    uint16_t repetitions;         /* at least 2 */
    uint16_t window;              /* 0: no tests */
    uint16_t ones_min;
    uint16_t ones_max;
    uint16_t switches_min;
};

/* Small fields first: a small chip reaches what is near a struct's start with short instructions. */
struct health {
    bool state;                   /* of the junction, as the last code shows */
    uint8_t fault;                /* WIRE_NOISE_FAULT_... now */
    uint8_t last_fault;           /* since the start */
    uint16_t level_low;           /* codes */
    uint16_t level_high;          /* 0: not calibrated, no tests */
    uint16_t run;                 /* codes since the last switch, at most 65535 */
    uint16_t position;            /* codes of this window */
    uint16_t ones;                /* of them in state 1 */
    uint16_t switches;            /* among them */
    uint16_t different;           /* of them in another state than the code `lag` before */
    uint16_t history;             /* states of the last 16 codes, the newest in bit 0 */
    uint16_t lag;                 /* of this window: 1, 2, ... 16 codes as bit 0, 1, ... 15 of the history */
    struct health_limits limits;
    uint16_t full_scale;          /* the largest code */
    uint16_t last_ones;           /* of the last whole window */
    uint16_t last_switches;
    uint16_t seen_low;            /* of the HEALTH_LOOK codes up to fault_code */
    uint16_t seen_high;
    uint16_t faults;              /* since the start, mod 2^16: how often a healthy source failed */
    uint32_t windows;             /* whole ones since the calibration */
    uint32_t fault_code;          /* number of the code at which the fault last began or changed its kind */
};

/* Not calibrated, with the limits of the paper's junction at this rate. `full_scale` is the largest code. */
void health_init(struct health *health, uint32_t adc_rate, uint16_t full_scale);

/* Number of the limit that makes no sense, from 1; 0: all do. */
uint8_t health_unfit(const struct health_limits *limits);

/* Changes the limits: all counting begins again, a fault lasts on. Window 0 switches the tests off and ends a fault. */
void health_set_limits(struct health *health, const struct health_limits *limits);

/* Forgets levels and fault: no tests until health_calibrate(). Limits and what was counted since the start stay. */
void health_forget(struct health *health);

/* Takes the levels from the full noise buffer; `number` is that of its newest code. False, with a fault: it does not show two levels.
 * Call again with 200 fresh codes then. With window 0 true and nothing done. */
bool health_calibrate(struct health *health, const struct anp_noise *noise, uint32_t number);

/* Begins the tests with levels from an earlier calibration, as a checkpoint has them; high 0: not calibrated. */
void health_set_levels(struct health *health, uint16_t low, uint16_t high);

/* Tests up to 72 codes that are already in the noise buffer, the newest last. `number` is that of the first of them. */
void health_take(struct health *health, const struct anp_noise *noise, const uint16_t *codes, uint8_t count, uint32_t number);

/* Counts up to 255 codes, which is all that most batches cost: states, switches, runs. health_take() looks at the tests' limits. */
void health_follow(struct health *health, const uint16_t *codes, uint8_t count);

/* The converter is silent; `number` is that of its last code. */
void health_silent(struct health *health, const struct anp_noise *noise, uint32_t number);

#endif
