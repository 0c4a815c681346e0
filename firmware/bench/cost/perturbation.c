/* A rule of lib/anp, RULE of enum anp_rule, with the kernels of the chip: what the comparison of costs is about. */
#include "anp.h"
#include "rule.h"

#ifdef __AVR__
#define ARENA 1024                /* 2 KB would be all of an Uno */
#else
#define ARENA 16384               /* 64-32-10 takes 6 KB */
#endif
#define LOW 34                    /* codes of the two levels: the paper's on a 10-bit converter with 1.1 V */
#define HIGH 45

static struct anp_network net;
static struct anp_noise noise;
static uint8_t arena[ARENA] __attribute__((aligned(8)));

/* The ring is full from the beginning, of two levels with an observation noise of a code. */
static void fill(uint32_t state)
{
    anp_noise_init(&noise);
    for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++) {
        state = state * 1664525u + 1013904223u;
        anp_noise_put(&noise, (uint16_t)((state >> 31 ? HIGH : LOW) + (state >> 24 & 1)));
    }
}

void rule_begin(const value *start, uint32_t rate, uint32_t seed)
{
    const struct anp_config config = {
        .rounding = ANP_STOCHASTIC,
        .normalised = true,
#ifdef CROSS_ENTROPY
        .loss = ANP_CROSS_ENTROPY,
#endif
#if RULE
        .rule = RULE,
        .antithetic = true,
#endif
        .sigma = 128,
        .learning_rate = rate,
        .seed = seed,
        .layers = 2,
        .sizes = {FAN_IN, HIDDEN, OUTPUTS},
    };
    fill(seed);
    if (anp_configure(&net, &config, arena, sizeof arena) != ANP_OK)
        __builtin_trap(); /* the arena is too small for this network */
    int16_t *weights = (int16_t *)(void *)net.at.weights;
    for (uint16_t i = 0; i < WEIGHTS; i++)
        weights[i] = start[i];
    anp_noise_calibrate(&noise, config.sigma, 0);
}

void rule_codes(const uint16_t *codes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        anp_noise_put(&noise, codes[i]);
    if (count >= ANP_NOISE_BUFFER) {
        anp_noise_forget(&noise);
        anp_noise_calibrate(&noise, net.config.sigma, 0);
    }
}

void rule_step(const value *x, const value *target)
{
    anp_train(&net, &noise, x, target);
}

void rule_predict(const value *x, value *y)
{
    anp_predict(&net, x, y);
}

const value *rule_weights(void)
{
    return (const value *)(const void *)net.at.weights;
}
