/* COBS and CRC in place. The session decodes and encodes with it; so does the line of the virtual boards. */
#include "frame.h"

#include <string.h>

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
    *decoder = (struct wire_decoder){.buffer = buffer, .capacity = (uint8_t)(max_payload + WIRE_FRAME_OVERHEAD)};
}

static uint32_t load32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void store32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof value);
}

__attribute__((noinline)) uint32_t wire_seed(const struct wire_decoder *decoder, uint8_t session, uint8_t seq)
{
    WIRE_NEAR(decoder);
    if (session == WIRE_SESSION_NONE)
        return 0;
    return decoder->oldest_seed + (seq < (uint8_t)(decoder->next_seq + WIRE_HALF_TURN) ? WIRE_SEED_STEP : 0);
}

static bool checksum_holds(const struct wire_decoder *decoder)
{
    const uint8_t *frame = decoder->buffer + RECEIVE_FRAME;
    uint8_t covered = (uint8_t)(decoder->length - CRC_BYTES);
    return load32(frame + covered) == wire_crc32(wire_seed(decoder, frame[1], frame[2]), frame, covered);
}

static enum wire_event end_frame(struct wire_decoder *decoder)
{
    if (!decoder->started)
        return WIRE_NOTHING;
    decoder->started = false;
    bool whole = !decoder->too_long && decoder->block == 0 && decoder->length >= WIRE_FRAME_OVERHEAD;
    return whole && checksum_holds(decoder) ? WIRE_FRAME : WIRE_BAD_FRAME;
}

/* Decoded bytes that fit, at least one: a frame that is too long is dropped, so its rest may overwrite it. */
static uint8_t room(struct wire_decoder *decoder)
{
    if (decoder->length == decoder->capacity) {
        decoder->too_long = true;
        decoder->length = 0;
    }
    return (uint8_t)(decoder->capacity - decoder->length);
}

/* Takes a COBS code, which also stands for the zero before it. */
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
static uint16_t copy_block(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count)
{
    uint8_t most = room(decoder);
    if (most > decoder->block)
        most = decoder->block;
    if (most > count)
        most = (uint8_t)count;
    uint8_t *to = decoder->buffer + RECEIVE_FRAME + decoder->length;
    uint8_t left = most;
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
