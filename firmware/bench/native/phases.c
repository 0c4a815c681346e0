/* Times the parts of training steps on a desktop: part of the library mtjlearn-phases alone, which the linker gives --wrap for each
 * function below (CMakeLists.txt). What reading the clock costs is measured and taken off; the rest of a wrapper, some nanoseconds, is not. */
#include <stdint.h>
#include <time.h>

#include "anp_internal.h"

enum phase { STEP, DRAW, NORMALISE, UPDATE, PHASES };

#define TRIES 1000
#define READINGS 9

static uint64_t spent[PHASES];    /* ns, the clock's cost included */
static uint64_t calls[PHASES];

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void count(enum phase phase, uint64_t begun)
{
    spent[phase] += now() - begun;
    calls[phase]++;
}

#define WRAPPED(function) extern __typeof__(function) __real_##function, __wrap_##function
WRAPPED(anp_train);
WRAPPED(anp_noise_draw);
WRAPPED(anp_global_factor);
WRAPPED(anp_update_layer);
WRAPPED(anp_update_matrix);

uint32_t __wrap_anp_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target)
{
    uint64_t begun = now();
    uint32_t loss = __real_anp_train(net, noise, x, target);
    count(STEP, begun);
    return loss;
}

void __wrap_anp_noise_draw(const struct anp_noise *noise, struct anp_draw draw, int16_t *n, uint16_t units, uint32_t *saturations)
{
    uint64_t begun = now();
    __real_anp_noise_draw(noise, draw, n, units, saturations);
    count(DRAW, begun);
}

struct anp_factor __wrap_anp_global_factor(struct anp_mantissa eta, int32_t loss_difference, uint32_t norm)
{
    uint64_t begun = now();
    struct anp_factor factor = __real_anp_global_factor(eta, loss_difference, norm);
    count(NORMALISE, begun);
    return factor;
}

void __wrap_anp_update_layer(struct anp_network *net, const struct anp_layer *layer, const int16_t *input, struct anp_factor factor,
                             struct anp_dither *dither)
{
    uint64_t begun = now();
    __real_anp_update_layer(net, layer, input, factor, dither);
    count(UPDATE, begun);
}

void __wrap_anp_update_matrix(struct anp_network *net, const struct anp_layer *layer, struct anp_dither *dither)
{
    uint64_t begun = now();
    __real_anp_update_matrix(net, layer, dither);
    count(UPDATE, begun);
}

/* ns of one reading. The fastest of many tries: all others were disturbed. */
static double clock_cost(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t begun = now();
        for (int reading = 1; reading < READINGS; reading++)
            now();
        uint64_t taken = now() - begun;
        least = taken < least ? taken : least;
    }
    return (double)least / READINGS;
}

/* Nanoseconds of each phase since the last call, the clock's cost taken off; counts again from here. */
void phases_take(double *nanos)
{
    double cost = clock_cost();
    uint64_t parts = calls[DRAW] + calls[NORMALISE] + calls[UPDATE];
    for (enum phase phase = STEP; phase < PHASES; phase++) {
        /* A part is inside one reading; around it a step has both. */
        double readings = (double)calls[phase] + (phase == STEP ? 2.0 * (double)parts : 0.0);
        nanos[phase] = (double)spent[phase] - cost * readings;
        spent[phase] = calls[phase] = 0;
    }
}
