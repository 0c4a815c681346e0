/* The ADC of an ATmega, free-running, one interrupt a conversion. */
#include "capabilities.h"

#ifdef ADC_AVR

#include <Arduino.h>

#include "codes.h"
#include "converter.h"

#define PRESCALER_128 (_BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0))

#if ADC_REFERENCE == 5000
#define REFERENCE _BV(REFS0)
#elif ADC_REFERENCE == 1100 && defined(INTERNAL1V1)  /* an ATmega with two internal references */
#define REFERENCE _BV(REFS1)
#elif ADC_REFERENCE == 2560 && defined(INTERNAL2V56)
#define REFERENCE (_BV(REFS1) | _BV(REFS0))
#elif ADC_REFERENCE == 1100
#define REFERENCE (_BV(REFS1) | _BV(REFS0))
#else
#error "ADC_REFERENCE: this chip has 5000 (the supply), 1100, and some 2560 (internal)"
#endif

ISR(ADC_vect)
{
    codes_put(ADC);
}

void converter_begin(void)
{
#ifdef analogPinToChannel             /* where the channels are not in the pins' order */
    uint8_t channel = analogPinToChannel(ADC_PIN - A0);
#else
    uint8_t channel = ADC_PIN - A0;
#endif
    ADMUX = (uint8_t)(REFERENCE | (channel & 7));
#ifdef MUX5
    ADCSRB = (uint8_t)((channel >> 3) << MUX5); /* free-running; the upper channels */
#else
    ADCSRB = 0;
#endif
    ADCSRA = _BV(ADEN) | _BV(ADSC) | _BV(ADATE) | _BV(ADIE) | PRESCALER_128;
}

uint16_t converter_take(uint16_t *codes, uint16_t most)
{
    return codes_take(codes, most);
}

uint32_t converter_lost(void)
{
    return codes_lost();
}

#endif
