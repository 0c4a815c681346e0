/* A rule that learns many times on a desktop, with the arithmetic that it has on the chips: steps until a target. */
#include <string.h>

#include "rule.h"

struct task {
    const value *x;               /* samples x FAN_IN */
    const value *targets;         /* samples x TARGETS */
    uint32_t samples;
    uint32_t most;                /* steps */
    uint32_t every;               /* steps between two looks at the target */
    float target;                 /* one output: mean squared error at most; several: share of right classes at least */
    const uint16_t *codes;        /* one long recording */
    uint32_t code_count;
    uint32_t codes_per_step;
};

#define BUFFER 200                /* codes */
#ifdef FLOATS
#define UNIT 1.0
#else
#define UNIT 4096.0
#endif

static uint8_t largest(const value *values)
{
    uint8_t best = 0;
    for (uint8_t k = 1; k < OUTPUTS; k++)
        if (values[k] > values[best])
            best = k;
    return best;
}

/* Looks no further than the target allows. */
static int learned(const struct task *task)
{
    double errors = 0.0, most = (double)task->target * task->samples;
    uint32_t wrong = 0, allowed = task->samples - (uint32_t)__builtin_ceil(most);
    for (uint32_t i = 0; i < task->samples; i++) {
        value y[OUTPUTS];
        const value *t = task->targets + i * TARGETS;
        rule_predict(task->x + i * FAN_IN, y);
        double error = ((double)y[0] - t[0]) / UNIT;
        errors += error * error;
        wrong += largest(y) != (TARGETS == OUTPUTS ? largest(t) : (uint8_t)t[0]);
        if (OUTPUTS == 1 ? !(errors <= most) : wrong > allowed)
            return 0;
    }
    return 1;
}

/* Steps until the target is reached, or task->most + 1. order: task->most samples. first: place of the first code in
 * the recording, with a whole buffer behind it. */
uint32_t many_learn(const struct task *task, const value *start, uint32_t rate, uint32_t seed, const uint16_t *order, uint32_t first)
{
    rule_begin(start, rate, seed);
    rule_codes(task->codes + first, BUFFER);
    uint32_t place = first + BUFFER;
    for (uint32_t step = 1; step <= task->most; step++) {
        const value *x = task->x + order[step - 1] * FAN_IN, *t = task->targets + order[step - 1] * TARGETS;
        for (uint32_t i = 0; i < task->codes_per_step; i++)
            rule_codes(task->codes + place++ % task->code_count, 1);
        rule_step(x, t);
        if (step % task->every == 0 && learned(task))
            return step;
    }
    return task->most + 1;
}

/* The weights after these samples in turn, for a comparison with a chip. */
void many_weights(const value *start, uint32_t rate, uint32_t seed, const value *x, const value *targets, uint32_t steps, value *weights)
{
    rule_begin(start, rate, seed);
    for (uint32_t step = 0; step < steps; step++)
        rule_step(x + step * FAN_IN, targets + step * TARGETS);
    memcpy(weights, rule_weights(), WEIGHTS * sizeof *weights);
}
