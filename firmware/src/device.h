/* The device: its state, which is everything between the wire, the learner and the board, and what commands (commands.h) and turns
 * (turn.h) share. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autonomous.h"
#include "anp.h"
#include "blobs_state.h"
#include "board.h"
#include "intake.h"
#include "long_samples_state.h"
#include "session.h"
#include "stream.h"
#include "telemetry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest payload that this build has memory for; a small chip defines it as 64. */
#ifndef DEVICE_MAX_PAYLOAD
#define DEVICE_MAX_PAYLOAD WIRE_MAX_PAYLOAD
#endif

/* A build for boards that all have a place() of their own defines DEVICE_FRAMES_IN_PLACE and saves the device's buffer. */

/* A build for boards whose received bytes can be looked at where they lie (board_fixed.h) defines DEVICE_INPUT_IN_PLACE and saves that one. */

/* Received bytes taken from the board at once, at most, and how often in one turn: up to the end of a frame. */
#define DEVICE_INPUT (DEVICE_MAX_PAYLOAD < 128 ? 24 : 32)
#define DEVICE_INPUTS (WIRE_ENCODED_BYTES(DEVICE_MAX_PAYLOAD) / DEVICE_INPUT + 1)

/* Small fields first (intake.h). */
struct device {
    const BOARD_FLASH struct board *board;
    const struct board_start *start;
    bool configured;
    bool restart;                 /* RESET was executed */
    bool took_codes;              /* in this turn */
    bool barred;                  /* training, until the host has asked for STATUS: a fault of the noise was reported */
#ifndef DEVICE_INPUT_IN_PLACE
    uint8_t input_start;          /* received bytes that the session has not taken yet */
    uint8_t input_end;
#endif
    struct stream stream;
    struct blobs blobs;
    struct long_samples long_samples;
    struct telemetry telemetry;
    struct wire_session session;
    struct wire_metrics metrics;
#ifndef DEVICE_INPUT_IN_PLACE
    uint8_t input[DEVICE_INPUT];
#endif
    struct anp_network net;
    /* Payloads hold int16 values, so the buffers are made of them. */
    int16_t receive[(WIRE_RECEIVE_BYTES(DEVICE_MAX_PAYLOAD) + 1) / 2];
#ifndef DEVICE_FRAMES_IN_PLACE
    int16_t transmit[(WIRE_TRANSMIT_BYTES(DEVICE_MAX_PAYLOAD) + 1) / 2];
#endif
    struct intake intake;
    uint16_t code_clock;          /* when the converter's last codes came */
    struct autonomous autonomous;
};

/* Begins each function that gets the device through a pointer to the function: a build for one board alone has one device, whose address
 * the linker knows, and accesses to known addresses are shorter. */
#ifdef DEVICE_BOARD_FIXED
#define DEVICE_KNOWN(device) ((device) = &BOARD_DEVICE)
#else
#define DEVICE_KNOWN(device) ((void)(device))
#endif

/* Time in units of 1,024 us, mod 2^16. */
uint16_t device_clock(const struct device *device);

/* Keeps what went wrong for the next start: WIRE_ERROR_..., or WIRE_FAULT_ERROR and a fault. */
void device_remember(const struct device *device, uint8_t error);

/* Takes all codes that the board has and sends what the noise stream makes of them. */
void device_take_codes(struct device *device);

/* At the end of a turn, with its device_clock(): a converter in real time delivers codes whatever the device does. */
void device_check_silence(struct device *device, uint16_t now);

/* Refuses the current command: what a handler returns then. */
enum wire_result device_refuse(struct device *device, uint8_t code, uint32_t detail);

/* The same for a field or value, by its number. */
enum wire_result device_out_of_range(struct device *device, uint8_t number);

#ifdef __cplusplus
}
#endif
#endif
