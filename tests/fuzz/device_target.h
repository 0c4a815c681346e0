/* The device under fuzz, its board and a host that writes anything. */
#ifndef DEVICE_TARGET_H
#define DEVICE_TARGET_H

#include <stddef.h>

#include "device.h"
#include "fuzz_board.h"

#define FUZZ_BLOB 4096
#define FUZZ_BLOBS 4

struct rig {
    struct fuzz_board board;
    struct device *device;        /* a block of its own */
    bool attempted;               /* the command in its handler was there before */
    uint32_t steps_before;        /* when it came */
    bool reads;                   /* the host */
    uint8_t seq;                  /* of the host's next command */
    struct wire_decoder decoder;
    uint8_t receive[WIRE_RECEIVE_BYTES(WIRE_MAX_PAYLOAD)];
    struct {
        uint8_t kind;
        uint32_t total, next;     /* next: where the last chunk that was taken ends; 0: none is under way */
    } upload;
    struct {
        uint16_t filled;          /* inputs that parts have brought since the last command with samples */
        int16_t values[ANP_MAX_WIDTH];
    } sample;
    uint32_t codes_asked;         /* of noise streams, not sent yet */
    struct {
        uint32_t total;
        uint8_t bytes[FUZZ_BLOB];
    } blobs[FUZZ_BLOBS];          /* what the device sent of itself */
};

extern struct rig rig;

/* This many turns of the main loop, fewer when the device has nothing to do. */
void rig_poll(uint16_t turns);

void rig_power_cut(enum fuzz_torn torn);
void rig_reset(uint8_t cause);

/* What must hold between two calls. */
void rig_check(void);

/* Executes a script up to its end. */
void script_run(const uint8_t *bytes, size_t size);

#endif
