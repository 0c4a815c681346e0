/* The golden vectors of whole training steps (shared/vectors/README.md), in the order in which tests/platformio/project/vectors.py packs them. */
#include <stdbool.h>
#include <string.h>

#include "anp.h"
#include "crc32.h"
#include "report.h"
#include "vectors.h"

/* Bytes for a network, and inputs or units of a layer at most; where there is room for them all, those of every case. */
#if defined(__AVR__) && RAMEND < 0x1000
#define ARENA 704
#define WIDEST 64
#elif defined(__AVR__)
#define ARENA 4096
#define WIDEST 200
#else
#define ARENA 24576
#define WIDEST 200
#endif

static uint64_t arena[ARENA / 8];
static struct anp_network net;
static struct anp_noise noise;
static int16_t x[WIDEST], target[WIDEST];
static uint32_t stimulus;
static uint16_t place;                /* in the vectors */
static const char *failure;           /* the first in this case */

static uint32_t next(void)
{
    uint32_t word = 0;
    for (uint8_t shift = 0;; shift = (uint8_t)(shift + 7)) {
        uint8_t byte = vectors_read(place++);
        word |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return word;
    }
}

static void expect(uint32_t value, const char *what)
{
    if (next() != value && !failure)
        failure = what;
}

struct limits {
    int32_t low;
    uint32_t span;
};

static struct limits read_limits(void)
{
    struct limits limits;
    limits.low = (int32_t)next();
    limits.span = (uint32_t)((int32_t)next() - limits.low + 1);
    return limits;
}

static int32_t draw(struct limits limits)
{
    stimulus ^= stimulus << 13;
    stimulus ^= stimulus >> 17;
    stimulus ^= stimulus << 5;
    return limits.low + (int32_t)((stimulus >> 16) * limits.span >> 16);
}

static void draw_codes(struct limits codes, uint16_t count)
{
    for (; count; count--)
        anp_noise_put(&noise, (uint16_t)draw(codes));
}

static void draw_sample(struct limits inputs, struct limits targets)
{
    for (uint16_t i = 0; i < net.config.sizes[0]; i++)
        x[i] = (int16_t)draw(inputs);
    for (uint16_t i = 0; i < anp_target_count(&net); i++)
        target[i] = (int16_t)draw(targets);
}

static __attribute__((noinline)) struct anp_config read_configuration(void)
{
    struct anp_config config = {0};
    config.loss = (uint8_t)next();
    config.weight_format = (uint8_t)next();
    config.rounding = (uint8_t)next();
    config.normalised = next() != 0;
    config.antithetic = next() != 0;
    config.decorrelate = (uint8_t)next();
    config.sigma = (uint16_t)next();
    config.noise_std = (uint16_t)next();
    config.learning_rate = next();
    config.decorrelation_rate = next();
    config.seed = next();
    config.layers = (uint8_t)next();
    for (uint8_t l = 0; l <= config.layers; l++)
        config.sizes[l] = (uint16_t)next();
    return config;
}

static __attribute__((noinline)) void load_weights(uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        uint32_t weight = next();
        if (net.config.weight_format == ANP_INT32)
            ((int32_t *)(void *)net.at.weights)[i] = (int32_t)weight;
        else
            ((int16_t *)(void *)net.at.weights)[i] = (int16_t)(int32_t)weight;
    }
}

static void train(void)
{
    stimulus = next();
    struct limits codes = read_limits();
    uint16_t codes_per_step = (uint16_t)next();
    struct limits inputs = read_limits();
    struct limits targets = read_limits();
    struct {
        uint16_t step;
        uint32_t rate, decorrelation_rate;
    } change[VECTORS_CHANGES];
    uint8_t changes = (uint8_t)next(), changed = 0;
    for (uint8_t i = 0; i < changes; i++) {
        change[i].step = (uint16_t)next();
        change[i].rate = next();
        change[i].decorrelation_rate = next();
    }
    uint16_t steps = (uint16_t)next();

    uint32_t losses = 0;
    draw_codes(codes, ANP_NOISE_BUFFER);
    for (uint16_t step = 0; step < steps; step++) {
        if (changed < changes && change[changed].step == step) {
            anp_set_rates(&net, change[changed].rate, change[changed].decorrelation_rate);
            changed++;
        }
        draw_codes(codes, codes_per_step);
        draw_sample(inputs, targets);
        if (!anp_noise_calibrated(&noise) && !anp_noise_calibrate(&noise, net.config.sigma, net.config.noise_std))
            failure = "noise";
        uint32_t loss = anp_train(&net, &noise, x, target);
        losses = wire_crc32(losses, (const uint8_t *)&loss, sizeof loss);
    }
    expect(losses, "losses");
    draw_sample(inputs, targets);
}

/* Functions of their own, also where all is optimised as a whole: what they keep on the stack is not there while a step is made. */
static __attribute__((noinline)) void compare_results(void)
{
    int16_t outputs[WIDEST];
    bool correct;
    expect(noise.deviation, "deviation");
    expect(net.random_state, "random state");
    expect(net.skipped, "skipped steps");
    expect(net.saturations, "saturations");
    expect(wire_crc32(0, net.at.weights, net.at.weights_bytes), "weights");
    expect(wire_crc32(0, net.at.matrices, net.at.matrices_bytes), "matrices");
    anp_predict(&net, x, outputs);
    for (uint16_t i = 0; i < net.config.sizes[net.config.layers]; i++)
        expect((uint32_t)(int32_t)outputs[i], "prediction");
    expect(anp_evaluate(&net, x, target, &correct), "evaluation");
    expect(correct, "classification");
}

/* A case is left out where its network does not fit. */
static void run_case(void)
{
    struct anp_config config = read_configuration();
    uint16_t loaded = (uint16_t)next();
    for (uint8_t l = 0; l <= config.layers; l++)
        if (config.sizes[l] > WIDEST) {
            report_text(" skipped: wider than this test's buffers");
            return;
        }
    memset(&noise, 0, sizeof noise);
    anp_noise_init(&noise);
    enum anp_status status = anp_configure(&net, &config, arena, sizeof arena);
    if (status == ANP_TOO_LARGE) {
        report_text(" skipped: the network needs ");
        report_number(anp_arena_bytes(&config));
        report_text(" bytes");
        return;
    }
    if (status != ANP_OK) {
        report_text(" failed: refused");
        return;
    }
    failure = 0;
    load_weights(loaded);
    train();
    compare_results();
    report_text(failure ? " failed: " : " passed");
    if (failure)
        report_text(failure);
}

void run_tests(void)
{
    uint16_t start = 0;
    for (uint16_t number = 0; number < VECTORS_CASES; number++) {
        place = start;
        uint16_t length = (uint16_t)next();
        start = (uint16_t)(place + length);
        report_text("case ");
        report_number(number);
        run_case();
        report_text("\n");
    }
    report_text("end\n");
}
