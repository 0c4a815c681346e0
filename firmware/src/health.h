/* The tests of the noise source (shared/numerics.md, section 12): on every code of the ADC, from the calibration on. A fault stops
 * training until the source has been healthy for a whole window. */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "anp.h"

/* As SET_HEALTH. window 0: no tests. */
struct health_limits {
    uint16_t repetitions;
    uint16_t window;
    uint16_t ones_min;
    uint16_t ones_max;
    uint16_t switches_min;
};

/* Small fields first: a small chip reaches what is near a struct's start with short instructions. */
struct health {
    bool state;                   /* of the junction, as the last code tells */
    uint8_t fault;                /* WIRE_NOISE_FAULT_... now */
    uint8_t last_fault;           /* since the start */
    uint16_t level_low;           /* codes */
    uint16_t level_high;          /* 0: not calibrated, no tests */
    uint16_t run;                 /* codes since the last switch */
    uint16_t position;            /* codes of this window */
    uint16_t ones;                /* of them in state 1 */
    uint16_t switches;            /* among them */
    struct health_limits limits;
    uint16_t last_ones;           /* of the last whole window */
    uint16_t last_switches;
    uint16_t seen_low;            /* of the 200 codes up to the last fault */
    uint16_t seen_high;
    uint16_t faults;              /* since the start */
    uint32_t windows;             /* since the calibration */
    uint32_t fault_code;          /* number of the code that showed the last fault */
};

/* Not calibrated, with the limits of the paper's junction at this rate. */
void health_init(struct health *health, uint32_t adc_rate);

/* Forgets levels and fault: no tests until health_calibrate(). The counts stay. */
void health_forget(struct health *health);

/* Takes the levels from the full noise buffer, which has just been calibrated. False, with fault STUCK: it does not show two levels. */
bool health_calibrate(struct health *health, const struct anp_noise *noise);

/* Tests codes that are already in the noise buffer, the newest last. `number` is that of the first of them, `full_scale` the largest code. */
void health_take(struct health *health, const struct anp_noise *noise, const uint16_t *codes, uint8_t count, uint32_t number,
                 uint16_t full_scale);

/* The converter is silent, at this code. */
void health_silent(struct health *health, const struct anp_noise *noise, uint32_t number);

#endif
