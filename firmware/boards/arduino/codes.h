/* ADC codes on their way from an interrupt to the device, in order. When they are not taken in time the newest are dropped, and more
 * are only let in once all before the hole have been taken: so a hole always lies between two calls of codes_take(). */
#ifndef CODES_H
#define CODES_H

#include <stdint.h>

/* From the interrupt. */
void codes_put(uint16_t code);
/* From the interrupt: this many codes were converted after the last one put, and lost. */
void codes_miss(uint32_t count);

/* Takes up to `most` codes, oldest first. */
uint16_t codes_take(uint16_t *codes, uint16_t most);
/* Codes lost before the next one that codes_take() returns, since the start, mod 2^32. */
uint32_t codes_lost(void);

#endif
