/* Online backpropagation in plain C and floats, written for the comparison of costs. */
#ifndef FLOATS
#define FLOATS
#endif
#include "rule.h"

#ifdef CROSS_ENTROPY
#include <math.h>
#endif

#define SLOPE (1.0f / 128.0f)

static float weights[WEIGHTS], hidden[HIDDEN], output[OUTPUTS], eta;

void rule_begin(const value *start, uint32_t rate, uint32_t seed)
{
    (void)seed;
    for (uint16_t i = 0; i < WEIGHTS; i++)
        weights[i] = start[i];
    eta = (float)rate / 268435456.0f;
}

void rule_codes(const uint16_t *codes, uint32_t count)
{
    (void)codes;
    (void)count;
}

static void forward(const float *x)
{
    const float *w = weights;
    for (uint8_t i = 0; i < HIDDEN; i++) {
        float sum = 0.0f;
        for (uint8_t j = 0; j < FAN_IN; j++)
            sum += *w++ * x[j];
        sum += *w++;
        hidden[i] = sum < 0.0f ? sum * SLOPE : sum;
    }
    for (uint8_t k = 0; k < OUTPUTS; k++) {
        float sum = 0.0f;
        for (uint8_t i = 0; i < HIDDEN; i++)
            sum += *w++ * hidden[i];
        output[k] = sum + *w++;
    }
}

/* The outputs become their errors. */
static void subtract(const float *target)
{
#ifdef CROSS_ENTROPY
    float highest = output[0], sum = 0.0f;
    for (uint8_t k = 1; k < OUTPUTS; k++)
        if (output[k] > highest)
            highest = output[k];
    for (uint8_t k = 0; k < OUTPUTS; k++)
        sum += output[k] = expf(output[k] - highest);
    for (uint8_t k = 0; k < OUTPUTS; k++)
        output[k] /= sum;
    output[(uint8_t)target[0]] -= 1.0f;
#else
    for (uint8_t k = 0; k < OUTPUTS; k++)
        output[k] -= target[k];
#endif
}

void rule_step(const value *x, const value *target)
{
    float back[HIDDEN] = {0.0f};
    forward(x);
    subtract(target);
    float *w = weights + HIDDEN * (FAN_IN + 1);
    for (uint8_t k = 0; k < OUTPUTS; k++) {
        float error = output[k], coefficient = eta * error;
        for (uint8_t i = 0; i < HIDDEN; i++) {
            back[i] += *w * error;
            *w++ -= coefficient * hidden[i];
        }
        *w++ -= coefficient;
    }
    w = weights;
    for (uint8_t i = 0; i < HIDDEN; i++) {
        float coefficient = eta * back[i];
        if (hidden[i] < 0.0f)
            coefficient *= SLOPE;
        for (uint8_t j = 0; j < FAN_IN; j++)
            *w++ -= coefficient * x[j];
        *w++ -= coefficient;
    }
}

void rule_predict(const value *x, value *y)
{
    forward(x);
    for (uint8_t k = 0; k < OUTPUTS; k++)
        y[k] = output[k];
}

const value *rule_weights(void)
{
    return weights;
}
