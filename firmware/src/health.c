/* Calibration of the two levels and the four tests. The intake calls it with every batch of codes. */
#include "health.h"

#include <string.h>

#include "flash.h"
#include "health_limits.h"
#include "messages.h"

#define FEW 32                    /* codes of one level whose mean says nothing yet */
#define LEAST_SLACK 80            /* as of a window of 512 codes: shorter ones of independent codes scatter more */

/* What the codes up to one of them look like. Sides: 0 up to a threshold, 1 beyond it. */
struct look {
    uint32_t sum[2];
    uint8_t count[2];
    uint8_t ends;                 /* codes that are 0 or full scale */
    uint16_t low;
    uint16_t high;
};

static void begin(struct health *health)
{
    WIRE_NEAR(health);
    health->position = health->ones = health->switches = health->different = 0;
}

void health_init(struct health *health, uint32_t adc_rate, uint16_t full_scale)
{
    memset(health, 0, sizeof *health);
    health->full_scale = full_scale;
    const WIRE_FLASH struct health_row *row = health_rows;
    for (uint8_t more = HEALTH_ROWS - 1; more && row->adc_rate < adc_rate; more--)
        row++;
    struct health_limits *limits = &health->limits;
    limits->repetitions = row->repetitions;
    limits->window = row->window;
    limits->ones_min = row->ones_min;
    limits->ones_max = (uint16_t)(row->window - row->ones_min);
    limits->switches_min = row->switches_min;
}

uint8_t health_unfit(const struct health_limits *limits)
{
    if (limits->repetitions < WIRE_SET_HEALTH_REPETITIONS_MIN)
        return WIRE_FIELD_SET_HEALTH_REPETITIONS;
    return limits->window > WIRE_SET_HEALTH_WINDOW_MAX || (limits->window && limits->window < ANP_NOISE_BUFFER) ? WIRE_FIELD_SET_HEALTH_WINDOW
                                                                                                                : 0;
}

void health_set_limits(struct health *health, const struct health_limits *limits)
{
    health->limits = *limits;
    if (limits->repetitions < 2)
        health->limits.repetitions = 2;
    health->run = 0;
    begin(health);
    if (limits->window == 0)
        health_forget(health);
}

void health_forget(struct health *health)
{
    WIRE_NEAR(health);
    health->level_high = 0;
    health->fault = WIRE_NOISE_FAULT_NONE;
}

void health_set_levels(struct health *health, uint16_t low, uint16_t high)
{
    WIRE_NEAR(health);
    health->level_low = low;
    health->level_high = health->limits.window ? high : 0;
    health->state = 0;
    health->run = 0;
    health->windows = 0;
    health->history = 0;
    health->lag = 1;
    begin(health);
}

/* Looks at `most` codes, fewer if the buffer has fewer, that end `age` codes before its newest. Returns how many. */
static uint8_t look_at(struct look *look, const struct anp_noise *noise, uint8_t age, uint8_t most, uint16_t threshold,
                       uint16_t full_scale)
{
    uint8_t count = (uint8_t)(noise->filled - age);
    if (count > most)
        count = most;
    uint8_t place = noise->position;
    const uint16_t *at = noise->ring + (place >= age ? place - age : place + ANP_NOISE_BUFFER - age);
    uint32_t sum = 0, sum_above = 0;
    uint8_t above = 0, ends = 0;
    uint16_t low = count ? UINT16_MAX : 0, high = 0;
    for (uint8_t left = count; left; left--) {
        if (at == noise->ring)
            at += ANP_NOISE_BUFFER;
        uint16_t code = *--at;
        sum += code;
        if (code > threshold) {
            sum_above += code;
            above++;
        }
        if (code == 0 || code == full_scale)
            ends++;
        if (code < low)
            low = code;
        if (code > high)
            high = code;
    }
    *look = (struct look){{sum - sum_above, sum_above}, {(uint8_t)(count - above), above}, ends, low, high};
    return count;
}

/* Whether the mean of one side is further from its level than a quarter of the split and half a code. */
__attribute__((noinline)) static bool has_moved(const struct health *health, const struct look *look, uint8_t side)
{
    uint8_t count = look->count[side];
    if (count < FEW)
        return false;
    uint32_t expected = (uint32_t)count * (side ? health->level_high : health->level_low), sum = look->sum[side];
    uint32_t distance = sum > expected ? sum - expected : expected - sum;
    return 4 * distance > count * (uint32_t)(health->level_high - health->level_low + 2);
}

