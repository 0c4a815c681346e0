/* The hardware abstraction: all that the device needs of a board. A board fills one struct and calls device_init() once and
 * device_poll() forever (turn.h). Callbacks never block. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"

/* A build for one board alone, which knows all of this at compile time, defines DEVICE_BOARD_FIXED and has a header board_fixed.h with the
 * four macros below and the name of its device, BOARD_DEVICE (boards/uno/board_fixed.h): then fields are constants, callbacks are called
 * directly, and there is no struct: the pointers to it are NULL. */
#ifdef DEVICE_BOARD_FIXED
#define BOARD_FLASH WIRE_FLASH
#else
#define BOARD_FLASH
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct board {
    void *context;                /* passed to every callback */

    const char *name;             /* at most 11 characters */
    uint8_t *arena;               /* memory for the network, aligned for pointers and int32 */
    uint32_t arena_bytes;
    uint16_t receive_window;      /* encoded bytes that may wait in the receiver */
    uint8_t max_payload;          /* bytes, 64 .. 240 */
    uint16_t features;            /* WIRE_FEATURES_ADC_LIVE, WIRE_FEATURES_VIRTUAL_CLOCK; the device adds its own */
    uint8_t adc_bits;
    uint32_t adc_rate;            /* codes per second */
    uint16_t adc_reference;       /* mV at full scale */
    uint32_t line_rate;           /* bytes per second; 0: no limit known */

    /* Memory that keeps its contents without power, for checkpoints and a dataset. 0 bytes: none, and its callbacks are NULL. */
    uint16_t memory_bytes;
    uint16_t memory_block;        /* bytes that are erased together, so that a power cut may take them all; 1: bytes are written alone */

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
    /* Whether it is better to take the codes that wait together with later ones: to take some costs a small chip much that
     * does not depend on their number. NULL: never. */
    bool (*adc_few)(void *context);
    /* Called where time must pass for the device to continue: once before every training step, and while it waits for codes. A board
     * with a virtual clock lets the codes of one step arrive; a real board does nothing. */
    void (*advance)(void *context);
    /* A clock in microseconds, mod 2^32. */
    uint32_t (*micros)(void *context);
    /* Shows that the device learns: called after training steps with a value that changes every 256 steps. */
    void (*led)(void *context, uint8_t on);
    /* Whether the memory takes a call now: the write before is done. */
    bool (*memory_ready)(void *context);
    /* A byte, as last written. Only when it is ready. */
    uint8_t (*memory_read)(void *context, uint16_t address);
    /* Begins to write a byte. Only when it is ready. Where blocks are erased, the byte may wait in a buffer for memory_flush(), or for
     * a write to another block. */
    void (*memory_write)(void *context, uint16_t address, uint8_t value);
    /* What was written so far is kept once the memory is ready again. */
    void (*memory_flush)(void *context);
    /* Code of another analog pin, 1 .. 7 for A1 .. A7, in the ADC's resolution; takes less than a millisecond, and the noise codes of that
     * time count as lost. NULL: the board cannot. */
    uint16_t (*analog)(void *context, uint8_t pin);
    /* Restarts the device once what was written has left. May return: then the board calls device_init() again before the next
     * device_poll(). */
    void (*reset)(void *context);
};

/* A field of a board, whether it has a callback, and its callbacks without and with arguments. */
#ifdef DEVICE_BOARD_FIXED
#include "board_fixed.h"
#else
#define BOARD(board, field) ((board)->field)
#define BOARD_HAS(board, callback) ((board)->callback != NULL)
#define BOARD_DO(board, callback) ((board)->callback((board)->context))
#define BOARD_CALL(board, callback, ...) ((board)->callback((board)->context, __VA_ARGS__))
#endif

/* What the board knows of its starts. */
struct board_start {
    uint16_t boot_count;          /* starts of this device, if it can count them; else 1 */
    uint8_t reset_cause;          /* WIRE_RESET_CAUSE_... */
    uint8_t last_error;           /* what the device left in *error before this start; 0 if that was not kept */
    volatile uint8_t *error;      /* where the device keeps its last error, best in memory that a reset leaves alone */
};

#ifdef __cplusplus
}
#endif
#endif
