/* The ADC. The simulated board has none: its codes come from the virtual sMTJ, a program on the computer that simulates the chip,
 * through a file that semihosting reads; the chip decides when they are due. */
#ifndef ADC_H
#define ADC_H

#include <stdint.h>

/* As on the paper's board, an Arduino Uno R4: 14 bits at 40 kHz against its supply of 5 V. A code is 0.31 mV, so the 12 mV between
 * the levels of the paper's recording are 39 codes, and the observation noise of 1 mV is 3 codes. */
#define ADC_BITS 14
#define ADC_RATE 40000            /* Hz */
#define ADC_REFERENCE 5000        /* mV */

/* With codes_per_step the clock is virtual: codes are due only when adc_step() is called. With 0 they are due by the board's
 * clock. */
void adc_init(const char *file, uint32_t codes_per_step);
void adc_close(void);

/* Lets the codes of one training step arrive. */
void adc_step(void);

uint16_t adc_read(uint16_t *codes, uint16_t most);

/* Codes that were due and that nobody took in time, mod 2^32. */
uint32_t adc_lost(void);

/* The board's clock in microseconds, mod 2^32. In real time it must be read every 170 s. */
uint32_t adc_micros(void);

#endif
