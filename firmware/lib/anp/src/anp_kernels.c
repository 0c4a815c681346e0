/* The kernels in portable C. */
#include "anp_kernels.h"

#include "anp_internal.h"

#ifndef ANP_HAS_NOISE_DRAW
/* sat16 of v * 2^k, which can need 33 bits: v is compared before the multiplication. */
static int16_t scale_up(int32_t v, uint8_t k, uint32_t *saturations)
{
    int32_t limit = ANP_INT16_MAX >> k;
    if (v > limit || v < -limit) {
        ++*saturations;
        return v > 0 ? ANP_INT16_MAX : -ANP_INT16_MAX;
    }
    return (int16_t)(v * ((int32_t)1 << k));
}

void anp_noise_draw(const struct anp_noise *noise, struct anp_draw *draw, bool negate, const int16_t *z, int16_t *a, uint16_t count,
                    uint32_t *saturations)
{
    uint32_t counted_before = 0;
    uint32_t *value_saturations = negate ? &counted_before : saturations;
    for (uint16_t i = 0; i < count; i++) {
        int32_t v = (int32_t)(ANP_NOISE_BUFFER * (uint32_t)noise->ring[draw->position]) - (int32_t)noise->total;
        uint16_t next = (uint16_t)(draw->position + draw->stride);
        draw->position = (uint8_t)(next >= ANP_NOISE_BUFFER ? next - ANP_NOISE_BUFFER : next);
        int16_t scaled = noise->shift > 0 ? anp_sat16(v >> noise->shift, value_saturations)
                                          : scale_up(v, (uint8_t)-noise->shift, value_saturations);
        int32_t n = anp_round32((int32_t)scaled * (int32_t)noise->gain, 16);
        a[i] = anp_sat16(z[i] + (negate ? -n : n), saturations);
    }
}
#endif

#ifndef ANP_HAS_PRODUCTS16
void anp_products16(const int16_t *rows, uint16_t units, uint16_t n, const int16_t *x, int16_t *z, uint32_t *saturations)
{
    for (uint16_t i = 0; i < units; i++, rows += n + 1u) {
        int64_t acc = rows[n] * (int32_t)ANP_ONE;
        for (uint16_t j = 0; j < n; j++)
            acc += (int32_t)rows[j] * x[j];
        z[i] = anp_sat16_wide(anp_round64(acc, ANP_FRACTION_BITS), saturations);
    }
}
#endif

#ifndef ANP_HAS_PRODUCTS32
void anp_products32(const int32_t *rows, uint16_t units, uint16_t n, const int16_t *x, int16_t *z, uint32_t *saturations)
{
    for (uint16_t i = 0; i < units; i++, rows += n + 1u) {
        int64_t acc = (rows[n] >> 16) * (int32_t)ANP_ONE;
        for (uint16_t j = 0; j < n; j++)
            acc += (rows[j] >> 16) * x[j];
        z[i] = anp_sat16_wide(anp_round64(acc, ANP_FRACTION_BITS), saturations);
    }
}
#endif

#ifndef ANP_HAS_DECORRELATE
void anp_decorrelate(const int16_t *matrix, uint16_t n, const int16_t *x, int16_t *xbar, uint32_t *saturations)
{
    for (uint16_t i = 0; i < n; i++, matrix += n) {
        int64_t acc = 0;
        for (uint16_t j = 0; j < n; j++)
            acc += (int32_t)matrix[j] * x[j];
        xbar[i] = anp_sat16_wide(anp_round64(acc, ANP_MATRIX_BITS), saturations);
    }
}
#endif

#ifndef ANP_HAS_QUOTIENT
uint16_t anp_quotient(uint32_t dividend, uint16_t divisor)
{
    return (uint16_t)(dividend / divisor);
}
#endif

#ifndef ANP_HAS_STEP_EXPONENT
uint8_t anp_step_exponent(const int16_t *x, uint16_t n)
{
    /* The sum can need 41 bits. */
    uint32_t low = ((uint32_t)1 << (2 * ANP_FRACTION_BITS)) - 1;
    uint16_t high = 0;
    for (uint16_t j = 0; j < n; j++) {
        uint32_t square = (uint32_t)((int32_t)x[j] * x[j]);
        low += square;
        high = (uint16_t)(high + (low < square));
    }
    return (uint8_t)((high ? 32 + anp_bits32(high) : anp_bits32(low)) - 2 * ANP_FRACTION_BITS);
}
#endif

#ifndef ANP_HAS_COEFFICIENT
int16_t anp_coefficient(int16_t mantissa, int16_t difference, uint16_t word, uint8_t k)
{
    return (int16_t)(((int32_t)mantissa * difference + anp_dither_bits(word, k)) >> k);
}
#endif

#ifndef ANP_HAS_UPDATE_ROW16
void anp_update_row16(int16_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                      uint32_t *saturations)
{
    for (uint16_t j = 0; j <= n; j++) {
        int32_t product = (int32_t)c * (j < n ? x[j] : ANP_ONE);
        row[j] = anp_sat16(row[j] + ((product + anp_dither_bits(anp_dither_next(dither), s)) >> s), saturations);
    }
}
#endif

#ifndef ANP_HAS_UPDATE_ROW32
void anp_update_row32(int32_t *row, const int16_t *x, uint16_t n, int16_t c, uint8_t s, struct anp_dither *dither,
                      uint32_t *saturations)
{
    /* With 28 fraction bits only s = 24 has anything to round. */
    for (uint16_t j = 0; j <= n; j++) {
        int32_t product = (int32_t)c * (j < n ? x[j] : ANP_ONE);
        uint16_t word = anp_dither_next(dither);
        int64_t step = s == 24 ? (product + anp_dither_bits(word, 8)) >> 8 : (int64_t)product * (1 << (16 - s));
        row[j] = anp_sat32(row[j] + step, saturations);
    }
}
#endif

#ifndef ANP_HAS_PROJECT
void anp_project(const int16_t *matrix, uint16_t n, const int16_t *xbar, int32_t *u)
{
    for (uint16_t j = 0; j < n; j++) {
        int64_t acc = 0;
        for (uint16_t i = 0; i < n; i++)
            acc += (int32_t)matrix[(uint32_t)i * n + j] * xbar[i];
        u[j] = (int32_t)anp_round64(acc, ANP_MATRIX_BITS);
    }
}
#endif

#ifndef ANP_HAS_UPDATE_MATRIX_ROW
void anp_update_matrix_row(int16_t *row, const int32_t *u, uint16_t n, int16_t xbar, int32_t c, struct anp_dither *dither,
                           uint32_t *saturations)
{
    for (uint16_t j = 0; j < n; j++) {
        int32_t t = anp_sat16(u[j] - anp_round32((int32_t)xbar * row[j], ANP_MATRIX_BITS), saturations);
        row[j] = anp_sat16(row[j] + ((c * t + anp_dither_bits(anp_dither_next(dither), 16)) >> 16), saturations);
    }
}
#endif
