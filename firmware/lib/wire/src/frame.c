/* COBS and CRC in place. The session decodes and encodes with it; so does the line of the virtual boards. */
#include "frame.h"

#include "crc32.h"
#include "flash.h"
#include "messages.h"

/* In both buffers the frame (type, session, seq, ...) starts at an odd place, so that the payload starts at an even
 * one. */
#define RECEIVE_FRAME (WIRE_RECEIVE_PAYLOAD - 3)
#define TRANSMIT_FRAME (WIRE_TRANSMIT_PAYLOAD - 3)
#define CRC_BYTES 4               /* little endian, as the machine's own numbers (messages.h) */

void wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload)
{
    decoder->buffer = buffer;
    decoder->capacity = (uint8_t)(max_payload + WIRE_FRAME_OVERHEAD);
    decoder->length = 0;
    decoder->block = 0;
    decoder->zero = false;
    decoder->started = false;
    decoder->too_long = false;
    decoder->next_seq = 0;
    decoder->oldest_seed = 0;
}

/*@ requires \valid_read(bytes + (0 .. 3)); terminates \true; assigns \result \from bytes[0 .. 3]; */
static uint32_t load32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/*@ requires \valid(bytes + (0 .. 3)); terminates \true; assigns bytes[0 .. 3]; */
static void store32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
}

__attribute__((noinline)) uint32_t wire_seed(const struct wire_decoder *decoder, uint8_t session, uint8_t seq)
{
    WIRE_NEAR(decoder);
    if (session == WIRE_SESSION_NONE)
        return 0;
    return decoder->oldest_seed + (seq < (uint8_t)(decoder->next_seq + WIRE_HALF_TURN) ? WIRE_SEED_STEP : 0);
}

/*@ requires whole: wire_decoder_sound(decoder) && decoder->length >= WIRE_FRAME_OVERHEAD;
  @ terminates \true;
  @ assigns \nothing; */
static bool checksum_holds(const struct wire_decoder *decoder)
{
    const uint8_t *frame = decoder->buffer + RECEIVE_FRAME;
    uint8_t covered = (uint8_t)(decoder->length - CRC_BYTES);
    return load32(frame + covered) == wire_crc32(wire_seed(decoder, frame[1], frame[2]), frame, covered);
}

/*@ requires wire_decoder_sound(decoder);
  @ terminates \true;
  @ assigns decoder->started;
  @ ensures sound: wire_decoder_sound(decoder) && !decoder->started;
  @ ensures whole: \result == WIRE_FRAME ==> decoder->length >= WIRE_FRAME_OVERHEAD; */
static enum wire_event end_frame(struct wire_decoder *decoder)
{
    if (!decoder->started)
        return WIRE_NOTHING;
    decoder->started = false;
    bool whole = !decoder->too_long && decoder->block == 0 && decoder->length >= WIRE_FRAME_OVERHEAD;
    return whole && checksum_holds(decoder) ? WIRE_FRAME : WIRE_BAD_FRAME;
}

/* Decoded bytes that fit, at least one: a frame that is too long is dropped, so its rest may overwrite it. */
/*@ requires wire_decoder_sound(decoder);
  @ terminates \true;
  @ assigns decoder->too_long, decoder->length;
  @ ensures sound: wire_decoder_sound(decoder);
  @ ensures some: decoder->length < decoder->capacity && \result == decoder->capacity - decoder->length; */
static uint8_t room(struct wire_decoder *decoder)
{
    if (decoder->length == decoder->capacity) {
        decoder->too_long = true;
        decoder->length = 0;
    }
    return (uint8_t)(decoder->capacity - decoder->length);
}

/* Takes a COBS code, which also stands for the zero before it. */
/*@ requires wire_decoder_sound(decoder);
  @ terminates \true;
  @ assigns decoder->length, decoder->block, decoder->zero, decoder->started, decoder->too_long, decoder->buffer[1 .. decoder->capacity];
  @ ensures sound: wire_decoder_sound(decoder); */
static void start_block(struct wire_decoder *decoder, uint8_t code)
{
    if (!decoder->started) {
        decoder->started = true;
        decoder->too_long = false;
        decoder->zero = false;
        decoder->length = 0;
    }
    if (decoder->zero) {
        room(decoder);
        decoder->buffer[RECEIVE_FRAME + decoder->length++] = 0;
    }
    decoder->block = (uint8_t)(code - 1);
    decoder->zero = code != 0xff;
}

