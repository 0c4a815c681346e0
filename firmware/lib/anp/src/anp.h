/* Activity-based node perturbation (ANP) for microcontrollers: the public interface of the learner.
 *
 * The arithmetic is specified bit for bit in shared/numerics.md (section numbers below refer to it). Nothing here allocates,
 * performs I/O, uses floating point or knows a platform: the caller owns all memory and feeds in ADC codes and samples.
 *
 * Use: fill an anp_config; anp_configure() lays the network out in the caller's arena; anp_noise_put() ADC codes between
 * training steps until anp_noise_ready(); anp_train() one sample after the other; anp_predict() without noise at any time. */
#ifndef ANP_H
#define ANP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANP_FRACTION_BITS 12   /* activations, inputs, targets, noise, int16 weights: Q3.12 */
#define ANP_WEIGHT32_BITS 28   /* int32 weights: Q3.28 */
#define ANP_MATRIX_BITS 14     /* decorrelation matrices: Q1.14 */
#define ANP_LOSS_BITS 24       /* losses: Q7.24 */
#define ANP_RATE_BITS 28       /* learning rates: Q4.28 */
#define ANP_NOISE_BUFFER 200   /* ADC codes kept */
#define ANP_MAX_LAYERS 8
#ifndef ANP_MAX_WIDTH          /* inputs, or units of a layer; a build for a chip that is short of flash defines it as 127 */
#define ANP_MAX_WIDTH 1024
#endif
#if ANP_MAX_WIDTH > 127        /* units of all layers */
#define ANP_MAX_UNITS ANP_NOISE_BUFFER
#else
#define ANP_MAX_UNITS 127
#endif
#define ANP_LOSS_MAX 0x7fffffffu

enum anp_loss { ANP_SQUARED = 0, ANP_CROSS_ENTROPY = 1 };
enum anp_weight_format { ANP_INT16 = 0, ANP_INT32 = 1 };

/* A build for a chip that is short of flash defines ANP_INT16_ONLY: networks of int32 weights are refused. */
#ifdef ANP_INT16_ONLY
#define ANP_LAST_FORMAT ANP_INT16
#else
#define ANP_LAST_FORMAT ANP_INT32
#endif

enum anp_rule { ANP_RULE_ANP = 0, ANP_RULE_EXACT = 1, ANP_RULE_FEEDBACK = 2 };

/* A build for a chip that is short of flash defines ANP_ONE_RULE: the rule is ANP, and the slope 1/128. */
#define ANP_SLOPE 7               /* of the rule ANP, unless the network has another one */
#define ANP_SLOPE_EXACT 3         /* likewise of the others */
#define ANP_SLOPE_MAX 12
#ifdef ANP_ONE_RULE
#define ANP_LAST_RULE ANP_RULE_ANP
#elif defined ANP_NO_FEEDBACK     /* one that is a little less short of it: ANP and ANP_EXACT */
#define ANP_LAST_RULE ANP_RULE_EXACT
#else
#define ANP_LAST_RULE ANP_RULE_FEEDBACK
#endif

enum anp_rounding { ANP_NEAREST = 0, ANP_STOCHASTIC = 1 };

/* Why a configuration is refused. The numbers follow the fields of anp_config. */
enum anp_status {
    ANP_OK = 0,
    ANP_BAD_LOSS = 1,
    ANP_BAD_WEIGHT_FORMAT = 2,
    ANP_BAD_ROUNDING = 3,
    ANP_BAD_DECORRELATE = 4,      /* a bit beyond the last layer */
    ANP_BAD_SIGMA = 5,            /* outside 16 .. 4095 */
    ANP_BAD_DECORRELATION_RATE = 6,
    ANP_BAD_SEED = 7,             /* 0 */
    ANP_BAD_SIZES = 8,            /* no layer, more than ANP_MAX_LAYERS, a width of 0 or over ANP_MAX_WIDTH, one class only */
    ANP_TOO_MANY_UNITS = 9,       /* N > ANP_MAX_UNITS, or the noise buffer has too few codes for one step: see anp_check() */
    ANP_TOO_LARGE = 10,           /* the arena is too small: compare anp_arena_bytes() */
    ANP_BAD_RULE = 11,            /* one that this build does not have */
    ANP_BAD_SLOPE = 12,           /* above 12 */
};

