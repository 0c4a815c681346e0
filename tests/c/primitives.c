/* Answers one primitive of the learner a line: a name and integers in, integers out. Lists come as their length, then their values.
 * The sources are included, so that functions of internal linkage are reached too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anp_decorrelation.c"
#include "anp_forward.c"
#include "anp_portable.c"
#include "anp_rules.c"
#include "anp_loss.c"
#include "anp_network.c"
#include "anp_noise.c"
#include "anp_train.c"
#include "anp_update.c"

static uint32_t saturations;

static int64_t integer(void)
{
    int64_t value;
    if (scanf("%" SCNd64, &value) != 1)
        exit(3);
    return value;
}

static void answer(int64_t value) { printf("%" PRId64 " ", value); }

/* Reads a list of int16; the caller frees it. */
static int16_t *list16(uint16_t *count)
{
    *count = (uint16_t)integer();
    int16_t *values = malloc(sizeof(int16_t) * (*count ? *count : 1));
    for (uint16_t i = 0; i < *count; i++)
        values[i] = (int16_t)integer();
    return values;
}

static void pre_activation(void)
{
    uint8_t format = (uint8_t)integer();
    struct anp_layer layer = {.units = 1};
    uint16_t length = (uint16_t)integer();
    int32_t *row32 = malloc(sizeof(int32_t) * length);
    int16_t *row16 = malloc(sizeof(int16_t) * length);
    for (uint16_t i = 0; i < length; i++) {
        row32[i] = (int32_t)integer();
        row16[i] = (int16_t)row32[i];
    }
    int16_t *x = list16(&layer.inputs), *other = malloc(sizeof(int16_t) * (layer.inputs ? layer.inputs : 1));
    memcpy(other, x, sizeof(int16_t) * layer.inputs);
    int16_t z, values[3] = {0, 0, 0};
    struct anp_network net = {.units = 1, .config = {.weight_format = format}};
    layer.rows = format == ANP_INT32 ? (void *)row32 : (void *)row16;
    layer.difference = values;
    anp_products(&net, &layer, x, &z, &saturations);
    anp_passes(&net, &layer, x, other, false);
    if (values[0] != 0 || values[1] != z || values[2] != z)
        printf("the passes differ from a clean pass: ");
    answer(z);
    free(other);
    free(row32);
    free(row16);
    free(x);
}

static void decorrelated(void)
{
    struct anp_layer layer;
    uint16_t n;
    int16_t *row = list16(&n);
    int16_t *x = list16(&n);
    /* Every row of the matrix is the given one. */
    int16_t *matrix = malloc(sizeof(int16_t) * n * n), *out = malloc(sizeof(int16_t) * n);
    for (uint16_t i = 0; i < n; i++)
        memcpy(matrix + i * n, row, sizeof(int16_t) * n);
    layer.inputs = n;
    layer.matrix = matrix;
    anp_decorrelate(&layer, x, out, &saturations);
    answer(out[n - 1]);
    free(row);
    free(x);
    free(matrix);
    free(out);
}

static void loss(bool want_correct, uint8_t kind)
{
    static struct anp_network net;
    uint16_t outputs, targets;
    int16_t *y = list16(&outputs);
    int16_t *t = list16(&targets);
    net.config.loss = kind;
    net.config.layers = 1;
    net.config.sizes[1] = outputs;
    answer(want_correct ? anp_is_correct(&net, y, t) : anp_loss_of(&net, y, t, &saturations));
    free(y);
    free(t);
}

static void initial_weights(void)
{
    struct anp_config config = {.sigma = 128, .seed = (uint32_t)integer()};
    config.layers = (uint8_t)(integer() - 1);
    for (uint8_t l = 0; l <= config.layers; l++)
        config.sizes[l] = (uint16_t)integer();
    uint32_t bytes = anp_arena_bytes(&config);
    void *arena = malloc(bytes);
    struct anp_network net;
    if (anp_configure(&net, &config, arena, bytes) != ANP_OK)
        exit(4);
    for (uint32_t i = 0; i < net.at.weights_bytes / 2; i++)
        answer(((int16_t *)(void *)net.at.weights)[i]);
    answer(net.random_state);
    free(arena);
}

