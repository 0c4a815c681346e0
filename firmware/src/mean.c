/* A sum in two halves, and its division. Telemetry, trainings and their curve call it. */
#include "mean.h"

#include <stdbool.h>

/* A build for a small chip has these two and health_follow() in assembly. */
#ifndef DEVICE_OWN_ARITHMETIC
void mean_add(struct mean *sum, uint32_t value)
{
    sum->low += value;
    if (sum->low < value)
        sum->high++;
}

/* Bit by bit, as the library's 64-bit division costs more code than the time is worth. */
uint32_t mean_of(const struct mean *sum, uint32_t count)
{
    uint32_t high = sum->high, low = sum->low;
    if (count == 0)
        return 0;
    if (high >= count)
        return UINT32_MAX;
    /* Powers of two are taken off by shifts: an epoch of 4 samples ends often. */
    for (; (count & 1) == 0; count >>= 1) {
        low = low >> 1 | high << 31;
        high >>= 1;
    }
    if (count == 1)
        return low;
    for (uint8_t bit = 0; bit < 32; bit++) {
        bool carry = (high & 0x80000000u) != 0;
        high <<= 1;
        if (low & 0x80000000u)
            high |= 1;
        low <<= 1;
        if (carry || high >= count) {
            high -= count;
            low |= 1;
        }
    }
    return low;
}
#endif
