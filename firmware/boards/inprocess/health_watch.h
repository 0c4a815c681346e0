/* The noise tests as flat functions, for a program that loads them as a library: noise buffer and tests of one converter, fed by calls or
 * by a virtual sMTJ. */
#ifndef HEALTH_WATCH_H
#define HEALTH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch_options {
    uint64_t seed;                /* of the virtual sMTJ */
    uint32_t adc_rate;            /* codes per second */
    uint16_t adc_reference;       /* mV at full scale */
    uint8_t adc_bits;
    uint8_t noise;                /* enum smtj_kind */
    uint8_t preset;               /* enum smtj_preset */
};

/* struct health without padding, and codes. */
struct watch_state {
    uint32_t windows, fault_code, codes;
    uint16_t level_low, level_high, run, position, ones, switches, different, lag;
    uint16_t last_ones, last_switches, seen_low, seen_high, faults;
    uint16_t repetitions, window, ones_min, ones_max, switches_min;
    uint8_t state, fault, last_fault;
};

struct watch;

/* NULL when memory is short. */
struct watch *watch_create(const struct watch_options *options);
void watch_destroy(struct watch *watch);

void watch_set_limits(struct watch *watch, uint16_t repetitions, uint16_t window, uint16_t ones_min, uint16_t ones_max,
                      uint16_t switches_min);

/* Codes reach noise buffer and tests, at most 16 at once. */
void watch_feed(struct watch *watch, const uint16_t *codes, uint8_t count);

/* Takes the levels from the last 200 codes. */
bool watch_calibrate(struct watch *watch);
void watch_silence(struct watch *watch);

/* The virtual sMTJ becomes of another kind: enum smtj_kind. */
void watch_become(struct watch *watch, uint8_t noise);

/* Standard deviation of its observation from now on, mV. */
void watch_observe(struct watch *watch, double deviation);

/* Runs the virtual sMTJ for this many codes, in batches of 16, or until the fault is another than it was; returns for how many. */
uint32_t watch_run(struct watch *watch, uint32_t codes);

/* How many of this many attempts to calibrate succeed, each with 200 fresh codes of the virtual sMTJ. */
uint32_t watch_attempts(struct watch *watch, uint32_t attempts);

struct watch_state watch_state(const struct watch *watch);

#endif
