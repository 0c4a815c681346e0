/* The 12-bit ADC of an RP2040, free-running at a divided clock into its FIFO of four codes, which interrupts at the first: three more
 * conversions, 75 us, may pass before a code is lost. */
#include "capabilities.h"

#ifdef ADC_RP2040

#include <Arduino.h>
#include <hardware/adc.h>
#include <hardware/irq.h>
#include <hardware/timer.h>

#include "codes.h"
#include "converter.h"

#define ADC_CLOCK 48000000
#define PERIOD (1000000 / ADC_RATE)   /* us; ADC and timer run from the same crystal */

static_assert(ADC_CLOCK % ADC_RATE == 0 && 1000000 % ADC_RATE == 0, "the clocks divide to this rate");

static uint32_t next;                 /* when the next code is due, by the microsecond timer */

static void fifo_fills(void)
{
    while (!adc_fifo_is_empty()) {
        codes_put(adc_fifo_get());
        next += PERIOD;
    }
    if (adc_hw->fcs & ADC_FCS_OVER_BITS) {
        adc_hw->fcs = adc_hw->fcs | ADC_FCS_OVER_BITS; /* a one clears it */
        uint32_t late = time_us_32() - next;
        uint32_t missed = (int32_t)late < PERIOD ? 1 : late / PERIOD;
        codes_miss(missed);
        next += missed * PERIOD;
    }
}

void converter_begin(void)
{
    adc_init();
    adc_gpio_init(ADC_PIN);
    adc_select_input(ADC_PIN - A0);
    adc_fifo_setup(true, false, 1, false, false);
    adc_set_clkdiv(ADC_CLOCK / ADC_RATE - 1);
    irq_set_exclusive_handler(ADC_IRQ_FIFO, fifo_fills);
    adc_irq_set_enabled(true);
    irq_set_enabled(ADC_IRQ_FIFO, true);
    next = time_us_32() + PERIOD;
    adc_run(true);
}

uint16_t (*const converter_analog)(void *context, uint8_t pin) = nullptr;

uint16_t converter_take(uint16_t *codes, uint16_t most)
{
    return codes_take(codes, most);
}

uint32_t converter_lost(void)
{
    return codes_lost();
}

#endif