struct anp_config {
    uint8_t loss;                 /* enum anp_loss */
    uint8_t weight_format;        /* enum anp_weight_format */
    uint8_t rounding;             /* enum anp_rounding */
    bool normalised;              /* divide the step by 1 + ||x||^2, rounded up to a power of two */
    bool antithetic;              /* pass 2 uses the noise of pass 1, negated */
    uint8_t decorrelate;          /* bit l-1: decorrelate the input of layer l */
#ifndef ANP_ONE_RULE
    uint8_t rule;                 /* enum anp_rule */
    uint8_t slope;                /* s: the leaky ReLU has the slope 2^-s, s <= 12; 0: the rule's own, 7 with ANP, else 3 */
#endif
    uint16_t sigma;               /* Q4.12, 16 .. 4095 */
    uint16_t noise_std;           /* Q8.8 ADC codes; 0: measured before the first step */
    uint32_t learning_rate;       /* Q4.28 */
    uint32_t decorrelation_rate;  /* Q4.28, 128 .. 4194304 when a layer decorrelates */
    uint32_t seed;                /* not 0 */
    uint8_t layers;               /* 1 .. ANP_MAX_LAYERS */
    uint16_t sizes[ANP_MAX_LAYERS + 1]; /* inputs, then units of each layer */
};

/* Whether weights are int32. */
static inline bool anp_is_wide(const struct anp_config *config)
{
    return ANP_LAST_FORMAT == ANP_INT32 && config->weight_format == ANP_INT32;
}

/* --- noise (section 3) --- */

struct anp_noise {
    uint16_t ring[ANP_NOISE_BUFFER];
    uint32_t total;               /* sum of the ring */
    uint32_t received;            /* codes put so far, mod 2^32 */
    uint32_t deviation;           /* 200 times the codes' standard deviation, as of the last calibration; 0: none yet */
    uint16_t gain;                /* 0: not calibrated */
    int8_t shift;
    uint8_t position;             /* of the oldest code: the next one goes here */
    uint8_t filled;               /* codes in the ring */
};

void anp_noise_init(struct anp_noise *noise);

/* Puts ADC codes into the ring, the oldest first. Only between training steps: that is when new codes may become visible. */
void anp_noise_put_all(struct anp_noise *noise, const uint16_t *codes, uint8_t count);

static inline void anp_noise_put(struct anp_noise *noise, uint16_t code) { anp_noise_put_all(noise, &code, 1); }

static inline bool anp_noise_ready(const struct anp_noise *noise) { return noise->filled == ANP_NOISE_BUFFER; }

/* Fixes gain and shift for sigma (Q4.12). noise_std in Q8.8 codes, or 0 to measure the ring, which must then be full.
 * False when there is no noise (deviation under 50, a quarter of a code); noise->deviation shows what was seen. */
bool anp_noise_calibrate(struct anp_noise *noise, uint16_t sigma, uint16_t noise_std);

static inline bool anp_noise_calibrated(const struct anp_noise *noise) { return noise->gain != 0; }

/* A calibration of before, by its deviation (below 50: none), and an empty ring whose first code goes to `position`: the state after a
 * restored checkpoint (section 11). */
void anp_noise_restore(struct anp_noise *noise, uint16_t sigma, uint32_t deviation, uint8_t position);

/* Forgets the calibration, as a new configuration must. */
static inline void anp_noise_forget(struct anp_noise *noise)
{
    noise->gain = 0;
    noise->deviation = 0;
}

/* --- network --- */

/* One layer inside the arena. */
struct anp_layer {
    uint16_t inputs;
    uint16_t units;
    void *rows;                   /* units x (inputs + 1), int16 or int32, the bias last in each row */
    int16_t *matrix;              /* inputs x inputs, or NULL without decorrelation */
    int16_t *input;               /* in pass 1, decorrelated if configured; NULL where that is the sample itself */
    int16_t *difference;          /* da of its units; before that their noise in pass 1 */
};

