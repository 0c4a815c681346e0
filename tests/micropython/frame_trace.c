/* Writes every call of the frame decoder and encoder in C with its result, for frame_replay.py. It is linked into the fuzz target of the frames
 * (tests/fuzz), which makes the calls. The file's name is in MTJLEARN_TRACE. */
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

void __real_wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload);
void __wrap_wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload);
enum wire_event __real_wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken);
enum wire_event __wrap_wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken);
void __real_wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length, uint32_t seed);
void __wrap_wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length, uint32_t seed);
void __sanitizer_set_death_callback(void (*callback)(void));

static FILE *file;

/* The driver's wish, of a build without sanitizers. */
void __sanitizer_set_death_callback(void (*callback)(void))
{
    (void)callback;
}

static void put(uint64_t value, uint8_t bytes)
{
    for (; bytes; bytes--, value >>= 8)
        fputc((int)(value & 0xff), file);
}

static void begin(char kind)
{
    if (!file)
        file = fopen(getenv("MTJLEARN_TRACE"), "wb");
    if (!file)
        exit(2);
    fputc(kind, file);
}

void __wrap_wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload)
{
    __real_wire_decoder_init(decoder, buffer, max_payload);
    begin('I');
    put((uintptr_t)decoder, 8);
    put(max_payload, 1);
}

enum wire_event __wrap_wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken)
{
    begin('D');
    put((uintptr_t)decoder, 8);
    put(decoder->next_seq, 1);
    put(decoder->oldest_seed, 4);
    put(count, 2);
    fwrite(bytes, 1, count, file);
    enum wire_event event = __real_wire_decode(decoder, bytes, count, taken);
    put(event, 1);
    put(*taken, 2);
    uint8_t length = event == WIRE_FRAME ? decoder->length : 0;
    put(length, 1);
    fwrite(decoder->buffer + 1, 1, length, file);
    return event;
}

void __wrap_wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length, uint32_t seed)
{
    begin('E');
    put(type, 1);
    put(session, 1);
    put(seq, 1);
    put(seed, 4);
    put(length, 1);
    fwrite(buffer + WIRE_TRANSMIT_PAYLOAD, 1, length, file);
    __real_wire_encode(buffer, type, session, seq, length, seed);
    fwrite(buffer + 1, 1, (size_t)WIRE_ENCODED_BYTES(length), file);
}
