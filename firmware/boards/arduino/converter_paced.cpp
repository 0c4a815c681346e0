/* Any ADC through analogRead(): the codes that are due by the clock are read when the device asks for them, between training steps.
 * Of several that are due only the last can still be read; the others count as lost, and so does their hole. */
#include "capabilities.h"

#ifdef ADC_PACED

#include <Arduino.h>

#include "converter.h"

#define PERIOD ((uint32_t)(1000000ul / ADC_RATE)) /* us */

static_assert(1000000ul % ADC_RATE == 0, "the clock divides to this rate");

static uint32_t due;                  /* when the next code is due */
static uint32_t lost;

void converter_begin(void)
{
#ifndef ARDUINO_ARCH_MEGAAVR          /* 10 bits always */
    analogReadResolution(ADC_BITS);
#endif
#ifdef ARDUINO_ARCH_ESP32             /* else 11 dB, which sees nothing below about 150 mV */
    analogSetPinAttenuation(ADC_PIN, ADC_0db);
#endif
    due = (uint32_t)micros() + PERIOD;
}

/* It takes the time of codes that are due, which count as lost. */
static uint16_t analog(void *, uint8_t pin)
{
    static const uint8_t pins[] = ANALOG_PINS;
    return (uint16_t)analogRead(pins[pin - 1]);
}

uint16_t (*const converter_analog)(void *context, uint8_t pin) = analog;

uint16_t converter_take(uint16_t *codes, uint16_t most)
{
    uint32_t late = (uint32_t)micros() - due;
    if (most == 0 || (int32_t)late < 0)
        return 0;
    uint32_t missed = late / PERIOD;
    lost += missed;
    due += (missed + 1) * PERIOD;
    codes[0] = (uint16_t)analogRead(ADC_PIN);
    return 1;
}

uint32_t converter_lost(void)
{
    return lost;
}

#endif
