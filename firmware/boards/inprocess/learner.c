/* The learner as flat functions, for a program that loads it as a library: one object holds network, noise and arena. */
#include <stdlib.h>

#include "anp.h"

struct learner {
    struct anp_noise noise;
    struct anp_network net;
    uint8_t *arena;
};

/* NULL when memory is short; *status says why a configuration is refused. */
struct learner *learner_create(const struct anp_config *config, int *status)
{
    *status = anp_check(config);
    if (*status != ANP_OK)
        return NULL;
    uint32_t bytes = anp_arena_bytes(config);
    struct learner *learner = calloc(1, sizeof *learner);
    uint8_t *arena = malloc(bytes);
    if (!learner || !arena) {
        free(learner);
        free(arena);
        return NULL;
    }
    learner->arena = arena;
    anp_noise_init(&learner->noise);
    *status = anp_configure(&learner->net, config, arena, bytes);
    return learner;
}

void learner_destroy(struct learner *learner)
{
    free(learner->arena);
    free(learner);
}

void learner_put_codes(struct learner *learner, const uint16_t *codes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        anp_noise_put(&learner->noise, codes[i]);
}

/* Trains on samples order[0..count-1], putting codes_per_step codes before each. Returns how many steps were made: fewer than count only
 * when the ring is not full or shows no noise. losses may be NULL. */
uint32_t learner_train(struct learner *learner, const int16_t *x, const int16_t *targets, const uint32_t *order, uint32_t count,
                       const uint16_t *codes, uint32_t codes_per_step, uint32_t *losses)
{
    struct anp_network *net = &learner->net;
    struct anp_noise *noise = &learner->noise;
    uint32_t inputs = net->config.sizes[0], target_count = anp_target_count(net);
    for (uint32_t i = 0; i < count; i++, codes += codes_per_step) {
        learner_put_codes(learner, codes, codes_per_step);
        if (!anp_noise_ready(noise))
            return i;
        if (!anp_noise_calibrated(noise) && !anp_noise_calibrate(noise, net->config.sigma, net->config.noise_std))
            return i;
        uint32_t loss = anp_train(net, noise, x + order[i] * inputs, targets + order[i] * target_count);
        if (losses)
            losses[i] = loss;
    }
    return count;
}

void learner_predict(struct learner *learner, const int16_t *x, uint32_t count, int16_t *outputs)
{
    const uint16_t *sizes = learner->net.config.sizes;
    uint32_t inputs = sizes[0], output_count = sizes[learner->net.config.layers];
    for (uint32_t i = 0; i < count; i++)
        anp_predict(&learner->net, x + i * inputs, outputs + i * output_count);
}

/* Sum of losses (Q.24) over the samples; *correct counts right classifications. */
uint64_t learner_evaluate(struct learner *learner, const int16_t *x, const int16_t *targets, uint32_t count, uint32_t *correct)
{
    uint32_t inputs = learner->net.config.sizes[0], target_count = anp_target_count(&learner->net);
    uint64_t sum = 0;
    *correct = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool right;
        sum += anp_evaluate(&learner->net, x + i * inputs, targets + i * target_count, &right);
        *correct += right;
    }
    return sum;
}

int learner_set_rates(struct learner *learner, uint32_t learning_rate, uint32_t decorrelation_rate)
{
    return anp_set_rates(&learner->net, learning_rate, decorrelation_rate);
}

uint8_t *learner_weights(struct learner *learner, uint32_t *bytes)
{
    *bytes = (uint32_t)learner->net.at.weights_bytes;
    return learner->net.at.weights;
}

uint8_t *learner_matrices(struct learner *learner, uint32_t *bytes)
{
    *bytes = (uint32_t)learner->net.at.matrices_bytes;
    return learner->net.at.matrices;
}

uint8_t *learner_feedback(struct learner *learner, uint32_t *bytes)
{
    *bytes = anp_feedback_bytes(&learner->net.config);
    return (uint8_t *)learner->net.at.feedback;
}

struct learner_counters {
    uint64_t loss_sum;
    uint32_t steps, skipped, saturations, last_loss, random_state, deviation, arena_used, received;
};

struct learner_counters learner_counters(const struct learner *learner)
{
    const struct anp_network *net = &learner->net;
    struct learner_counters counters = {net->loss_sum,     net->steps,        net->skipped,    net->saturations,
                                        net->last_loss,    net->random_state, learner->noise.deviation, (uint32_t)net->at.used,
                                        learner->noise.received};
    return counters;
}
