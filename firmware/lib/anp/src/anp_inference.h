/* Predictions of a network that was trained before and stays as it is: `mtjlearn export` writes it as a header, with its weights in flash,
 * and includes this file. It needs nothing else, of this library or of another: neither the learner nor a heap nor an operating system.
 *
 * Arithmetic: clean passes of shared/numerics.md, section 4, so that outputs equal those of a board that learns, bit for bit. Features
 * are scaled in single precision, in steps that every machine rounds alike. Functions are static: a program has those that it calls. */
#ifndef ANP_INFERENCE_H
#define ANP_INFERENCE_H

#include <stdint.h>

/* Where weights and scaling are. An AVR reads its flash with instructions of their own. */
#ifdef __AVR__
#include <avr/pgmspace.h>
#define ANP_IN_FLASH PROGMEM
static inline int16_t anp_flash_int16(const int16_t *place) { return (int16_t)pgm_read_word(place); }
static inline float anp_flash_float(const float *place) { return pgm_read_float(place); }
#else
#define ANP_IN_FLASH
static inline int16_t anp_flash_int16(const int16_t *place) { return *place; }
static inline float anp_flash_float(const float *place) { return *place; }
#endif

#if defined __AVR_HAVE_MUL__ && defined __AVR_HAVE_LPMX__ && !defined ANP_PORTABLE
/* sat16((begin + the products of a row in flash with x) >> bits), bits 9 to 15, n at least 1. The sum has 48 bits in two parts; 43 cycles
 * for each product. What the four multiplications do not need is in lower registers, and nothing is inlined around it, so that the
 * compiler finds registers whatever its options are. */
__attribute__((noinline, unused)) static int16_t anp_dot(const int16_t *row, const int16_t *x, uint16_t n, int32_t begin, uint8_t bits)
{
    uint16_t low = (uint16_t)begin, product;
    int32_t high = begin >> 16, limit = (int32_t)1 << (bits - 1);
    uint8_t x_low, x_high, w_low, w_high, sign;
    __asm__ volatile("1: ld %[x_low], %a[x]+\n\t"
                     "ld %[x_high], %a[x]+\n\t"
                     "lpm %[w_low], %a[row]+\n\t"
                     "lpm %[w_high], %a[row]+\n\t"
                     "mul %[w_low], %[x_low]\n\t"
                     "movw %[product], r0\n\t"
                     "muls %[w_high], %[x_high]\n\t"
                     "sbc %[sign], %[sign]\n\t"
                     "add %A[low], %A[product]\n\t"
                     "adc %B[low], %B[product]\n\t"
                     "adc %A[high], r0\n\t"
                     "adc %B[high], r1\n\t"
                     "adc %C[high], %[sign]\n\t"
                     "adc %D[high], %[sign]\n\t"
                     "mulsu %[w_high], %[x_low]\n\t"
                     "sbc %[sign], %[sign]\n\t"
                     "add %B[low], r0\n\t"
                     "adc %A[high], r1\n\t"
                     "adc %B[high], %[sign]\n\t"
                     "adc %C[high], %[sign]\n\t"
                     "adc %D[high], %[sign]\n\t"
                     "mulsu %[x_high], %[w_low]\n\t"
                     "sbc %[sign], %[sign]\n\t"
                     "add %B[low], r0\n\t"
                     "adc %A[high], r1\n\t"
                     "adc %B[high], %[sign]\n\t"
                     "adc %C[high], %[sign]\n\t"
                     "adc %D[high], %[sign]\n\t"
                     "sbiw %[n], 1\n\t"
                     "brne 1b\n\t"
                     "clr r1"
                     : [x] "+x"(x), [row] "+z"(row), [n] "+w"(n), [low] "+l"(low), [high] "+l"(high), [product] "=&l"(product),
                       [x_low] "=&a"(x_low), [x_high] "=&a"(x_high), [w_low] "=&a"(w_low), [w_high] "=&a"(w_high), [sign] "=&l"(sign)
                     :
                     : "r0", "memory");
    if (high >= limit)
        return 32767;
    int16_t value = high < -limit ? INT16_MIN : (int16_t)((uint16_t)high << (16 - bits) | low >> bits);
    return value == INT16_MIN ? -32767 : value;
}
#else
static inline int16_t anp_dot(const int16_t *row, const int16_t *x, uint16_t n, int32_t begin, uint8_t bits)
{
    int64_t sum = begin;
    for (uint16_t j = 0; j < n; j++)
        sum += (int32_t)anp_flash_int16(row + j) * x[j];
    sum >>= bits;
    return (int16_t)(sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum);
}
#endif

/* z of the units of a layer; each row in flash has `inputs` weights and the bias. */
static inline void anp_layer(const int16_t *rows, const int16_t *x, uint16_t inputs, int16_t *z, uint16_t units)
{
    for (uint16_t i = 0; i < units; i++, rows += inputs + 1)
        z[i] = anp_dot(rows, x, inputs, ((int32_t)1 << 11) + anp_flash_int16(rows + inputs) * (int32_t)4096, 12);
}

/* xbar = R x of a layer's n inputs; the matrix is in flash. */
static inline void anp_decorrelated(const int16_t *matrix, const int16_t *x, uint16_t n, int16_t *xbar)
{
    for (uint16_t i = 0; i < n; i++, matrix += n)
        xbar[i] = anp_dot(matrix, x, n, (int32_t)1 << 13, 14);
}

/* Hidden units: the leaky ReLU, slope 2^-shift. */
static inline void anp_leaky(int16_t *z, uint16_t units, uint8_t shift)
{
    for (uint16_t i = 0; i < units; i++)
        if (z[i] < 0)
            z[i] = (int16_t)-(-z[i] >> shift);
}

/* The same with the slope 1/128, which headers of earlier versions call. */
static inline void anp_rectify(int16_t *z, uint16_t units) { anp_leaky(z, units, 7); }

/* Features as the network reads them: in standard deviations, times 4096, -32767 .. 32767. Means and factors are in flash; a factor of 0
 * stands for an input that was always the same. */
static inline void anp_scale(const float *features, const float *mean, const float *factor, int16_t *x, uint16_t inputs)
{
    for (uint16_t i = 0; i < inputs; i++) {
        /* Volatile: each is rounded by itself, so that every machine finds the same. */
        volatile float distance = features[i] - anp_flash_float(mean + i);
        volatile float product = distance * anp_flash_float(factor + i);
        float value = product;
        if (anp_flash_float(factor + i) == 0.0f)
            x[i] = 0;
        else if (!(value < 32767.0f))
            x[i] = 32767;
        else if (!(value > -32767.0f))
            x[i] = -32767;
        else
            x[i] = (int16_t)(value < 0.0f ? value - 0.5f : value + 0.5f);
    }
}

/* Which of the outputs is the largest, the first of several: the class. */
static inline int anp_largest(const int16_t *outputs, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (outputs[i] > outputs[best])
            best = i;
    return best;
}

#endif
