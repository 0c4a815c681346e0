/* The formulas of sensors.h. The virtual boards call them for the pins A1 to A7. */
#include "sensors.h"

#include <math.h>

#define TURN 6.283185307179586
#define FIRST_HZ 0.7
#define GOLDEN 1.618033988749895
#define PINS 7

double sensor_part(uint8_t pin, double seconds)
{
    double u = sin(TURN * FIRST_HZ * seconds), v = sin(TURN * FIRST_HZ * GOLDEN * seconds);
    switch (pin) {
    case 1:
        return 0.5 + 0.4 * u;
    case 2:
        return 0.5 + 0.4 * v;
    case 3:
        return 0.5 + 0.2 * u * (1.0 + v);
    default:
        return pin > 3 && pin <= PINS ? (pin - 3) / 5.0 : 0.0;
    }
}

uint16_t sensor_code(uint8_t pin, double seconds, uint8_t bits)
{
    return (uint16_t)ldexp(sensor_part(pin, seconds), bits);
}