static void measured_deviation_of_ring(void)
{
    struct anp_noise noise;
    anp_noise_init(&noise);
    for (int64_t count = integer(); count > 0; count--)
        anp_noise_put(&noise, (uint16_t)integer());
    answer(root_of(squared_deviation(&noise)));
}

static void noise_gain(void)
{
    /* A calibration takes the deviation from noise_std; only multiples of 200/256 can be asked for, so the ring provides it here:
     * half the codes at 0 and half at 2c have deviation 200 c. Deviations in between go through noise_std where one fits. */
    struct anp_noise noise;
    anp_noise_init(&noise);
    uint32_t d = (uint32_t)integer();
    uint16_t sigma = (uint16_t)integer();
    uint32_t noise_std = (d * 256 + ANP_NOISE_BUFFER - 1) / ANP_NOISE_BUFFER;
    if (noise_std <= 65535 && (noise_std * ANP_NOISE_BUFFER) >> 8 == d) {
        anp_noise_calibrate(&noise, sigma, (uint16_t)noise_std);
    } else if (d % ANP_NOISE_BUFFER == 0 && 2 * d / ANP_NOISE_BUFFER <= 65535) {
        for (int i = 0; i < ANP_NOISE_BUFFER; i++)
            anp_noise_put(&noise, (uint16_t)(i % 2 ? 2 * d / ANP_NOISE_BUFFER : 0));
        anp_noise_calibrate(&noise, sigma, 0);
    } else {
        printf("unreachable");
        return;
    }
    answer(noise.gain);
    answer(noise.shift);
}

static void noise_value(void)
{
    struct anp_noise noise = {0};
    struct anp_draw draw = {0, 1, 0};
    noise.ring[0] = (uint16_t)integer();
    noise.total = (uint32_t)integer();
    noise.gain = (uint16_t)integer();
    noise.shift = (int8_t)integer();
    int16_t a = 0;
    anp_noise_draw(&noise, draw, &a, 1, &saturations);
    answer(a);
}

static void norm16(bool want_bits)
{
    int64_t v = integer();
    struct anp_mantissa norm = norm16_wide((uint32_t)(v >> 8), (uint8_t)v);
    answer(want_bits ? norm.bits : norm.mantissa);
}

/* Of the squared deviation and, where the width allows it, of the initial weights' limit. */
static void isqrt(void)
{
    uint64_t v = (uint64_t)integer();
    struct wide halves = {(uint32_t)(v >> 32), (uint32_t)v};
    uint32_t root = root_of(halves);
    if (v <= UINT32_MAX && root != anp_isqrt((uint32_t)v))
        printf("the roots differ: ");
    answer(root);
}

static void global_factor(void)
{
    int64_t dl = integer(), s = integer(), eta = integer();
    struct anp_mantissa eta_mantissa = norm16_wide((uint32_t)(eta >> 8), (uint8_t)eta);
    struct anp_factor factor = anp_global_factor(eta_mantissa, (int32_t)dl, (uint32_t)s);
    answer(factor.mantissa);
    answer(factor.exponent);
}

static void block_exponent(void)
{
    uint8_t h = (uint8_t)integer();
    int8_t e = (int8_t)integer();
    uint32_t before = saturations;
    struct block block = choose_block(h, e, (uint8_t)integer(), &saturations);
    answer(block.s);
    answer(block.k);
    answer(saturations - before);
}

static void row_coefficient(void)
{
    int32_t g = (int32_t)integer(), da = (int32_t)integer();
    uint16_t word = (uint16_t)integer();
    uint8_t k = (uint8_t)integer();
    answer(coefficient((int16_t)g, (int16_t)da, word, k));
}

static void update(uint8_t format)
{
    int64_t w = integer();
    int32_t c = (int32_t)integer();
    int16_t x = (int16_t)integer();
    struct anp_dither dither = {(uint16_t)integer(), 0};
    uint8_t s = (uint8_t)integer();
    int16_t row16[2] = {(int16_t)w, 0};
    int32_t row32[2] = {(int32_t)w, 0};
    if (format == ANP_INT16)
        update_row16(row16, &x, 1, (int16_t)c, s, &dither, &saturations);
    else
        update_row32(row32, &x, 1, (int16_t)c, s, &dither, &saturations);
    answer(format == ANP_INT16 ? row16[0] : row32[0]);
}

