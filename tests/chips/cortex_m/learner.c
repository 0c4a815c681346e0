/* Trains networks of all kinds on a Cortex-M and prints what they learned, for a comparison of the chip's own kernels with those in C:
 * the same program, compiled once more with ANP_PORTABLE, must print the same. */
#include <stddef.h>
#include <string.h>

#include "anp.h"
#include "machine.h"
#include "semihosting.h"

#define CASES 1500
#define STEPS 6
#define WIDEST 80
#define MOST_OUTPUTS 40
#define ARENA 16384

extern uint32_t bss_start[], bss_end[], stack_top[];

static _Alignas(8) uint8_t arena[ARENA];
static struct anp_network net;
static struct anp_noise noise;
static uint32_t state;
static int output;

/* Below `limit`. */
static uint32_t pick(uint32_t limit)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

static int16_t between(int32_t low, int32_t high)
{
    return (int16_t)(low + (int32_t)pick((uint32_t)(high - low + 1)));
}

/* A value of one of the kinds: small, anywhere, at an edge of the range or of a test in the kernels. */
static int16_t value(uint32_t kind)
{
    static const int16_t edges[] = {-32767, -32766, -16385, -16384, -16383, -1, 0, 1, 16383, 16384, 16385, 32766, 32767};
    switch (kind) {
    case 0:
        return between(-4096, 4096);
    case 1:
        return between(-32767, 32767);
    case 2:
        return edges[pick(sizeof edges / sizeof edges[0])];
    default:
        return pick(4) ? between(-4096, 4096) : value(pick(2) + 1);
    }
}

static struct anp_config choose(void)
{
    struct anp_config config = {
        .weight_format = pick(6) == 0,
        .rounding = pick(4) != 0,
        .normalised = pick(3) != 0,
        .antithetic = pick(4) == 0,
        .rule = (uint8_t)(pick(3) ? ANP_RULE_ANP : 1 + pick(ANP_LAST_RULE)),
        .slope = (uint8_t)(pick(3) ? 0 : pick(ANP_SLOPE_MAX + 1)),
        .sigma = (uint16_t)(pick(3) ? 16 + pick(300) : 16 + pick(4080)),
        .noise_std = (uint16_t)(pick(3) ? 0 : 64 + pick(65000)),
        .learning_rate = pick(20) ? 1 + (pick(0xffffffff) >> pick(31)) : 0,
        .decorrelation_rate = 128 + pick(100000),
        .seed = 1 + pick(1000000),
        .layers = (uint8_t)(1 + pick(4)),
    };
    for (uint8_t l = 0; l <= config.layers; l++)
        config.sizes[l] = (uint16_t)(pick(4) ? 1 + pick(5) : 1 + pick(pick(4) ? 20 : l ? 40 : WIDEST));
    config.loss = config.sizes[config.layers] > 1 && pick(4) == 0;
    if (pick(5) == 0)
        config.decorrelate = (uint8_t)pick(1u << config.layers);
    return config;
}

static void fill_ring(uint32_t kind)
{
    for (uint32_t i = 0; i < ANP_NOISE_BUFFER; i++) {
        uint32_t code = 34 + 11 * pick(2) + pick(3);
        if (kind == 1)
            code = pick(65536);
        else if (kind == 2)
            code = pick(30) ? 500 : pick(1024);
        else if (kind == 3)
            code = 118 + 39 * pick(2) + pick(8);
        anp_noise_put(&noise, (uint16_t)code);
    }
}

static void set_weights(const struct anp_config *config, uint32_t kind)
{
    if (kind == 4)
        return;
    uint32_t count = 0;
    for (uint8_t l = 0; l < config->layers; l++)
        count += (config->sizes[l] + 1u) * config->sizes[l + 1];
    for (uint32_t i = 0; i < count; i++) {
        if (config->weight_format == ANP_INT16)
            ((int16_t *)(void *)net.at.weights)[i] = value(kind);
        else
            ((int32_t *)(void *)net.at.weights)[i] = value(kind) * 65536 + (int32_t)pick(65536);
    }
}

static uint32_t hash(uint32_t h, const void *data, uint32_t bytes)
{
    for (const uint8_t *byte = data; bytes; bytes--)
        h = (h ^ *byte++) * 16777619u;
    return h;
}

static void print(uint32_t v, char end)
{
    char text[9];
    for (int i = 7; i >= 0; i--, v >>= 4)
        text[i] = "0123456789abcdef"[v & 15u];
    text[8] = end;
    semihosting_write(output, text, sizeof text);
}

static void run(uint32_t number)
{
    state = number * 2654435761u + 1;
    struct anp_config config = choose();
    uint32_t weights = pick(5), inputs = pick(4), targets = pick(2);
    anp_noise_init(&noise);
    fill_ring(pick(4));
    if (anp_configure(&net, &config, arena, sizeof arena) != ANP_OK || !anp_noise_calibrate(&noise, config.sigma, config.noise_std))
        return;
    set_weights(&config, weights);
    uint32_t h = 2166136261u;
    for (int step = 0; step < STEPS; step++) {
        int16_t x[WIDEST], target[WIDEST];
        for (int i = 0; i < WIDEST; i++) {
            x[i] = value(inputs);
            target[i] = config.loss ? (int16_t)pick(config.sizes[config.layers]) : value(targets);
        }
        uint32_t loss = anp_train(&net, &noise, x, target);
        h = hash(h, &loss, sizeof loss);
        h = hash(h, net.at.weights, (uint32_t)(net.at.matrices - net.at.weights));
        h = hash(h, net.at.matrices, (uint32_t)net.at.matrices_bytes);
        h = hash(h, net.at.feedback, anp_feedback_bytes(&config));
        int16_t outputs[MOST_OUTPUTS];
        anp_predict(&net, x, outputs);
        h = hash(h, outputs, 2u * config.sizes[config.layers]);
        anp_noise_put(&noise, noise.ring[pick(200)]);
    }
    print(number, ' ');
    print(h, ' ');
    print(net.random_state, ' ');
    print(net.skipped, ' ');
    print(net.saturations, '\n');
}

__attribute__((noreturn)) void reset_handler(void)
{
    machine_begin();
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    output = semihosting_open(":tt", SEMIHOSTING_WRITE);
    for (uint32_t number = 0; number < CASES; number++)
        run(number);
    semihosting_fail("all cases are done");
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors = {stack_top, reset_handler};
