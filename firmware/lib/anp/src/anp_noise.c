/* The noise buffer (shared/numerics.md, sections 2 and 3). */
#include <string.h>

#include "anp_internal.h"

#define MIN_DEVIATION 50          /* a quarter of a code, times 200 */
#define SCALED_BITS 13            /* the deviation is scaled to this bit length: four deviations fit 16 bits with room */

void anp_noise_init(struct anp_noise *noise)
{
    memset(noise, 0, sizeof *noise);
}

#ifndef ANP_HAS_NOISE_PUT_ALL
void anp_noise_put_all(struct anp_noise *noise, const uint16_t *codes, uint8_t count)
{
    uint16_t *at = noise->ring + noise->position;
    uint32_t total = noise->total;
    for (uint8_t left = count; left; left--) {
        total = total - *at + *codes; /* 0 is what a place holds before its first code */
        *at++ = *codes++;
        if (at == noise->ring + ANP_NOISE_BUFFER)
            at = noise->ring;
    }
    noise->total = total;
    noise->position = (uint8_t)(at - noise->ring);
    noise->filled = count < ANP_NOISE_BUFFER - noise->filled ? (uint8_t)(noise->filled + count) : ANP_NOISE_BUFFER;
    noise->received += count;
}
#endif

/* 64 bits: arithmetic with uint64_t is dear on an 8-bit chip. */
struct wide {
    uint32_t high, low;
};

/* sum of (200 c - total)^2 // 200 = 200 sum of (c - mean)^2 - rest^2, exactly, with total = 200 mean + rest. */
static struct wide squared_deviation(const struct anp_noise *noise)
{
    uint16_t mean = (uint16_t)(noise->total / ANP_NOISE_BUFFER);
    uint8_t rest = (uint8_t)(noise->total - mean * (uint32_t)ANP_NOISE_BUFFER);
    uint32_t low = 0;
    uint8_t high = 0;
    const uint16_t *code = noise->ring;
    for (uint8_t left = ANP_NOISE_BUFFER; left; left--, code++) {
        uint16_t distance = (uint16_t)(*code > mean ? *code - mean : mean - *code);
        uint32_t square = (uint32_t)distance * distance;
        low += square;
        high = (uint8_t)(high + (low < square));
    }
    uint32_t bottom = (low & 65535u) * ANP_NOISE_BUFFER, top = (low >> 16) * ANP_NOISE_BUFFER + (bottom >> 16);
    struct wide squares = {high * (uint32_t)ANP_NOISE_BUFFER + (top >> 16), top << 16 | (bottom & 65535u)};
    uint16_t less = (uint16_t)((uint16_t)rest * rest);
    squares.high -= squares.low < less;
    squares.low -= less;
    return squares;
}

/* Of at most 48 bits, two at a time from the highest on. */
static uint32_t root_of(struct wide square)
{
    uint32_t root = 0, rest = 0;
    for (uint8_t left = 64; left; left--) {
        rest = rest << 1 | square.high >> 31;
        square.high = square.high << 1 | square.low >> 31;
        square.low <<= 1;
        if (left & 1) {
            uint32_t trial = root << 2 | 1;
            root <<= 1;
            if (rest >= trial) {
                rest -= trial;
                root |= 1;
            }
        }
    }
    return root;
}

static bool calibrate_by(struct anp_noise *noise, uint16_t sigma, uint32_t d)
{
    noise->deviation = d;
    noise->gain = 0;
    if (d < MIN_DEVIATION)
        return false;
    int8_t shift = (int8_t)(anp_bits32(d) - SCALED_BITS);
    uint32_t scaled = shift > 0 ? d >> shift : d << -shift;
    uint32_t gain = (((uint32_t)sigma << 16) + (scaled >> 1)) / scaled;
    noise->shift = shift;
    noise->gain = (uint16_t)gain;
    return true;
}

bool anp_noise_calibrate(struct anp_noise *noise, uint16_t sigma, uint16_t noise_std)
{
    uint32_t d = noise_std ? ((uint32_t)noise_std * ANP_NOISE_BUFFER) >> 8 : root_of(squared_deviation(noise));
    return calibrate_by(noise, sigma, d);
}

void anp_noise_restore(struct anp_noise *noise, uint16_t sigma, uint32_t deviation, uint8_t position)
{
    anp_noise_init(noise);
    noise->position = position;
    calibrate_by(noise, sigma, deviation);
}

struct anp_draw anp_draw_split(uint32_t random)
{
    static const uint8_t last_digit[4] = {1, 3, 7, 9};
    uint8_t k = (uint8_t)((((random >> 16) & 255u) * 5) >> 4);
    struct anp_draw draw;
    draw.position = (uint8_t)(((random >> 24) * ANP_NOISE_BUFFER) >> 8);
    draw.stride = (uint8_t)(10 * (k >> 2) + last_digit[k & 3]);
    draw.dither = (uint16_t)random;
    return draw;
}

struct anp_mantissa anp_norm16(uint32_t v)
{
    struct anp_mantissa norm = {0, anp_bits32(v)};
    norm.mantissa = (uint16_t)(norm.bits <= 16 ? v << (16 - norm.bits) : v >> (norm.bits - 16));
    return norm;
}
