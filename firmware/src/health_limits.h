/* Limits of the noise tests by the ADC's rate, for the paper's junction: 3,530 switches per second, both states alike. From the exact count
 * distributions of the two-state Markov chain at false alarms of 2^-40 a test: mtjlearn.noise.health computes them, a test compares. */
#ifndef HEALTH_LIMITS_H
#define HEALTH_LIMITS_H

#include <stdint.h>

#include "flash.h"

struct health_row {
    uint32_t adc_rate;            /* codes per second, at most */
    uint16_t repetitions;
    uint16_t window;
    uint16_t ones_min;            /* ones_max is as far from the window's end */
    uint16_t switches_min;
};

#define HEALTH_ROWS 8

static const WIRE_FLASH struct health_row health_rows[HEALTH_ROWS] = {
    {4808, 59, 1024, 371, 287},
    {9615, 94, 1024, 325, 172},
    {19231, 168, 2048, 656, 206},
    {38462, 318, 4096, 1315, 226},
    {40000, 330, 4096, 1301, 216},
    {76924, 620, 8192, 2631, 236},
    {100000, 801, 8192, 2434, 171},
    {1000000, 7870, 32768, 6229, 48},
};

#endif
