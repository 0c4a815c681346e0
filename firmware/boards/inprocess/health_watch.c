/* One noise buffer with its tests, without a device around it. A program that loads the library calls it. */
#include "health_watch.h"

#include <stdlib.h>

#include "anp.h"
#include "converter.h"
#include "health.h"

#define BATCH 16

struct watch {
    struct converter converter;
    struct anp_noise noise;
    struct health health;
};

struct watch *watch_create(const struct watch_options *options)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    smtj_init(&watch->converter.source, (enum smtj_kind)options->noise, (enum smtj_preset)options->preset, options->seed);
    converter_init(&watch->converter, options->adc_bits, options->adc_rate, options->adc_reference);
    anp_noise_init(&watch->noise);
    health_init(&watch->health, options->adc_rate, (uint16_t)((1u << options->adc_bits) - 1));
    return watch;
}

void watch_destroy(struct watch *watch)
{
    free(watch);
}

void watch_set_limits(struct watch *watch, uint16_t repetitions, uint16_t window, uint16_t ones_min, uint16_t ones_max,
                      uint16_t switches_min)
{
    struct health_limits limits = {repetitions, window, ones_min, ones_max, switches_min};
    health_set_limits(&watch->health, &limits);
}

void watch_feed(struct watch *watch, const uint16_t *codes, uint8_t count)
{
    uint32_t number = watch->noise.received;
    anp_noise_put_all(&watch->noise, codes, count);
    health_take(&watch->health, &watch->noise, codes, count, number);
}

bool watch_calibrate(struct watch *watch)
{
    return health_calibrate(&watch->health, &watch->noise, watch->noise.received - 1);
}

void watch_silence(struct watch *watch)
{
    health_silent(&watch->health, &watch->noise, watch->noise.received - 1);
}

void watch_become(struct watch *watch, uint8_t noise)
{
    smtj_become(&watch->converter.source, (enum smtj_kind)noise);
}

void watch_observe(struct watch *watch, double deviation)
{
    watch->converter.source.noise = deviation;
}

static void run_batch(struct watch *watch, uint8_t count)
{
    uint16_t codes[BATCH];
    converter_run(&watch->converter, count);
    watch_feed(watch, codes, (uint8_t)converter_take(&watch->converter, codes, count));
}

uint32_t watch_run(struct watch *watch, uint32_t codes)
{
    uint8_t fault = watch->health.fault;
    uint32_t done = 0;
    while (done < codes && watch->health.fault == fault) {
        uint8_t count = codes - done < BATCH ? (uint8_t)(codes - done) : BATCH;
        run_batch(watch, count);
        done += count;
    }
    return done;
}

uint32_t watch_attempts(struct watch *watch, uint32_t attempts)
{
    uint32_t successes = 0;
    for (; attempts; attempts--) {
        health_forget(&watch->health);
        for (uint8_t left = ANP_NOISE_BUFFER; left; left = left > BATCH ? (uint8_t)(left - BATCH) : 0)
            run_batch(watch, left < BATCH ? left : BATCH);
        successes += watch_calibrate(watch);
    }
    return successes;
}

/* A lag in codes from its bit. */
static uint16_t lag_of(uint16_t bit)
{
    uint16_t lag = 0;
    for (; bit; bit >>= 1)
        lag++;
    return lag;
}

struct watch_state watch_state(const struct watch *watch)
{
    const struct health *health = &watch->health;
    const struct health_limits *limits = &health->limits;
    struct watch_state state = {
        .windows = health->windows,
        .fault_code = health->fault_code,
        .codes = watch->noise.received,
        .level_low = health->level_low,
        .level_high = health->level_high,
        .run = health->run,
        .position = health->position,
        .ones = health->ones,
        .switches = health->switches,
        .different = health->different,
        .lag = lag_of(health->lag),
        .last_ones = health->last_ones,
        .last_switches = health->last_switches,
        .seen_low = health->seen_low,
        .seen_high = health->seen_high,
        .faults = health->faults,
        .repetitions = limits->repetitions,
        .window = limits->window,
        .ones_min = limits->ones_min,
        .ones_max = limits->ones_max,
        .switches_min = limits->switches_min,
        .state = health->state,
        .fault = health->fault,
        .last_fault = health->last_fault,
    };
    return state;
}
