/* A clock in microseconds: timer 1 at 2 MHz, with an interrupt every 32.8 ms. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

void clock_init(void);

/* A callback of struct board. Resolution 0.5 us, mod 2^32. */
uint32_t clock_micros(void *context);

#endif