/* What lies where in the arena. */
struct anp_places {
    struct anp_layer *layer;      /* config.layers of them */
    int16_t *values;              /* three of each unit, N each: see anp_passes() */
    int16_t *decorrelated;        /* a layer's decorrelated input in pass 2 and in clean passes; NULL without decorrelation */
    int32_t *projection;          /* u of section 8; NULL without decorrelation */
    uint8_t *weights;             /* all rows, contiguous */
    uint8_t *matrices;            /* all matrices, contiguous */
    size_t weights_bytes;
    size_t matrices_bytes;
    size_t used;                  /* bytes of the arena */
#ifndef ANP_ONE_RULE
    int16_t *feedback;            /* B of all hidden layers behind the matrices; no bytes of it without the rule FEEDBACK */
#endif
};

/* norm16(v) of section 6 with bits(v), or 0 and 0 for 0. */
struct anp_mantissa {
    uint16_t mantissa;
    uint8_t bits;
};

struct anp_network {
    uint32_t random_state;
    uint32_t saturations;         /* in training steps */
    struct anp_mantissa eta;      /* of eta N, Q.28; with other rules than ANP eta N_h */
    uint16_t units;               /* N */
    struct anp_config config;
    struct anp_places at;
    uint32_t steps;
    uint32_t skipped;
    uint32_t last_loss;           /* of pass 1, Q7.24 */
    uint64_t loss_sum;            /* of pass 1, Q.24, since configuration */
#ifndef ANP_ONE_RULE
    uint8_t noisy;                /* units with noise: N, with other rules than ANP N_h */
    int8_t delta_exponent;        /* E of the delta rule */
    int16_t delta_mantissa;       /* g of it; 0 with ANP, or if eta is */
#endif
};

/* Checks a configuration without an arena. ANP needs 2N <= 200, or N <= 200 with antithetic passes; the others N <= 200, and the same of N_h
 * instead of N, where FEEDBACK's passes are always antithetic. */
enum anp_status anp_check(const struct anp_config *config);

/* Bytes of arena a configuration needs; the configuration must have passed anp_check(). */
uint32_t anp_arena_bytes(const struct anp_config *config);

/* Bytes of the feedback of a configuration. */
#ifdef ANP_ONE_RULE
static inline uint32_t anp_feedback_bytes(const struct anp_config *config)
{
    (void)config;
    return 0;
}
#else
uint32_t anp_feedback_bytes(const struct anp_config *config);
#endif

/* Bytes of all weights, matrices and feedback of a configuration. */
uint32_t anp_blob_bytes(const struct anp_config *config);

/* Lays the network out in the arena (aligned for pointers and int32), draws its weights and zeroes its counters. On any error the network
 * is left as it was. */
enum anp_status anp_configure(struct anp_network *net, const struct anp_config *config, void *arena, uint32_t arena_bytes);

/* Changes the rates from the next step on. ANP_BAD_DECORRELATION_RATE as in anp_configure(). */
enum anp_status anp_set_rates(struct anp_network *net, uint32_t learning_rate, uint32_t decorrelation_rate);

/* Values in a sample's target: the outputs, or 1 (the class) with cross-entropy. */
uint16_t anp_target_count(const struct anp_network *net);

/* One training step (section 10, from its second point on). x: sizes[0] values; target: anp_target_count() values; all -32767 .. 32767,
 * a class below the number of outputs. The noise must be ready and calibrated. Returns the loss of pass 1, Q7.24. */
uint32_t anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target);

/* A clean pass; outputs: as many values as the last layer has units. May point into the caller's transmit buffer. */
void anp_predict(struct anp_network *net, const int16_t *x, int16_t *outputs);

/* Draws initial weights (section 2) into `rows`, which is laid out as net->at.weights, from a seed that is not 0. Returns the state of
 * the generator after it. */
uint32_t anp_draw_weights(const struct anp_network *net, void *rows, uint32_t seed);

/* anp_predict() with other weights of the same layout. */
void anp_predict_with(struct anp_network *net, void *rows, const int16_t *x, int16_t *outputs);

/* The next random number (section 2) of a generator of the caller's. */
uint32_t anp_random_next(uint32_t *state);

/* A clean pass with its loss (Q7.24); *correct shows whether the classification is right (section 5). */
uint32_t anp_evaluate(struct anp_network *net, const int16_t *x, const int16_t *target, bool *correct);

#ifdef __cplusplus
}
#endif
#endif
