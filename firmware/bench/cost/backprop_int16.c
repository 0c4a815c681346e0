/* Online backpropagation in int16 (Q3.12) with stochastic rounding of the updates, written for the comparison of costs with the care that
 * lib/anp has: shifts by whole bytes, one dither word that advances by 40503, INLINE_MULTIPLICATION on an AVR. Sums have 32 bits. */
#include "rule.h"

#ifdef CROSS_ENTROPY
#include "anp_kernels.h"
#endif

#define ONE 4096
#define SLOPE_BITS 7
#define GOLDEN 40503u

static int16_t weights[WEIGHTS], hidden[HIDDEN], output[OUTPUTS];
static int16_t eta;               /* Q3.12 */
static uint16_t dither;

#if defined INLINE_MULTIPLICATION && defined __AVR__
/* 16 x 16 bits, signed, from four products of bytes. */
static inline __attribute__((always_inline)) int32_t product(int16_t a, int16_t b)
{
    int32_t result;
    uint8_t zero;
    __asm__("clr %1\n\t"
            "muls %B2, %B3\n\t"
            "movw %C0, r0\n\t"
            "mul %A2, %A3\n\t"
            "movw %A0, r0\n\t"
            "mulsu %B2, %A3\n\t"
            "sbc %D0, %1\n\t"
            "add %B0, r0\n\t"
            "adc %C0, r1\n\t"
            "adc %D0, %1\n\t"
            "mulsu %B3, %A2\n\t"
            "sbc %D0, %1\n\t"
            "add %B0, r0\n\t"
            "adc %C0, r1\n\t"
            "adc %D0, %1\n\t"
            "clr r1"
            : "=&r"(result), "=&r"(zero)
            : "a"(a), "a"(b));
    return result;
}
#else
static inline int32_t product(int16_t a, int16_t b)
{
    return (int32_t)a * b;
}
#endif

/* A sum in Q.24 as Q3.12, rounded down and limited. */
static inline int16_t narrow(int32_t sum)
{
    if (sum > 0x7ffffff)
        return 32767;
    if (sum < -0x7ffffff)
        return -32767;
    return (int16_t)((uint32_t)sum << 4 >> 16);
}

/* eta times a gradient as Q.16, limited. */
static inline int16_t coefficient_of(int16_t gradient)
{
    int32_t scaled = product(eta, gradient) >> 8;
    return scaled > 32767 ? 32767 : scaled < -32767 ? -32767 : (int16_t)scaled;
}

static inline int16_t minus(int16_t a, int16_t b)
{
    int16_t result;
    return __builtin_sub_overflow(a, b, &result) ? (a < 0 ? -32767 : 32767) : result;
}

static inline int16_t *update(int16_t *w, int16_t coefficient, const int16_t *x, uint8_t inputs)
{
    for (uint8_t j = 0; j < inputs; j++, w++) {
        dither = (uint16_t)(dither + GOLDEN);
        *w = minus(*w, (int16_t)((product(coefficient, x[j]) + dither) >> 16));
    }
    dither = (uint16_t)(dither + GOLDEN);
    *w = minus(*w, (int16_t)((coefficient >> 4) + (((coefficient & 15) + (dither >> 12)) >> 4)));
    return w + 1;
}

void rule_begin(const value *start, uint32_t rate, uint32_t seed)
{
    for (uint16_t i = 0; i < WEIGHTS; i++)
        weights[i] = start[i];
    eta = (int16_t)((rate + 0x8000) >> 16);
    dither = (uint16_t)seed;
}

void rule_codes(const uint16_t *codes, uint32_t count)
{
    (void)codes;
    (void)count;
}

static void forward(const int16_t *x)
{
    const int16_t *w = weights;
    for (uint8_t i = 0; i < HIDDEN; i++) {
        int32_t sum = 0;
        for (uint8_t j = 0; j < FAN_IN; j++)
            sum += product(*w++, x[j]);
        int16_t a = minus(narrow(sum), (int16_t)-*w++);
        hidden[i] = a < 0 ? (int16_t)(a >> SLOPE_BITS) : a;
    }
    for (uint8_t k = 0; k < OUTPUTS; k++) {
        int32_t sum = 0;
        for (uint8_t i = 0; i < HIDDEN; i++)
            sum += product(*w++, hidden[i]);
        output[k] = minus(narrow(sum), (int16_t)-*w++);
    }
}

/* The outputs become their errors; those of a softmax are computed as lib/anp does it. */
static void subtract(const int16_t *target)
{
#ifdef CROSS_ENTROPY
    static const struct anp_network net = {.config = {.loss = ANP_CROSS_ENTROPY, .layers = 1, .sizes = {1, OUTPUTS}}};
    int16_t error[OUTPUTS];
    uint32_t saturations = 0;
    anp_loss_and_error(&net, output, target, error, &saturations);
    for (uint8_t k = 0; k < OUTPUTS; k++)
        output[k] = error[k];
#else
    for (uint8_t k = 0; k < OUTPUTS; k++)
        output[k] = minus(output[k], target[k]);
#endif
}

void rule_step(const value *x, const value *target)
{
    int32_t back[HIDDEN] = {0};
    forward(x);
    subtract(target);
    int16_t *w = weights + HIDDEN * (FAN_IN + 1);
    for (uint8_t k = 0; k < OUTPUTS; k++) {
        int16_t error = output[k];
        for (uint8_t i = 0; i < HIDDEN; i++)
            back[i] += product(w[i], error);
        w = update(w, coefficient_of(error), hidden, HIDDEN);
    }
    w = weights;
    for (uint8_t i = 0; i < HIDDEN; i++) {
        int16_t gradient = narrow(back[i]);
        w = update(w, coefficient_of(hidden[i] < 0 ? (int16_t)(gradient >> SLOPE_BITS) : gradient), x, FAN_IN);
    }
}

void rule_predict(const value *x, value *y)
{
    forward(x);
    for (uint8_t k = 0; k < OUTPUTS; k++)
        y[k] = output[k];
}

const value *rule_weights(void)
{
    return weights;
}
