/* Random networks on random samples: a step of the chip's learner, then the same step of the portable one, and both networks are
 * compared. One line a trial: its number, the steps that saturated or were skipped, and a checksum of all that the steps left. The same
 * program on a desktop runs the portable learner alone and must print the same lines.
 *
 * A difference ends the run with a line that says in which trial, in which step and where. */
#include <stdio.h>
#include <string.h>

#include "anp.h"
#include "portable.h"

#ifdef __AVR__
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
static void put(char c)
{
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = (uint8_t)c;
}
#else
static void put(char c) { putchar(c); }
#endif

#define STEPS 6
#ifdef LOCKSTEP_WIDE /* for a chip with more RAM */
#define MAX_INPUTS ANP_MAX_WIDTH
#define ARENA 4200 /* bytes of each network on the chip */
#else
#define MAX_INPUTS 16
#define ARENA 320
#endif

static struct anp_noise noise;
static struct anp_network net;
static union {
    uint8_t bytes[sizeof(void *) / 2 * ARENA]; /* a desktop has longer pointers */
    void *aligned;
} arena;
static int16_t x[MAX_INPUTS], target[8];
#ifdef __AVR__
static struct anp_network twin;
static uint8_t twin_arena[sizeof arena.bytes];
#endif
static uint32_t state, checksum;

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

