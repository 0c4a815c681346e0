/* The board's analog-to-digital converter at ADC_PIN: starts with the board and runs forever, ADC_RATE codes per second. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdint.h>

void converter_begin(void);

/* adc_read() and adc_lost() of struct board. */
uint16_t converter_take(uint16_t *codes, uint16_t most);
uint32_t converter_lost(void);

/* analog() of struct board. NULL: this converter reads no pin but its own. */
extern uint16_t (*const converter_analog)(void *context, uint8_t pin);

#endif