static void update_matrix(void)
{
    static struct anp_network net;
    uint16_t values, n;
    struct anp_layer layer = {.matrix = list16(&values)};
    layer.input = list16(&n);
    layer.inputs = n;
    net.config.decorrelation_rate = (uint32_t)integer();
    bool stochastic = integer();
    struct anp_dither dither = {(uint16_t)integer(), stochastic ? 40503 : 0};
    net.at.projection = malloc(sizeof(int32_t) * n);
    anp_update_matrix(&net, &layer, &dither);
    for (uint16_t i = 0; i < values; i++)
        answer(layer.matrix[i]);
    free(layer.matrix);
    free(layer.input);
    free(net.at.projection);
}

static void dither_word(void)
{
    struct anp_dither dither = {(uint16_t)integer(), 40503};
    for (int64_t uses = integer(); uses > 0; uses--)
        anp_dither_next(&dither);
    answer(dither.word);
}

static void draw(void)
{
    struct anp_draw split = anp_draw_split((uint32_t)integer());
    answer(split.position);
    answer(split.stride);
    answer(split.dither);
}

static void input_exponent(void)
{
    uint16_t n;
    int16_t *x = list16(&n);
    answer(step_exponent(x, n));
    free(x);
}

int main(void)
{
    char name[32];
    while (scanf("%31s", name) == 1) {
#define IS(text) (strcmp(name, text) == 0)
        if (IS("sat16"))
            answer(anp_sat16_wide(integer(), &saturations));
        else if (IS("sat32"))
            answer(anp_sat32(integer(), &saturations));
        else if (IS("round")) {
            int64_t v = integer(), s = integer();
            answer(s ? anp_round64(v, (uint8_t)s) : v);
        } else if (IS("bits"))
            norm16(true);
        else if (IS("norm16"))
            norm16(false);
        else if (IS("isqrt"))
            isqrt();
        else if (IS("xorshift32")) {
            uint32_t state = (uint32_t)integer();
            answer(anp_random(&state));
        } else if (IS("draw"))
            draw();
        else if (IS("initial_weights"))
            initial_weights();
        else if (IS("measured_deviation"))
            measured_deviation_of_ring();
        else if (IS("noise_gain"))
            noise_gain();
        else if (IS("noise_value"))
            noise_value();
        else if (IS("pre_activation"))
            pre_activation();
        else if (IS("leaky_relu"))
            answer(anp_leaky_relu((int16_t)integer(), ANP_SLOPE));
        else if (IS("decorrelated"))
            decorrelated();
        else if (IS("exp2neg_table"))
            answer(anp_exp2neg_table[integer()]);
        else if (IS("log2_table"))
            answer(anp_log2_table[integer()]);
        else if (IS("exp2neg"))
            answer(exp2_of_fraction((uint32_t)integer()));
        else if (IS("log2table"))
            answer(log2_of_fraction((uint32_t)integer()));
        else if (IS("squared_loss"))
            loss(false, ANP_SQUARED);
        else if (IS("cross_entropy_loss"))
            loss(false, ANP_CROSS_ENTROPY);
        else if (IS("correct"))
            loss(true, (uint8_t)integer());
        else if (IS("global_factor"))
            global_factor();
        else if (IS("step_exponent"))
            input_exponent();
        else if (IS("block_exponent"))
            block_exponent();
        else if (IS("dither_word"))
            dither_word();
        else if (IS("dith")) {
            uint16_t word = (uint16_t)integer();
            answer(anp_dither_bits(word, (uint8_t)integer()));
        } else if (IS("coefficient"))
            row_coefficient();
        else if (IS("update_int16"))
            update(ANP_INT16);
        else if (IS("update_int32"))
            update(ANP_INT32);
        else if (IS("update_matrix"))
            update_matrix();
        else
            return 2;
        printf("\n");
    }
    return 0;
}
