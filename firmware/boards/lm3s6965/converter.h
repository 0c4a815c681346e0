/* The converter at input ADC0, where the noise is. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdint.h>

#define CONVERTER_BITS 10
#define CONVERTER_RATE 40000u     /* codes per second */
#define CONVERTER_REFERENCE 3000  /* mV at full scale, internal */

void converter_begin(void);

/* As adc_read and adc_lost of board.h; the context is not used. */
uint16_t converter_take(void *context, uint16_t *codes, uint16_t most);
uint32_t converter_lost(void *context);

/* For the vector table. */
void converter_interrupt(void);

#endif