/* Takes bytes of the block up to its end, a delimiter, or `count`. Returns how many. */
/*@ requires sound: wire_decoder_sound(decoder) && decoder->block != 0;
  @ requires line: count != 0 && \valid_read(bytes + (0 .. count - 1)) && *bytes != 0;
  @ requires apart: \separated(decoder, decoder->buffer + (0 .. decoder->capacity), bytes + (0 .. count - 1));
  @ terminates \true;
  @ assigns decoder->length, decoder->block, decoder->too_long, decoder->buffer[1 .. decoder->capacity];
  @ ensures sound: wire_decoder_sound(decoder);
  @ ensures some: 0 < \result <= count; */
static uint16_t copy_block(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count)
{
    uint8_t most = room(decoder);
    if (most > decoder->block)
        most = decoder->block;
    if (most > count)
        most = (uint8_t)count;
    uint8_t *to = decoder->buffer + RECEIVE_FRAME + decoder->length;
    uint8_t left = most;
    /*@ loop invariant left: 0 <= left <= most && (left == most ==> *bytes != 0);
      @ loop invariant from: bytes == \at(bytes, Pre) + (most - left);
      @ loop invariant same: decoder->buffer == \at(decoder->buffer, Pre) && decoder->capacity == \at(decoder->capacity, Pre) &&
      @   decoder->length == \at(decoder->length, LoopEntry) && decoder->length + most <= decoder->capacity &&
      @   decoder->block == \at(decoder->block, Pre);
      @ loop invariant to: to == decoder->buffer + RECEIVE_FRAME + decoder->length + (most - left);
      @ loop assigns to, bytes, left, \at(decoder->buffer, Pre)[1 .. \at(decoder->capacity, Pre)];
      @ loop variant left; */
    for (; left && *bytes; left--)
        *to++ = *bytes++;
    uint8_t copied = (uint8_t)(most - left);
    decoder->block = (uint8_t)(decoder->block - copied);
    decoder->length = (uint8_t)(decoder->length + copied);
    return copied;
}

enum wire_event wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken)
{
    uint16_t at = 0;
    enum wire_event event = WIRE_NOTHING;
    /*@ loop invariant sound: wire_decoder_sound(decoder);
      @ loop invariant same: decoder->buffer == \at(decoder->buffer, Pre) && decoder->capacity == \at(decoder->capacity, Pre);
      @ loop invariant whole: event == WIRE_FRAME ==> decoder->length >= WIRE_FRAME_OVERHEAD && !decoder->started;
      @ loop invariant at: 0 <= at <= count;
      @ loop assigns at, event, decoder->length, decoder->block, decoder->zero, decoder->started, decoder->too_long,
      @              \at(decoder->buffer, Pre)[1 .. \at(decoder->capacity, Pre)];
      @ loop variant count - at; */
    while (at < count && event == WIRE_NOTHING) {
        if (bytes[at] == 0) {
            at++;
            event = end_frame(decoder);
        } else if (!decoder->started || decoder->block == 0) {
            start_block(decoder, bytes[at++]);
        } else {
            at = (uint16_t)(at + copy_block(decoder, bytes + at, (uint16_t)(count - at)));
        }
    }
    *taken = at;
    return event;
}

void wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length, uint32_t seed)
{
    uint8_t *frame = buffer + TRANSMIT_FRAME;
    frame[0] = type;
    frame[1] = session;
    frame[2] = seq;
    uint8_t count = (uint8_t)(length + 3);
    store32(frame + count, wire_crc32(seed, frame, count));
    count = (uint8_t)(count + CRC_BYTES);

    /* At most 247 bytes: no COBS block is ever full, so the frame grows by its first code alone and stays in place. */
    buffer[1] = 0;
    uint8_t *code = buffer + 2;
    uint8_t distance = 1;
    /*@ loop invariant count: 0 <= i <= count && 1 <= distance <= i + 1;
      @ loop invariant code: code == frame + (i - distance);
      @ loop invariant one: \forall integer k; 2 <= k < TRANSMIT_FRAME + i && buffer + k != code ==> buffer[k] != 0;
      @ loop assigns i, code, distance, buffer[2 .. TRANSMIT_FRAME + count - 1];
      @ loop variant count - i; */
    for (uint8_t i = 0; i < count; i++) {
        if (frame[i] == 0) {
            *code = distance;
            code = frame + i;
            distance = 0;
        }
        distance++;
    }
    *code = distance;
    frame[count] = 0;
}