/* The kind of fault that the codes show by themselves. `held`: all are from one run. */
static uint8_t kind_of(const struct health *health, const struct anp_noise *noise, uint8_t age, uint8_t most, bool held)
{
    struct look look;
    uint16_t low = health->level_low, high = health->level_high, split = (uint16_t)(high - low);
    uint8_t count = look_at(&look, noise, age, most, (uint16_t)(low + (split >> 1)), health->full_scale);
    if (look.high == 0)
        return WIRE_NOISE_FAULT_SHORTED;
    if (look.low == health->full_scale)
        return WIRE_NOISE_FAULT_OPEN;
    if (look.ends >= (uint8_t)(count + 7) >> 3)
        return WIRE_NOISE_FAULT_SATURATING;
    if (high == 0)
        return WIRE_NOISE_FAULT_NONE;
    if (has_moved(health, &look, 0) || has_moved(health, &look, 1))
        return WIRE_NOISE_FAULT_DRIFTING;
    if (held && look.high - look.low >= split - (split >> 2))
        return WIRE_NOISE_FAULT_DRIFTING;
    return WIRE_NOISE_FAULT_NONE;
}

static void tell(struct health *health, const struct anp_noise *noise, uint8_t kind, uint8_t age, uint32_t number)
{
    begin(health);
    if (kind == health->fault)
        return;
    if (health->fault == WIRE_NOISE_FAULT_NONE)
        health->faults++;
    health->fault = health->last_fault = kind;
    health->fault_code = number;
    struct look look;
    look_at(&look, noise, age, HEALTH_LOOK, 0, 0);
    health->seen_low = look.low;
    health->seen_high = look.high;
}

void health_silent(struct health *health, const struct anp_noise *noise, uint32_t number)
{
    tell(health, noise, WIRE_NOISE_FAULT_SILENT, 0, number);
}

/* --- levels --- */

/* The buffer's codes on a scale on which their range takes eight bits. */
struct scale {
    uint16_t low;
    uint8_t up;                   /* shifts; one of the two is 0 */
    uint8_t down;
};

static uint8_t scaled(const struct scale *scale, uint16_t code)
{
    return (uint8_t)((uint16_t)(code - scale->low) << scale->up >> scale->down);
}

__attribute__((noinline)) static uint16_t level_of(const struct scale *scale, uint16_t sum, uint8_t count)
{
    uint16_t parts = (uint16_t)(count << scale->up);
    return (uint16_t)(scale->low + (((uint32_t)sum << scale->down) + (parts >> 1)) / parts);
}

static uint32_t square_over(uint16_t sum, uint8_t count)
{
    return (uint32_t)sum * sum / count;
}

/* Two-means clustering, and whether it explains four fifths of the variance. */
static bool find_levels(struct health *health, const struct anp_noise *noise)
{
    struct look look;
    look_at(&look, noise, 0, ANP_NOISE_BUFFER, 0, 0);
    uint16_t range = (uint16_t)(look.high - look.low);
    if (range < 2)
        return false;
    struct scale scale = {look.low, 0, 0};
    for (; range < 128; range = (uint16_t)(range << 1))
        scale.up++;
    for (; range > 255; range >>= 1)
        scale.down++;

    uint16_t total = 0;
    uint32_t squares = 0;
    for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++) {
        uint8_t value = scaled(&scale, noise->ring[i]);
        total = (uint16_t)(total + value);
        squares += (uint16_t)((uint16_t)value * value);
    }
    uint8_t threshold = (uint8_t)(total / ANP_NOISE_BUFFER), above = 0, below = 0;
    uint16_t sum_above = 0, sum_below = 0;
    for (uint8_t turn = 0; turn < 4; turn++) {
        sum_above = above = 0;
        for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++) {
            uint8_t value = scaled(&scale, noise->ring[i]);
            if (value > threshold) {
                sum_above = (uint16_t)(sum_above + value);
                above++;
            }
        }
        /* Neither side is empty: the least value is 0, and the threshold is below the mean of those above it. */
        below = (uint8_t)(ANP_NOISE_BUFFER - above);
        sum_below = (uint16_t)(total - sum_above);
        threshold = (uint8_t)((uint16_t)(sum_below / below + sum_above / above) >> 1);
    }

    uint32_t parts = square_over(sum_below, below) + square_over(sum_above, above);
    uint32_t between = parts - square_over(total, ANP_NOISE_BUFFER), within = squares - parts;
    uint16_t low = level_of(&scale, sum_below, below), high = level_of(&scale, sum_above, above);
    if (high - low < 2 || between < 4 * within)
        return false;
    health_set_levels(health, low, high);
    return true;
}

bool health_calibrate(struct health *health, const struct anp_noise *noise, uint32_t number)
{
    health->level_high = 0;
    if (health->limits.window == 0)
        return true;
    if (find_levels(health, noise)) {
        uint8_t newest = noise->position ? noise->position : ANP_NOISE_BUFFER;
        health->state = noise->ring[newest - 1] > (uint16_t)(health->level_low + ((health->level_high - health->level_low) >> 1));
        return true;
    }
    uint8_t kind = kind_of(health, noise, 0, HEALTH_LOOK, false);
    tell(health, noise, kind ? kind : WIRE_NOISE_FAULT_STUCK, 0, number);
    return false;
}

/* --- tests --- */

