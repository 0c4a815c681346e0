/* Fuzz target: the frame decoder and encoder (firmware/lib/wire/src/frame.c) on any bytes, cut into any chunks.
 *
 * An input is: one byte that chooses the largest payload, one that steers the chunks, then the line. Checked: never a byte outside
 * the buffer (which is a block of its own, so the sanitizer sees); a chunk is taken whole or up to a delimiter; the result does not
 * depend on the chunks and is that of a decoder written by the book; a decoded frame, encoded, decodes to itself; and a true frame behind a delimiter arrives, whatever came before. */
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "frame.h"
#include "fuzz_board.h"
#include "messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint32_t frames, bad, digest;
};

static uint8_t largest;

/* Of a fresh decoder: numbers are -128 .. 127, and those from 0 on have the next seed. */
static uint32_t seed_of(const uint8_t *header)
{
    return header[1] == WIRE_SESSION_NONE || header[2] >= 128 ? 0 : WIRE_SEED_STEP;
}

static void *block(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory)
        exit(3);
    return memory;
}

/* One whole frame, alone. */
static void expect_frame(struct wire_decoder *decoder, const uint8_t *encoded, const uint8_t *header, const uint8_t *payload,
                         uint8_t length)
{
    uint16_t taken, count = (uint16_t)WIRE_ENCODED_BYTES(length);
    fuzz_check(encoded[0] == 0 && encoded[count - 1] == 0, "a frame starts and ends with a zero");
    fuzz_check(memchr(encoded + 1, 0, count - 2u) == NULL, "no zero inside a frame");
    /* The first delimiter ends what was before. */
    wire_decode(decoder, encoded, 1, &taken);
    fuzz_check(taken == 1, "a delimiter is taken");
    fuzz_check(wire_decode(decoder, encoded + 1, (uint16_t)(count - 1), &taken) == WIRE_FRAME, "a true frame arrives");
    fuzz_check(taken == count - 1, "all of a frame is taken");
    fuzz_check(wire_frame_length(decoder) == length, "its length");
    fuzz_check(wire_frame_type(decoder) == header[0] && wire_frame_session(decoder) == header[1] && wire_frame_seq(decoder) == header[2],
               "its header");
    fuzz_check(length == 0 || memcmp(wire_frame_payload(decoder), payload, length) == 0, "its payload");
}

static void round_trip(const struct wire_decoder *decoder)
{
    uint8_t length = wire_frame_length(decoder);
    fuzz_check(length <= largest, "a payload is larger than agreed");
    uint8_t header[] = {wire_frame_type(decoder), wire_frame_session(decoder), wire_frame_seq(decoder)};
    uint8_t *transmit = block(WIRE_TRANSMIT_BYTES(length)), *receive = block(WIRE_RECEIVE_BYTES(largest));
    memcpy(transmit + WIRE_TRANSMIT_PAYLOAD, wire_frame_payload(decoder), length);
    wire_encode(transmit, header[0], header[1], header[2], length, seed_of(header));
    struct wire_decoder second;
    wire_decoder_init(&second, receive, largest);
    expect_frame(&second, transmit + 1, header, wire_frame_payload(decoder), length);
    free(transmit);
    free(receive);
}

/* --- the same by the book: byte by byte, with a checksum of its own --- */

