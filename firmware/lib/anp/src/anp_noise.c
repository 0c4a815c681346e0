/* The noise buffer (shared/numerics.md, sections 2 and 3). */
#include <string.h>

#include "anp_internal.h"

#define MIN_DEVIATION 50          /* a quarter of a code, times 200 */
#define SCALED_BITS 13            /* the deviation is scaled to this bit length: four deviations fit 16 bits with room */

void anp_noise_init(struct anp_noise *noise)
{
    memset(noise, 0, sizeof *noise);
}

void anp_noise_put(struct anp_noise *noise, uint16_t code)
{
    if (noise->filled < ANP_NOISE_BUFFER)
        noise->filled++;
    else
        noise->total -= noise->ring[noise->position];
    noise->total += code;
    noise->ring[noise->position] = code;
    noise->position = (uint8_t)(noise->position + 1 == ANP_NOISE_BUFFER ? 0 : noise->position + 1);
    noise->received++;
}

static uint32_t measured_deviation(const struct anp_noise *noise)
{
    uint64_t squares = 0;
    for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++) {
        int64_t v = (int32_t)(ANP_NOISE_BUFFER * (uint32_t)noise->ring[i]) - (int32_t)noise->total;
        squares += (uint64_t)(v * v);
    }
    return anp_isqrt(squares / ANP_NOISE_BUFFER);
}

bool anp_noise_calibrate(struct anp_noise *noise, uint16_t sigma, uint16_t noise_std)
{
    uint32_t d = noise_std ? ((uint32_t)noise_std * ANP_NOISE_BUFFER) >> 8 : measured_deviation(noise);
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