#ifndef DEVICE_OWN_ARITHMETIC
void health_follow(struct health *health, const uint16_t *codes, uint8_t count)
{
    WIRE_NEAR(health);
    uint16_t low = health->level_low, high = health->level_high, margin = (uint16_t)((high - low + 1) >> 2);
    low = (uint16_t)(low + margin);
    high = (uint16_t)(high - margin);
    uint8_t state = health->state, begun = count, ones = 0, switches = 0, different = 0;
    uint16_t history = health->history, lag = health->lag;
    for (uint8_t left = count; left; left--) {
        uint16_t code = *codes++;
        if (state) {
            if (code <= low) {
                state = 0;
                switches++;
                begun = left;
            }
        } else if (code >= high) {
            state = 1;
            switches++;
            begun = left;
        }
        ones = (uint8_t)(ones + state);
        if (state != ((history & lag) != 0))
            different++;
        history = (uint16_t)(history << 1 | state);
    }
    health->state = state;
    health->history = history;
    health->different = (uint16_t)(health->different + different);
    uint16_t run = begun;
    if (switches == 0) {
        run = (uint16_t)(health->run + count);
        if (run < count)
            run = UINT16_MAX;
    }
    health->run = run;
    health->switches = (uint16_t)(health->switches + switches);
    health->ones = (uint16_t)(health->ones + ones);
    health->position = (uint16_t)(health->position + count);
}
#endif

static uint8_t kind_of_run(const struct health *health, const struct anp_noise *noise, uint8_t age)
{
    /* The last half: a run may have begun before the fault. */
    uint16_t half = health->limits.repetitions >> 1;
    uint8_t kind = kind_of(health, noise, age, (uint8_t)(half < HEALTH_LOOK ? half : HEALTH_LOOK), true);
    if (kind)
        return kind;
    bool again = health->fault == WIRE_NOISE_FAULT_STUCK || health->fault == WIRE_NOISE_FAULT_TOO_SLOW;
    return again ? WIRE_NOISE_FAULT_TOO_SLOW : WIRE_NOISE_FAULT_STUCK;
}

/* Whether the states repeat or alternate with the window's lag. */
static bool is_periodic(const struct health *health)
{
    uint16_t window = health->limits.window, slack = (uint16_t)((window >> 3) + (window >> 5));
    if (slack < LEAST_SLACK)
        slack = LEAST_SLACK;
    return health->different < health->limits.switches_min || health->different > (window >> 1) + slack;
}

static uint8_t kind_of_window(struct health *health, const struct anp_noise *noise, uint8_t age)
{
    const struct health_limits *limits = &health->limits;
    health->last_ones = health->ones;
    health->last_switches = health->switches;
    health->windows++;
    uint8_t kind = kind_of(health, noise, age, HEALTH_LOOK, false);
    if (kind)
        return kind;
    if (health->switches < limits->switches_min || health->run >= limits->repetitions)
        return health->switches ? WIRE_NOISE_FAULT_TOO_SLOW : WIRE_NOISE_FAULT_STUCK;
    if (health->ones < limits->ones_min || health->ones > limits->ones_max)
        return WIRE_NOISE_FAULT_STUCK;
    return is_periodic(health) ? WIRE_NOISE_FAULT_PERIODIC : WIRE_NOISE_FAULT_NONE;
}

static void end_window(struct health *health, const struct anp_noise *noise, uint8_t age, uint32_t number)
{
    uint8_t kind = kind_of_window(health, noise, age);
    if (kind) {
        tell(health, noise, kind, age, number);
    } else {
        health->fault = WIRE_NOISE_FAULT_NONE;
        health->lag = (uint16_t)(health->lag << 1);
        if (health->lag == 0)
            health->lag = 1;
    }
    begin(health);
}

/* Codes until a test may end. */
static uint16_t codes_left(const struct health *health)
{
    WIRE_NEAR(health);
    uint16_t left = (uint16_t)(health->limits.window - health->position), run = health->run, repetitions = health->limits.repetitions;
    if (left > repetitions)
        left = repetitions;
    if (run < repetitions && left > (uint16_t)(repetitions - run))
        left = (uint16_t)(repetitions - run);
    return left;
}

__attribute__((noinline)) static void take_near(struct health *health, const struct anp_noise *noise, const uint16_t *codes, uint8_t count,
                                                uint32_t number)
{
    number += (uint8_t)(count - 1);
    while (count) {
        uint16_t left = codes_left(health), before = health->run;
        uint8_t piece = (uint8_t)(count < left ? count : left);
        health_follow(health, codes, piece);
        codes += piece;
        count = (uint8_t)(count - piece);
        if (health->run == health->limits.repetitions && (health->run & before) != UINT16_MAX)
            tell(health, noise, kind_of_run(health, noise, count), count, number - count);
        if (health->position == health->limits.window)
            end_window(health, noise, count, number - count);
    }
}

void health_take(struct health *health, const struct anp_noise *noise, const uint16_t *codes, uint8_t count, uint32_t number)
{
    if (health->level_high == 0)
        return;
    if (count < codes_left(health))
        health_follow(health, codes, count);
    else
        take_near(health, noise, codes, count, number);
}
