/* The chip's clock, and the time since the start. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* From the crystal to CLOCK_HZ; first of all. */
void clock_begin(void);

/* As micros of board.h; the context is not used. */
uint32_t clock_micros(void *context);

/* For the vector table. */
void clock_interrupt(void);

#endif
