/* Loss functions (shared/numerics.md, sections 5 and 9). */
#include "anp_internal.h"
#include "anp_tables.h"

#define LOG2_E_Q30 1549082005u
#define LN_2_Q30 744261118u
#define TABLE_BITS 14             /* of the argument within one interval of a table */
#define TABLE_ONE (1 << TABLE_BITS)
#define ARGUMENT_BITS 20
#define ARGUMENT_ONE ((uint32_t)1 << ARGUMENT_BITS)

static int32_t interpolate(const uint16_t *table, uint32_t f)
{
    const uint16_t *entry = table + (uint8_t)(f >> TABLE_BITS);
    uint16_t t = (uint16_t)(f & (TABLE_ONE - 1)), q = (uint16_t)(((uint32_t)t * (uint16_t)(TABLE_ONE - t)) >> (TABLE_BITS + 1));
    uint16_t t0 = anp_flash16(entry), t1 = anp_flash16(entry + 1), t2 = anp_flash16(entry + 2);
    int16_t first = (int16_t)(t1 - t0), second = (int16_t)(t2 - t1 - (uint16_t)first);
    return 16 * (int32_t)t0 + anp_round32((int32_t)first * t - (int32_t)second * q, TABLE_BITS - 4);
}

/* Q.20 to Q.24, at most 1. */
static uint32_t exp2_of_fraction(uint32_t f)
{
    return ((uint32_t)1 << ANP_LOSS_BITS) - 8 * f - (uint32_t)interpolate(anp_exp2neg_table, f);
}

static uint32_t log2_of_fraction(uint32_t f)
{
    return 16 * f + 2 * (uint32_t)interpolate(anp_log2_table, f);
}

/* 2^-u in Q.24, u in Q.20. */
static uint32_t exp2_negative(uint32_t u)
{
    uint8_t n = (uint8_t)(u >> ARGUMENT_BITS);
    if (n > ANP_LOSS_BITS)
        return 0;
    uint32_t e = exp2_of_fraction(u & (ARGUMENT_ONE - 1));
    return n ? (e + ((uint32_t)1 << (n - 1))) >> n : e;
}

static uint16_t largest(const int16_t *values, uint16_t count)
{
    uint16_t best = 0;
    for (uint16_t k = 1; k < count; k++) {
        if (values[k] > values[best])
            best = k;
    }
    return best;
}

/* (d * LOG2_E_Q30 + 2^21) >> 22. The lowest 16 bits of the product carry nothing. */
static uint32_t times_log2_e(uint16_t d)
{
    uint32_t high = (uint32_t)d * (LOG2_E_Q30 >> 16), low = (uint32_t)d * (LOG2_E_Q30 & 65535u);
    return (high + (low >> 16) + 32) >> 6;
}

/* (v * LN_2_Q30 + 2^29) >> 30, v < 2^27. */
static uint32_t times_ln_2(uint32_t v)
{
    uint16_t a = (uint16_t)(v >> 16), b = (uint16_t)v, c = LN_2_Q30 >> 16, e = LN_2_Q30 & 65535u;
    uint32_t middle = (uint32_t)a * e + (uint32_t)b * c + ((uint32_t)b * e >> 16);
    return 4 * ((uint32_t)a * c) + ((middle + 8192) >> 14);
}

/* The terms of a softmax less their lowest 9 bits become the error (section 13). */
#ifndef ANP_ONE_RULE
static void softmax_error(uint16_t target, uint16_t outputs, uint32_t total, int16_t *error)
{
    struct anp_mantissa norm = anp_norm16(total);
    uint16_t reciprocal = (uint16_t)((uint32_t)ANP_INT32_MAX / norm.mantissa);
    /* round(v, s) is ((v >> (s - 1)) + 1) >> 1, and s is 19 at least. */
    uint8_t shift = (uint8_t)(norm.bits - 6 - 1 - 16);
    for (uint16_t k = 0; k < outputs; k++) {
        uint16_t upper = (uint16_t)((uint32_t)(uint16_t)error[k] * reciprocal >> 16);
        error[k] = (int16_t)(((upper >> shift) + 1) >> 1);
    }
    error[target] = (int16_t)(error[target] - ANP_ONE);
}
#endif

static uint32_t cross_entropy(const int16_t *y, uint16_t target, uint16_t outputs, int16_t *error)
{
    int16_t highest = y[largest(y, outputs)];
    uint32_t total = 0;
    for (uint16_t k = 0; k < outputs; k++) {
        uint32_t term = exp2_negative(times_log2_e((uint16_t)(highest - y[k])));
        total += term;
        if (error)
            error[k] = (int16_t)(term >> 9);
    }
#ifndef ANP_ONE_RULE
    if (error)
        softmax_error(target, outputs, total, error);
#endif
    uint8_t n = (uint8_t)(anp_bits32(total) - (ANP_LOSS_BITS + 1));
    uint8_t shift = (uint8_t)(n + ANP_LOSS_BITS - ARGUMENT_BITS);
    uint32_t fraction = total - ((uint32_t)1 << (ANP_LOSS_BITS + n));
    uint32_t log2 = ((uint32_t)n << ANP_LOSS_BITS) + log2_of_fraction((fraction + ((uint32_t)1 << (shift - 1))) >> shift);
    return times_ln_2(log2) + (uint32_t)(uint16_t)(highest - y[target]) * ANP_ONE;
}

uint32_t anp_loss_of(const struct anp_network *net, const int16_t *y, const int16_t *target, uint32_t *saturations)
{
    uint16_t outputs = net->config.sizes[net->config.layers];
    if (net->config.loss == ANP_SQUARED)
        return anp_squared_loss(y, target, outputs, saturations);
    return cross_entropy(y, (uint16_t)target[0], outputs, NULL);
}

#ifndef ANP_ONE_RULE
uint32_t anp_loss_and_error(const struct anp_network *net, const int16_t *y, const int16_t *target, int16_t *error, uint32_t *saturations)
{
    uint16_t outputs = net->config.sizes[net->config.layers];
    if (net->config.loss == ANP_CROSS_ENTROPY)
        return cross_entropy(y, (uint16_t)target[0], outputs, error);
    uint32_t uncounted = 0;
    for (uint16_t k = 0; k < outputs; k++)
        error[k] = anp_sat16((int32_t)y[k] - target[k], &uncounted);
    return anp_squared_loss(y, target, outputs, saturations);
}
#endif

bool anp_is_correct(const struct anp_network *net, const int16_t *y, const int16_t *target)
{
    uint16_t outputs = net->config.sizes[net->config.layers];
    if (net->config.loss == ANP_CROSS_ENTROPY)
        return largest(y, outputs) == (uint16_t)target[0];
    if (outputs == 1)
        return (y[0] >= 0) == (target[0] >= 0);
    return largest(y, outputs) == largest(target, outputs);
}
