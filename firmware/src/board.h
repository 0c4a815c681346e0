/* The hardware abstraction: all that the device needs of a board. A board fills one struct and calls device_init() once and
 * device_poll() for ever. Callbacks never block. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct board {
    void *context;                /* passed to every callback */

    const char *name;             /* at most 11 characters */
    uint8_t *arena;               /* memory for the network, aligned for pointers and int32 */
    uint32_t arena_bytes;
    uint16_t boot_count;          /* starts of this device, if it can count them; else 1 */
    uint8_t reset_cause;          /* WIRE_RESET_CAUSE_... */
    uint16_t receive_window;      /* encoded bytes that may wait in the receiver */
    uint8_t max_payload;          /* bytes, 64 .. 240 */
    uint16_t features;            /* WIRE_FEATURES_ADC_LIVE, WIRE_FEATURES_VIRTUAL_CLOCK; the device adds its own */
    uint8_t adc_bits;
    uint32_t adc_rate;            /* codes a second */
    uint16_t adc_reference;       /* mV at full scale */
    uint32_t line_rate;           /* bytes a second; 0: no limit known */

    /* Takes up to `most` received bytes; returns how many. */
    uint16_t (*read)(void *context, uint8_t *bytes, uint16_t most);
    /* Bytes that write() would take now. */
    uint16_t (*write_room)(void *context);
    /* Queues bytes for sending. The device writes whole frames, never more than write_room() just said. */
    void (*write)(void *context, const uint8_t *bytes, uint16_t count);
    /* Where the next frame is built, WIRE_TRANSMIT_BYTES of its payload, while write_room() is enough for it; write() is then given
     * bytes that lie there and may send them from there. NULL: the device has a buffer of its own, and write() copies. */
    uint8_t *(*place)(void *context);
    /* Bytes lost in the receiver since the start, mod 2^16. */
    uint16_t (*receive_overruns)(void *context);
    /* Takes up to `most` ADC codes, oldest first; returns how many. Fewer than `most` means that there are no more now, or that a
     * hole follows. */
    uint16_t (*adc_read)(void *context, uint16_t *codes, uint16_t most);
    /* Codes lost since the start because nobody took them, mod 2^32, up to those that the last adc_read() returned. adc_read()
     * returns none from beyond a loss together with ones from before it, so that a hole always lies between two calls. */
    uint32_t (*adc_lost)(void *context);
    /* Called where time must pass for the device to go on: once before every training step, and while it waits for codes. A board
     * with a virtual clock lets the codes of one step arrive; a real board does nothing. */
    void (*advance)(void *context);
    /* A clock in microseconds, mod 2^32. */
    uint32_t (*micros)(void *context);
    /* Shows that the device learns: called after training steps with a value that changes every 256 steps. */
    void (*led)(void *context, uint8_t on);
    /* Restarts the device once what was written has left. May return: then the board calls device_init() again before the next
     * device_poll(). */
    void (*reset)(void *context);
};

#ifdef __cplusplus
}
#endif
#endif
