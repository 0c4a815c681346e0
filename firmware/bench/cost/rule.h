/* What a learning rule is for the comparison of costs: one hidden layer of leaky ReLUs, linear outputs, squared
 * error, or softmax cross-entropy where CROSS_ENTROPY is defined; one sample a step. Each rule is one C file that runs on chips, where its steps are counted (row.h), and on a desktop, where it
 * learns many times (many.c). INPUT_UNITS, HIDDEN_UNITS and OUTPUT_UNITS are the network's sizes, constants of the build. */
#ifndef RULE_H
#define RULE_H

#include <stdint.h>

#ifndef INPUT_UNITS               /* read alone */
#define INPUT_UNITS 2
#define HIDDEN_UNITS 3
#define OUTPUT_UNITS 1
#endif

#ifdef FLOATS
typedef float value;
#else
typedef int16_t value;            /* Q3.12 */
#endif

enum {
    FAN_IN = INPUT_UNITS,
    HIDDEN = HIDDEN_UNITS,
    OUTPUTS = OUTPUT_UNITS,
#ifdef CROSS_ENTROPY
    TARGETS = 1,                  /* the number of the class */
#else
    TARGETS = OUTPUTS,
#endif
    WEIGHTS = HIDDEN * (FAN_IN + 1) + OUTPUTS * (HIDDEN + 1),
};

/* Begins with these weights: rows of the hidden layer, then of the outputs, each row's bias last. rate: Q4.28. seed: of what is random in
 * the rule, not 0. */
void rule_begin(const value *weights, uint32_t rate, uint32_t seed);

/* Noise codes that have arrived; a whole buffer of them, 200, is calibrated. Backpropagation has no use for them. */
void rule_codes(const uint16_t *codes, uint32_t count);

void rule_step(const value *x, const value *target);
void rule_predict(const value *x, value *y);
const value *rule_weights(void);

#endif
