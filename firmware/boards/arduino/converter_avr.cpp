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

static void select_pin(uint8_t number)
{
#ifdef analogPinToChannel             /* where the channels are not in the pins' order */
    uint8_t channel = analogPinToChannel(number);
#else
    uint8_t channel = number;
#endif
    ADMUX = (uint8_t)(REFERENCE | (channel & 7));
#ifdef MUX5
    ADCSRB = (uint8_t)((channel >> 3) << MUX5); /* free-running; the upper channels */
#else
    ADCSRB = 0;
#endif
}

void converter_begin(void)
{
    select_pin(ADC_PIN - A0);
    ADCSRA = _BV(ADEN) | PRESCALER_128;
#if ADC_REFERENCE != 5000             /* the capacitor at AREF was at the supply; as long as on an Uno */
    delay(25);
#endif
    ADCSRA = _BV(ADEN) | _BV(ADSC) | _BV(ADATE) | _BV(ADIE) | PRESCALER_128;
}

/* Another pin is selected only while no conversion is under way. */
static uint16_t analog(void *, uint8_t pin)
{
    /* The conversion under way is the last of the noise; its code is the interrupt's. */
    ADCSRA = _BV(ADEN) | _BV(ADIE) | PRESCALER_128;
    while (ADCSRA & (_BV(ADSC) | _BV(ADIF)))
        ;
    select_pin(pin);
    ADCSRA = _BV(ADEN) | _BV(ADSC) | PRESCALER_128;
    codes_miss(1);
    while (ADCSRA & _BV(ADSC))
        ;
    uint16_t code = ADC;
    select_pin(ADC_PIN - A0);
    ADCSRA = _BV(ADEN) | _BV(ADSC) | _BV(ADATE) | _BV(ADIF) | _BV(ADIE) | PRESCALER_128;
    return code;
}

uint16_t (*const converter_analog)(void *context, uint8_t pin) = analog;

uint16_t converter_take(uint16_t *codes, uint16_t most)
{
    return codes_take(codes, most);
}

uint32_t converter_lost(void)
{
    return codes_lost();
}

#endif
