/* The ADC: free-running on pin A0, its interrupt fills a FIFO that the program empties between training steps. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdbool.h>
#include <stdint.h>

/* The reference needs this long from now on until it stands: the Uno's capacitor of 100 nF at AREF charges over 32 kOhm, and seven time
 * constants bring it within a code. */
#define CONVERTER_SETTLES_MICROS 25000ul

/* Switches reference and ADC on. */
void converter_init(void);

/* From here on codes count. The one under way is the first, so that none spans the time before. */
void converter_start(void);

/* The converter's callbacks of struct board. */
bool converter_few(void *context);
uint16_t converter_read(void *context, uint16_t *codes, uint16_t most);
uint32_t converter_lost(void *context);

/* The same: the code of A1 .. A7 (6 and 7 are not on every package). Takes up to 30 clocks of the ADC, 240 us at 125 kHz, during which
 * one code of the noise is lost, and after which more are until those that came before were taken. */
uint16_t converter_analog(void *context, uint8_t pin);

#endif
