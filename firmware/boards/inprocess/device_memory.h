/* The in-process device: the device as flat functions, for a program that loads it as a library. Nothing happens unless the program says so:
 * bytes, codes and time come from its calls, so every run repeats exactly. Any number of boards may exist side by side. */
#ifndef DEVICE_MEMORY_H
#define DEVICE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct memory_options {
    uint64_t seed;                /* of the virtual sMTJ */
    uint32_t arena;               /* bytes for a network */
    uint32_t adc_rate;            /* codes per second */
    uint16_t adc_reference;       /* mV at full scale */
    uint16_t codes_per_step;      /* from the virtual sMTJ, at most 1024; 0: codes come from memory_feed() alone */
    uint16_t receive_window;      /* bytes the receiver holds; more are lost and counted */
    uint16_t memory_bytes;        /* nonvolatile; a multiple of the block. 0: none */
    uint16_t memory_block;        /* bytes that are erased together */
    uint16_t memory_latency;      /* times that the memory is not ready after a write */
    uint8_t adc_bits;
    uint8_t max_payload;
    uint8_t noise;                /* enum smtj_kind */
    uint8_t preset;               /* enum smtj_preset */
    bool real_time;               /* codes are due whatever the device does, as on a chip: no virtual clock */
};

struct memory_board;

/* NULL when memory is short. */
struct memory_board *memory_create(const struct memory_options *options);
void memory_destroy(struct memory_board *memory);

/* Bytes from the host arrive in the receiver; those beyond its window are lost, as on a chip. */
void memory_push(struct memory_board *memory, const uint8_t *bytes, uint32_t count);

/* This many turns of the device's main loop, fewer when it has nothing more to do. Returns how many. */
uint32_t memory_poll(struct memory_board *memory, uint32_t turns);

/* Takes up to `most` bytes that the device sent; returns how many. */
uint32_t memory_take(struct memory_board *memory, uint8_t *bytes, uint32_t most);

/* Bytes that may wait for the host from now on, at most 8192: 0 is a host that has stopped reading. */
void memory_set_room(struct memory_board *memory, uint32_t bytes);

/* The device's clock. Without codes_per_step it stands still otherwise. */
void memory_set_micros(struct memory_board *memory, uint32_t micros);

/* Codes arrive at the converter; the oldest are lost beyond 1024 that nobody took. */
void memory_feed(struct memory_board *memory, const uint16_t *codes, uint32_t count);

/* From now on these codes arrive instead of the virtual sMTJ's, codes_per_step at a time, and none once they have run out. May be called
 * again before. False: memory is short. */
bool memory_queue(struct memory_board *memory, const uint16_t *codes, uint32_t count);
/* Of these, not yet arrived. */
uint32_t memory_queued(const struct memory_board *memory);

/* The source changes from now on, e.g. to a broken wire: enum smtj_kind. */
void memory_set_noise(struct memory_board *memory, uint8_t noise);

/* Another analog pin, 1 .. 7, gives this code from now on; MEMORY_SENSOR: what its virtual sensor gives at the time of the clock. */
#define MEMORY_SENSOR 0xffffu
void memory_set_analog(struct memory_board *memory, uint8_t pin, uint16_t code);

/* The contents of the nonvolatile memory, memory_bytes of them. The program may change them while the device does not run. */
uint8_t *memory_contents(struct memory_board *memory);

/* Writes of the nonvolatile memory so far. */
uint32_t memory_writes(const struct memory_board *memory);

/* Cuts the power at a write from now on (nonvolatile.h). The board is dead then: it neither works nor sends until memory_restart(). */
void memory_cut_power(struct memory_board *memory, uint32_t writes, uint8_t torn, bool erased);
bool memory_is_dead(const struct memory_board *memory);

/* A start with this WIRE_RESET_CAUSE_...; bytes and codes under way are lost, the nonvolatile memory is kept, and after anything but
 * a power cycle also the device's last error. */
void memory_restart(struct memory_board *memory, uint8_t cause);

/* Starts of the device so far. */
uint32_t memory_boots(const struct memory_board *memory);

#endif
