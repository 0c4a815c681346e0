/* What every command and every turn needs of the device: its clock, the codes of the converter, refusals. */
#include "device.h"

#include "autonomous.h"
#include "messages.h"

#define SILENCE 489               /* units of 1,024 us without a code: half a second */

void device_remember(const struct device *device, uint8_t error)
{
    *device->start->error = error;
}

uint16_t device_clock(const struct device *device)
{
    return (uint16_t)(BOARD_DO(device->board, micros) >> 10);
}

void device_check_silence(struct device *device, uint16_t now)
{
    const BOARD_FLASH struct board *board = device->board;
    struct intake *intake = &device->intake;
    if ((BOARD(board, features) & (WIRE_FEATURES_ADC_LIVE | WIRE_FEATURES_VIRTUAL_CLOCK)) != WIRE_FEATURES_ADC_LIVE)
        return;
    if (device->took_codes)
        device->code_clock = now;
    else if ((uint16_t)(now - device->code_clock) >= SILENCE && intake->source == WIRE_NOISE_SOURCE_ADC)
        health_silent(&intake->health, &intake->noise, intake->next);
}

/* Out of line: it saves a small chip's registers, which a look at the converter does not take. */
static __attribute__((noinline)) void take_codes(struct device *device)
{
    DEVICE_KNOWN(device);
    uint8_t taken, all = 0;
    do {
        taken = intake_take(&device->intake, device->board);
        if (taken)
            device->took_codes = true;
        if (all <= UINT8_MAX - INTAKE_BATCH)
            all = (uint8_t)(all + taken);
        if (device->stream.active)
            stream_send(&device->stream, &device->intake, &device->session, device->board);
    } while (taken == INTAKE_BATCH);
    autonomous_codes(device, all);
}

void device_take_codes(struct device *device)
{
    if (!(BOARD_HAS(device->board, adc_few) && BOARD_DO(device->board, adc_few)))
        take_codes(device);
}

enum wire_result device_refuse(struct device *device, uint8_t code, uint32_t detail)
{
    wire_session_refuse(&device->session, code, detail);
    return WIRE_DONE;
}

enum wire_result device_out_of_range(struct device *device, uint8_t number)
{
    return device_refuse(device, WIRE_ERROR_OUT_OF_RANGE, number);
}
