#include "frame.h"

#include "crc32.h"

/* In both buffers the frame (type, session, seq, ...) starts at an odd place, so that the payload starts at an even
 * one. */
#define RECEIVE_FRAME (WIRE_RECEIVE_PAYLOAD - 3)
#define TRANSMIT_FRAME (WIRE_TRANSMIT_PAYLOAD - 3)
#define CRC_BYTES 4

void wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload)
{
    *decoder = (struct wire_decoder){.buffer = buffer, .capacity = (uint8_t)(max_payload + WIRE_FRAME_OVERHEAD)};
}

static void append(struct wire_decoder *decoder, uint8_t byte)
{
    if (decoder->length == decoder->capacity)
        decoder->too_long = true;
    else
        decoder->buffer[RECEIVE_FRAME + decoder->length++] = byte;
}

static bool checksum_holds(const struct wire_decoder *decoder)
{
    const uint8_t *frame = decoder->buffer + RECEIVE_FRAME;
    uint8_t covered = (uint8_t)(decoder->length - CRC_BYTES);
    uint32_t crc = wire_crc32(0, frame, covered);
    for (uint8_t i = 0; i < CRC_BYTES; i++)
        if (frame[covered + i] != (uint8_t)(crc >> (8 * i)))
            return false;
    return true;
}

enum wire_event wire_decode(struct wire_decoder *decoder, uint8_t byte)
{
    if (byte == 0) {
        if (!decoder->started)
            return WIRE_NOTHING;
        decoder->started = false;
        bool whole = !decoder->too_long && decoder->block == 0 && decoder->length >= WIRE_FRAME_OVERHEAD;
        return whole && checksum_holds(decoder) ? WIRE_FRAME : WIRE_BAD_FRAME;
    }
    if (!decoder->started) {
        decoder->started = true;
        decoder->too_long = false;
        decoder->zero = false;
        decoder->length = 0;
        decoder->block = 0;
    }
    if (decoder->block == 0) {
        if (decoder->zero)
            append(decoder, 0);
        decoder->block = (uint8_t)(byte - 1);
        decoder->zero = byte != 0xff;
    } else {
        append(decoder, byte);
        decoder->block--;
    }
    return WIRE_NOTHING;
}

void wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length)
{
    uint8_t *frame = buffer + TRANSMIT_FRAME;
    frame[0] = type;
    frame[1] = session;
    frame[2] = seq;
    uint8_t count = (uint8_t)(length + 3);
    uint32_t crc = wire_crc32(0, frame, count);
    for (uint8_t i = 0; i < CRC_BYTES; i++)
        frame[count++] = (uint8_t)(crc >> (8 * i));

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