static void print_number(uint32_t value)
{
    char digits[11];
    uint8_t at = sizeof digits - 1;
    digits[at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    put(' ');
    print(digits + at);
}

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* 0 .. count - 1 */
static uint16_t below(uint16_t count) { return (uint16_t)((uint32_t)(draw() & 0xffffu) * count >> 16); }

/* One of: full scale, its neighbourhood, anything, of any size. */
static int16_t value(uint8_t kind)
{
    int16_t any = (int16_t)draw();
    if (any == -32768)
        any = 0;
    switch (kind) {
    case 0:
        return any < 0 ? -32767 : 32767;
    case 1:
        return (int16_t)(any < 0 ? -32767 + (any & 7) : 32767 - (any & 7));
    case 2:
        return any;
    default:
        return (int16_t)(any >> (kind & 15));
    }
}

static uint8_t kind(void)
{
    uint8_t one = (uint8_t)below(12);
    return (uint8_t)(one < 3 ? one : 3 + below(9));
}

static void sum_up(const void *bytes, uint32_t count)
{
    const uint8_t *byte = bytes;
    while (count--)
        checksum = (checksum << 1 | checksum >> 31) + *byte++;
}

static struct anp_config random_config(void)
{
    struct anp_config config = {0};
#ifdef LOCKSTEP_WIDE
    static const uint16_t inputs[] = {127, 128, 129, 254, 255, 256, 257, 511, 512, 513, 767, 1023, 1024};
    config.layers = 1;
    config.sizes[0] = inputs[below(sizeof inputs / sizeof *inputs)];
    config.sizes[1] = 1;
    config.weight_format = config.sizes[0] < 300 && below(2);
#else
    config.layers = (uint8_t)(1 + below(3));
    for (uint8_t l = 0; l <= config.layers; l++)
        config.sizes[l] = (uint16_t)(1 + below(5));
    if (below(4) == 0)
        config.sizes[0] = (uint16_t)(1 + below(MAX_INPUTS));
    config.weight_format = (uint8_t)below(ANP_LAST_FORMAT + 1);
    config.loss = config.sizes[config.layers] > 1 && below(6) == 0;
    config.decorrelate = (uint8_t)(below(3) ? 0 : below((uint16_t)(1 << config.layers)));
#endif
#ifndef ANP_ONE_RULE
    config.rule = (uint8_t)below(ANP_LAST_RULE + 1);
    config.slope = (uint8_t)(below(3) ? 0 : below(ANP_SLOPE_MAX + 1));
#endif
    config.rounding = (uint8_t)below(2);
    config.normalised = below(2);
    config.antithetic = below(2);
    config.sigma = (uint16_t)(16 + below(4080));
    uint32_t any = draw();
    config.noise_std = below(3) ? 0 : (uint16_t)(64 + (any >> below(10) & 0xffffu) % 65472u);
    any = draw();
    config.learning_rate = below(16) ? (any << 8 | 255u) >> below(32) : 0;
    any = below(128);
    config.decorrelation_rate = (4194304u >> below(15)) + any;
    if (config.decorrelation_rate > 4194304u)
        config.decorrelation_rate = 4194304u;
    config.seed = draw() | 1;
    return config;
}

/* Whether the chip has room for it. */
static bool fits(const struct anp_config *config)
{
    uint32_t bytes = 0;
    for (uint8_t l = 0; l < config->layers; l++) {
        uint32_t inputs = config->sizes[l], units = config->sizes[l + 1];
        bytes += 12 + (inputs + 1) * units * (config->weight_format ? 4 : 2) + 6 * units;
        if (config->decorrelate >> l & 1)
            bytes += 2 * inputs * (inputs + 1) + 6 * MAX_INPUTS;
    }
    return bytes + anp_feedback_bytes(config) <= ARENA;
}

static void random_weights(void)
{
    uint8_t how = kind();
    if (below(2))
        return;
    if (net.config.weight_format == ANP_INT16) {
        for (uint16_t i = 0; i < net.at.weights_bytes / 2; i++)
            ((int16_t *)(void *)net.at.weights)[i] = value(how);
    } else {
        for (uint16_t i = 0; i < net.at.weights_bytes / 4; i++) {
            int32_t weight = value(how) * (int32_t)65536;
            uint32_t low = draw() & 65535u;
            ((int32_t *)(void *)net.at.weights)[i] = below(2) ? weight + (int32_t)low : weight;
        }
    }
    for (uint16_t i = 0; i < net.at.matrices_bytes / 2; i++)
        ((int16_t *)(void *)net.at.matrices)[i] = value(how);
}

static uint16_t code(uint16_t low, uint16_t high, uint8_t spread)
{
    uint16_t level = below(2) ? low : high;
    return (uint16_t)(level + (uint16_t)((draw() & 0xffffu) >> spread));
}

/* Values that are left over: by feedback all but the third ones. */
static uint16_t unused(void)
{
#ifndef ANP_ONE_RULE
    if (net.config.rule == ANP_RULE_FEEDBACK)
        return (uint16_t)(2 * net.units);
#endif
    return 0;
}

#ifdef __AVR__
static bool same(const void *a, const void *b, uint32_t count, const char *what)
{
    if (memcmp(a, b, (size_t)count) == 0)
        return true;
    print(what);
    return false;
}

static bool equal(uint32_t loss, uint32_t twin_loss)
{
    uint16_t units = (uint16_t)(3 * net.units - unused());
    return same(&loss, &twin_loss, sizeof loss, "the loss") &&
           same(net.at.values + unused(), twin.at.values + unused(), units * 2u, "the values") &&
           same(net.at.weights, twin.at.weights, net.at.weights_bytes, "the weights") &&
           same(net.at.matrices, twin.at.matrices, net.at.matrices_bytes, "the matrices") &&
           same(&net.saturations, &twin.saturations, sizeof net.saturations, "the saturations") &&
           same(&net.random_state, &twin.random_state, sizeof net.random_state, "the generator") &&
           same(&net.steps, &twin.steps, sizeof net.steps, "the steps") &&
           same(&net.skipped, &twin.skipped, sizeof net.skipped, "the skipped steps") &&
           same(&net.last_loss, &twin.last_loss, sizeof net.last_loss, "the last loss") &&
           same(&net.loss_sum, &twin.loss_sum, sizeof net.loss_sum, "the sum of losses");
}
#endif

/* False when the learners differ. */
static bool trial(uint32_t number)
{
    uint16_t low, high;
    uint8_t spread;
    state = number * 2654435761u;
    for (;;) {
        struct anp_config config = random_config();
        if (fits(&config) && anp_configure(&net, &config, arena.bytes, sizeof arena.bytes) == ANP_OK)
            break;
    }
    random_weights();
    do {
        uint8_t bits = (uint8_t)(8 + below(9));
        low = (uint16_t)((draw() & 0xffffu) >> (16 - bits) >> 1);
        high = (uint16_t)(low + ((draw() & 0xffffu) >> (17 - bits)));
        spread = (uint8_t)(18 + below(6) - bits);
        if (spread > 15)
            spread = 15;
        if (high > 65535u - (65535u >> spread))
            high = (uint16_t)(65535u - (65535u >> spread));
        anp_noise_init(&noise);
        for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++)
            anp_noise_put(&noise, code(low, high, spread));
    } while (!anp_noise_calibrate(&noise, net.config.sigma, net.config.noise_std));
    if (below(8) == 0)
        for (uint8_t i = 0; i < 20; i++)
            anp_noise_put(&noise, code(0, 65000, 9)); /* after the calibration: values that saturate */
#ifdef __AVR__
    twin = net;
    struct anp_config config = net.config;
    anp_configure(&twin, &config, twin_arena, sizeof twin_arena);
    memcpy(twin.at.weights, net.at.weights, net.at.weights_bytes);
    memcpy(twin.at.matrices, net.at.matrices, net.at.matrices_bytes);
#endif
    uint8_t x_kind = kind(), target_kind = kind();
    for (uint8_t i = 0; i < STEPS; i++) {
        for (uint16_t j = 0; j < net.config.sizes[0]; j++)
            x[j] = value(x_kind);
        for (uint16_t j = 0; j < anp_target_count(&net); j++)
            target[j] = net.config.loss ? (int16_t)below(net.config.sizes[net.config.layers]) : value(target_kind);
        anp_noise_put(&noise, code(low, high, spread));
        if (i == 3)
            net.loss_sum = 0xffffffffu; /* on to its upper half */
        uint32_t loss = anp_train(&net, &noise, x, target);
        sum_up(&loss, sizeof loss);
#ifdef __AVR__
        twin.loss_sum = net.loss_sum - loss;
        if (!equal(loss, portable_train(&twin, &noise, x, target))) {
            print(": different in trial");
            print_number(number);
            print(" step");
            print_number(i);
            print("\n");
            return false;
        }
#endif
    }
    bool correct;
    uint32_t loss = anp_evaluate(&net, x, target, &correct);
#ifdef __AVR__
    bool twin_correct;
    if (loss != portable_evaluate(&twin, x, target, &twin_correct) || correct != twin_correct) {
        print("the evaluation: different in trial");
        print_number(number);
        print("\n");
        return false;
    }
#endif
    sum_up(&loss, sizeof loss);
    sum_up(net.at.weights, (uint32_t)net.at.weights_bytes);
    sum_up(net.at.matrices, (uint32_t)net.at.matrices_bytes);
#ifndef ANP_ONE_RULE
    sum_up(net.at.feedback, anp_feedback_bytes(&net.config));
#endif
    sum_up(net.at.values + unused(), (3u * net.units - unused()) * 2u);
    sum_up(&net.loss_sum, sizeof net.loss_sum);
    print("trial");
    print_number(number);
    print_number(net.saturations);
    print_number(net.skipped);
    print_number(checksum);
    print("\n");
    return true;
}

int main(void)
{
#ifdef __AVR__
    UBRR0 = 0;
    UCSR0B = 1 << TXEN0;
#endif
    for (uint32_t number = 1; number <= TRIALS && trial(number); number++)
        checksum = 0;
    print("end\n");
#ifdef __AVR__
    cli();
    sleep_enable();
    sleep_cpu();
#endif
    return 0;
}
