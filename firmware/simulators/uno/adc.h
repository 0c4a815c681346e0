/* The ATmega328P's ADC with the virtual sMTJ at pin A0 and virtual sensors at the others: single conversions and free running. simavr's own takes integer millivolts,
 * scales them by 1,023 and restarts a cycle late. Source: Atmel DS40002061, chapter 23. */
#ifndef ADC_H
#define ADC_H

#include <simavr/avr_adc.h>
#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#include "smtj.h"

/* What a pin carries in place of its sensor: a voltage in mV for each moment, from the start on. */
struct adc_script {
    uint8_t pin;                  /* 1 .. 7 */
    const float *millivolts;
    uint32_t count;               /* 0: no script; the last one stays */
    double per_second;
};

struct adc {
    avr_t *avr;
    avr_adc_t *vectors;
    struct smtj source;           /* at A0 */
    struct adc_script script;
    avr_cycle_count_t sampled;    /* up to when the source's time has run */
    avr_cycle_count_t enabled;    /* since when the prescaler counts */
    uint8_t admux;                /* as it was when the conversion began */
    bool first;                   /* the next conversion is the first since ADEN */
    bool converting;
    bool locked;                  /* ADCL was read and ADCH was not */
};

/* The caller has initialised the source. */
void adc_init(struct adc *adc, avr_t *avr);
void adc_reset(struct adc *adc);

#endif
