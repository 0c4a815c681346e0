/* Registers, timing and quantisation of the ADC. chip.c connects it to simavr. */
#include "adc.h"

#include <stdio.h>

#include "atmega328p.h"
#include "module.h"
#include "sensors.h"

#define SUPPLY_MV 5000.0
#define BANDGAP_MV 1100.0
#define FIRST_CLOCKS 25u          /* of the ADC: a conversion, the first one after the ADC was switched on, */
#define NEXT_CLOCKS 13u           /* and the ones after */
#define HOLD_HALF_CLOCKS 23u      /* the input is sampled so long before the end of a conversion */
#define FULL_SCALE 1024
#define PIN_CHANNELS 8
#define BANDGAP_CHANNEL 14

static unsigned clock_cycles(const struct adc *adc)
{
    unsigned shift = adc->avr->data[ADCSRA] & ADPS;
    return 1u << (shift ? shift : 1u);
}

static double reference(const struct adc *adc)
{
    switch (adc->admux >> REFS_SHIFT) {
    case 1:
        return SUPPLY_MV;
    case 3:
        return BANDGAP_MV;
    default:
        return 0.0;               /* nothing is connected to AREF */
    }
}

static double scripted(const struct adc_script *script, double seconds)
{
    double moment = seconds * script->per_second;
    return (double)script->millivolts[moment < script->count ? (uint32_t)moment : script->count - 1];
}

static double pin_voltage(struct adc *adc, avr_cycle_count_t when)
{
    smtj_wait(&adc->source, (double)(when - adc->sampled) / CLOCK_HZ);
    adc->sampled = when;
    adc->source.full_scale = reference(adc);
    unsigned channel = adc->admux & ADC_MUX;
    if (channel == 0)
        return smtj_voltage(&adc->source);
    if (adc->script.count && channel == adc->script.pin)
        return scripted(&adc->script, (double)when / CLOCK_HZ);
    if (channel < PIN_CHANNELS)
        return sensor_part((uint8_t)channel, (double)when / CLOCK_HZ) * reference(adc);
    return channel == BANDGAP_CHANNEL ? BANDGAP_MV : 0.0;
}

static unsigned quantise(double millivolts, double full_scale)
{
    if (millivolts <= 0.0)
        return 0;
    if (millivolts >= full_scale)
        return FULL_SCALE - 1;
    return (unsigned)(millivolts * FULL_SCALE / full_scale);
}

static avr_cycle_count_t on_converted(avr_t *avr, avr_cycle_count_t when, void *context);

static void begin(struct adc *adc, avr_cycle_count_t start)
{
    unsigned clocks = adc->first ? FIRST_CLOCKS : NEXT_CLOCKS;
    adc->first = false;
    adc->converting = true;
    adc->admux = adc->avr->data[ADMUX];
    avr_cycle_count_t end = start + clocks * clock_cycles(adc);
    avr_cycle_timer_register(adc->avr, end - adc->avr->cycle, on_converted, adc);
}

static avr_cycle_count_t on_converted(avr_t *avr, avr_cycle_count_t when, void *context)
{
    struct adc *adc = context;
    uint8_t *data = avr->data;
    unsigned code = quantise(pin_voltage(adc, when - HOLD_HALF_CLOCKS * clock_cycles(adc) / 2), reference(adc));
    if (!adc->locked) {
        code <<= adc->admux & ADLAR ? 6 : 0;
        data[ADCL] = (uint8_t)code;
        data[ADCH] = (uint8_t)(code >> 8);
    }
    avr_raise_interrupt(avr, &adc->vectors->adc);
    adc->converting = false;
    if (!(data[ADCSRA] & ADATE)) {
        data[ADCSRA] = (uint8_t)(data[ADCSRA] & ~ADSC);
        return 0;
    }
    adc->converting = true;
    adc->admux = data[ADMUX];
    return when + NEXT_CLOCKS * clock_cycles(adc);
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    struct adc *adc = context;
    uint8_t old = avr->data[address];
    if (value & ADIF)
        avr_clear_interrupt(avr, &adc->vectors->adc);
    unsigned flag = value & ADIF ? 0 : old & ADIF;
    unsigned running = adc->converting ? ADSC : 0;
    avr->data[address] = (uint8_t)((value & ~ADIF) | flag | running);
    if (!(value & ADEN)) {
        avr_cycle_timer_cancel(avr, on_converted, adc);
        adc->converting = false;
        avr->data[address] = (uint8_t)(avr->data[address] & ~ADSC);
        return;
    }
    if (!(old & ADEN)) {
        adc->first = true;
        adc->enabled = avr->cycle;
    }
    if ((value & ADSC) && !adc->converting) {
        /* A conversion begins with an edge of the ADC's clock. */
        avr_cycle_count_t clock = clock_cycles(adc), phase = (avr->cycle - adc->enabled) % clock;
        begin(adc, avr->cycle + (phase ? clock - phase : 0));
    }
    if (flag)
        avr_raise_interrupt(avr, &adc->vectors->adc);
}

static void write_trigger(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    (void)context;
    if (value & ADTS)
        fprintf(stderr, "mtjlearn-uno-sim: ADC trigger source %u is not simulated; the ADC runs freely\n", value & ADTS);
    avr->data[address] = value;
}

static uint8_t read_low(avr_t *avr, avr_io_addr_t address, void *context)
{
    ((struct adc *)context)->locked = true;
    return avr->data[address];
}

static uint8_t read_high(avr_t *avr, avr_io_addr_t address, void *context)
{
    ((struct adc *)context)->locked = false;
    return avr->data[address];
}

void adc_reset(struct adc *adc)
{
    adc->converting = adc->locked = false;
}

void adc_init(struct adc *adc, avr_t *avr)
{
    adc->avr = avr;
    adc->vectors = module_replace(avr, "adc");
    adc->sampled = 0;
    module_claim(avr, ADCL, read_low, NULL, adc);
    module_claim(avr, ADCH, read_high, NULL, adc);
    module_claim(avr, ADCSRA, NULL, write_control, adc);
    module_claim(avr, ADCSRB, NULL, write_trigger, adc);
    module_claim(avr, ADMUX, NULL, NULL, NULL);
}
