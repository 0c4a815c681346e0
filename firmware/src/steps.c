/* What comes before and after a step of the learner. TRAIN and autonomous training call it. */
#include "steps.h"

#include "autonomous.h"
#include "device.h"
#include "messages.h"

#define LED_STEPS 8               /* the LED changes every 2^8 training steps */

/* Out of line, as it is rare and takes all registers of a small chip. */
static __attribute__((noinline)) bool calibrate(struct device *device)
{
    struct anp_noise *noise = &device->intake.noise;
    const struct anp_config *config = &device->net.config;
    if (!anp_noise_calibrate(noise, config->sigma, config->noise_std))
        return false;
    if (device->intake.source != WIRE_NOISE_SOURCE_ADC || health_calibrate(&device->intake.health, noise, device->intake.next - 1))
        return true;
    /* Not again before all codes are fresh: trying often would let chance decide. */
    anp_noise_forget(noise);
    noise->filled = 0;
    return false;
}

enum step_state step_prepare(struct device *device)
{
    struct intake *intake = &device->intake;
    /* What fills the buffer is not what a step takes. */
    bool full = anp_noise_ready(&intake->noise);
    BOARD_DO(device->board, advance);
    device_take_codes(device);
    bool fills = intake->source == WIRE_NOISE_SOURCE_ADC && (BOARD(device->board, features) & WIRE_FEATURES_ADC_LIVE);
    if (!full)
        return fills && !intake->health.fault ? STEP_FILLING : STEP_REFUSED;
    bool calibrated = anp_noise_calibrated(&intake->noise) || calibrate(device);
    return calibrated && !intake->health.fault ? STEP_READY : STEP_REFUSED;
}

uint8_t step_refusal(const struct device *device, uint32_t *detail)
{
    const struct intake *intake = &device->intake;
    *detail = intake->health.fault;
    if (intake->health.fault)
        return WIRE_ERROR_NOISE_FAULT;
    *detail = (uint8_t)(ANP_NOISE_BUFFER - intake->noise.filled);
    if (*detail)
        return WIRE_ERROR_NOISE_NOT_READY;
    *detail = intake->noise.deviation;
    return WIRE_ERROR_NO_NOISE;
}

void step_train(struct device *device, const int16_t *x, const int16_t *target)
{
    const BOARD_FLASH struct board *board = device->board;
    struct anp_network *net = &device->net;
    anp_train(net, &device->intake.noise, x, target);
    autonomous_trained(device);
    telemetry_step(&device->telemetry, net, &device->session, board);
    if ((uint8_t)net->steps == 0)
        BOARD_CALL(board, led, (uint8_t)(net->steps >> LED_STEPS) & 1u);
}
