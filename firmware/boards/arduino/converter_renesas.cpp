/* The 14-bit ADC of an Uno R4 (RA4M1). A timer starts every conversion through the event link controller, without the processor and
 * so without jitter; the end of a conversion interrupts for some sixty instructions, of the 1,200 cycles between two. */
#include "capabilities.h"

#ifdef ADC_RENESAS

#include <Arduino.h>
#include <FspTimer.h>
#include <IRQManager.h>

#include "codes.h"
#include "converter.h"

#define PRIORITY 4                    /* above USB and UART (12) and the millisecond clock (8) */
#define CYCLES (F_CPU / ADC_RATE)     /* from one conversion to the next */

static FspTimer timer;
static adc_instance_ctrl_t adc;
static GenericIrqCfg_t conversion_end = {FSP_INVALID_VECTOR, PRIORITY, ELC_EVENT_ADC0_SCAN_END};
static const volatile uint16_t *result;
static uint32_t due;                  /* when the next conversion ends, by the cycle counter; 0: not known yet */

static void end_of_conversion(void)
{
    R_ICU->IELSR_b[conversion_end.irq].IR = 0;
    uint16_t code = *result;
    uint32_t now = DWT->CYCCNT;
    if (due == 0)
        due = now;
    /* A result stays until the next conversion ends: a later interrupt finds the code of a later conversion. */
    uint32_t late = now - due;
    if ((int32_t)late >= (int32_t)CYCLES) {
        uint32_t missed = late / CYCLES;
        codes_miss(missed);
        due += missed * CYCLES;
    }
    due += CYCLES;
    codes_put(code);
}

static void start_adc(uint8_t channel)
{
    static adc_extended_cfg_t extended;
    extended.add_average_count = ADC_ADD_OFF;
    extended.clearing = ADC_CLEAR_AFTER_READ_OFF;
    extended.trigger_group_b = ADC_TRIGGER_SYNC_ELC;
    extended.double_trigger_mode = ADC_DOUBLE_TRIGGER_DISABLED;
    extended.adc_vref_control = ADC_VREF_CONTROL_AVCC0_AVSS0;
    extended.window_a_irq = extended.window_b_irq = FSP_INVALID_VECTOR;
    static adc_cfg_t configuration;
    configuration.unit = 0;
    configuration.mode = ADC_MODE_SINGLE_SCAN;
    configuration.resolution = ADC_RESOLUTION_14_BIT;
    configuration.alignment = ADC_ALIGNMENT_RIGHT;
    configuration.trigger = ADC_TRIGGER_SYNC_ELC;
    configuration.scan_end_irq = configuration.scan_end_b_irq = FSP_INVALID_VECTOR;
    configuration.p_extend = &extended;
    static adc_channel_cfg_t channels;
    channels.scan_mask = 1ul << channel;
    channels.sample_hold_states = 24;
    R_ADC_Open(&adc, &configuration);
    R_ADC_ScanCfg(&adc, &channels);
    R_ADC_ScanStart(&adc);
}

void converter_begin(void)
{
    int32_t pin = digitalPinToAnalogPin(ADC_PIN);
    pinPeripheral(digitalPinToBspPin(pin), (uint32_t)IOPORT_CFG_ANALOG_ENABLE);
    uint8_t channel = (uint8_t)GET_CHANNEL(getPinCfgs(pin, PIN_CFG_REQ_ADC)[0]);
    result = &R_ADC0->ADDR[channel];

    uint8_t type = GPT_TIMER;
    int8_t number = FspTimer::get_available_timer(type);
    if (number < 0 || type != GPT_TIMER)
        number = FspTimer::get_available_timer(type, true); /* one kept for PWM, which nobody uses here */
    uint32_t period = R_FSP_SystemClockHzGet(FSP_PRIV_CLOCK_PCLKD) / ADC_RATE;
    timer.begin(TIMER_MODE_PERIODIC, GPT_TIMER, (uint8_t)number, period, 0, TIMER_SOURCE_DIV_1);
    timer.open();

    start_adc(channel);
    R_BSP_MODULE_START(FSP_IP_ELC, 0);
    R_ELC->ELSR[ELC_PERIPHERAL_ADC0].HA =
        (uint16_t)(ELC_EVENT_GPT0_COUNTER_OVERFLOW + number * (ELC_EVENT_GPT1_COUNTER_OVERFLOW - ELC_EVENT_GPT0_COUNTER_OVERFLOW));
    R_ELC->ELCR_b.ELCON = 1;

    CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
    IRQManager::getInstance().addGenericInterrupt(conversion_end, end_of_conversion);
    timer.start();
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
