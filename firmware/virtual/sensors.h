/* Voltages at a virtual board's other analog pins, for live tasks: smooth, and the same in every run.
 *
 *     u = sin(2 pi 0.7 Hz t), v = sin(2 pi 1.133 Hz t); the frequencies' ratio is the golden one, so that the two never repeat together
 *     A1 = 1/2 + 2/5 u        A2 = 1/2 + 2/5 v
 *     A3 = 1/2 + 1/5 u (1 + v), which is to be learned from the two; of its variance a linear function explains two thirds
 *     A4, A5, A6, A7 = 1/5, 2/5, 3/5, 4/5
 */
#ifndef SENSORS_H
#define SENSORS_H

#include <stdint.h>

#define SENSORS_HELP \
    "Pins A1 .. A7 carry parts of the reference: 1/2 + 2/5 u, 1/2 + 2/5 v, 1/2 + 1/5 u (1 + v), 1/5, 2/5, 3/5, 4/5,\n" \
    "where u and v are sines of 0.7 Hz and 1.133 Hz.\n"

/* What pin 1 .. 7 carries this many seconds after the start, as a part of the converter's full scale; 0 of any other pin. */
double sensor_part(uint8_t pin, double seconds);

/* The same as a code of this many bits. */
uint16_t sensor_code(uint8_t pin, double seconds, uint8_t bits);

#endif