static uint32_t plain_crc(uint32_t seed, const uint8_t *bytes, size_t count)
{
    uint32_t crc = ~seed;
    for (; count; count--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Decoded bytes of what stood between two delimiters, or 0 if it is not a frame. */
static size_t plain_decode(const uint8_t *bytes, size_t count, uint8_t *out)
{
    size_t length = 0;
    for (size_t at = 0; at < count;) {
        size_t code = bytes[at++];
        if (at + code - 1 > count || length + code > largest + WIRE_FRAME_OVERHEAD + 1u)
            return 0;
        memcpy(out + length, bytes + at, code - 1);
        length += code - 1;
        at += code - 1;
        if (code != 0xff && at < count)
            out[length++] = 0;
    }
    if (length < WIRE_FRAME_OVERHEAD || length > largest + (size_t)WIRE_FRAME_OVERHEAD)
        return 0;
    uint32_t crc;
    memcpy(&crc, out + length - sizeof crc, sizeof crc);
    return crc == plain_crc(seed_of(out), out, length - sizeof crc) ? length : 0;
}

static struct seen by_the_book(const uint8_t *line, size_t size)
{
    struct seen seen = {0};
    uint8_t out[512];
    size_t start = 0;
    for (size_t at = 0; at < size; at++) {
        if (line[at] != 0)
            continue;
        size_t length = at > start ? plain_decode(line + start, at - start, out) : 0;
        if (length) {
            seen.frames++;
            seen.digest = wire_crc32(seen.digest, out, (uint16_t)length);
        } else if (at > start) {
            seen.bad++;
        }
        start = at + 1;
    }
    return seen;
}

/* --- the target --- */

static struct seen decode(const uint8_t *line, size_t size, uint8_t steer)
{
    struct wire_decoder decoder;
    struct seen seen = {0};
    uint8_t *receive = block(WIRE_RECEIVE_BYTES(largest));
    wire_decoder_init(&decoder, receive, largest);
    uint32_t state = steer;
    for (size_t at = 0; at < size;) {
        state = state * 1664525u + 1013904223u;
        size_t most = steer ? 1 + (state >> 16) % steer : size;
        uint16_t count = (uint16_t)(most < size - at ? most : size - at), taken;
        uint8_t *chunk = block(count);
        memcpy(chunk, line + at, count);
        enum wire_event event = wire_decode(&decoder, chunk, count, &taken);
        free(chunk);
        fuzz_check(taken >= 1 && taken <= count, "bytes are taken");
        fuzz_check(event != WIRE_NOTHING || taken == count, "without an event all bytes are taken");
        fuzz_check(event == WIRE_NOTHING || line[at + taken - 1] == 0, "an event comes with a delimiter");
        at += taken;
        if (event == WIRE_FRAME) {
            seen.frames++;
            seen.digest = wire_crc32(seen.digest, receive + 1, decoder.length);
            round_trip(&decoder);
        } else if (event == WIRE_BAD_FRAME) {
            seen.bad++;
        }
    }
    /* Whatever came: the next frame is whole. */
    static const uint8_t header[] = {WIRE_TYPE_TRAIN, 7, 3};
    uint8_t payload[64], transmit[WIRE_TRANSMIT_BYTES(sizeof payload)];
    for (uint8_t i = 0; i < sizeof payload; i++)
        transmit[WIRE_TRANSMIT_PAYLOAD + i] = payload[i] = (uint8_t)(size > i ? line[i] : 0);
    wire_encode(transmit, header[0], header[1], header[2], sizeof payload, seed_of(header));
    expect_frame(&decoder, transmit + 1, header, payload, sizeof payload);
    free(receive);
    return seen;
}

/* Any payload survives the encoder. */
static void encode(const uint8_t *bytes, size_t size)
{
    uint8_t length = (uint8_t)(size < 3 ? 0 : size - 3 < largest ? size - 3 : largest), header[3] = {0};
    memcpy(header, bytes, size < 3 ? size : 3);
    uint8_t *transmit = block(WIRE_TRANSMIT_BYTES(length)), *receive = block(WIRE_RECEIVE_BYTES(largest));
    if (length)
        memcpy(transmit + WIRE_TRANSMIT_PAYLOAD, bytes + 3, length);
    wire_encode(transmit, header[0], header[1], header[2], length, seed_of(header));
    struct wire_decoder decoder;
    wire_decoder_init(&decoder, receive, largest);
    expect_frame(&decoder, transmit + 1, header, bytes + 3, length);
    free(transmit);
    free(receive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096)
        return 0;
    largest = (uint8_t)(WIRE_MIN_PAYLOAD + data[0] % (WIRE_MAX_PAYLOAD - WIRE_MIN_PAYLOAD + 1));
    struct seen whole = decode(data + 2, size - 2, 0), chunks = decode(data + 2, size - 2, data[1]);
    struct seen book = by_the_book(data + 2, size - 2);
    fuzz_check(memcmp(&whole, &chunks, sizeof whole) == 0, "chunks change what is decoded");
    fuzz_check(memcmp(&whole, &book, sizeof whole) == 0, "other frames are found than stand in the line");
    encode(data + 2, size - 2);
    return 0;
}
