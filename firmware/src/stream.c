/* Packs codes from the noise buffer into frames. The device calls stream_send() after every batch of codes. */
#include "stream.h"

#include "messages.h"

/* Half the noise buffer: while a frame waits for room, as many codes again may arrive before the first is overwritten. */
#define FRAME_CODES (WIRE_NOISE_BUFFER / 2)

void stream_start(struct stream *stream, const struct intake *intake, uint32_t count, uint16_t burst)
{
    stream->active = true;
    stream->left = count;
    stream->next = intake->next;
    stream->burst = burst;
    stream->burst_left = burst;
}

void stream_stop(struct stream *stream)
{
    stream->active = false;
}

static uint8_t frame_codes(const struct stream *stream, uint8_t max_payload, uint8_t bits)
{
    WIRE_NEAR(stream);
    uint16_t codes = (uint16_t)((uint16_t)((max_payload - WIRE_SIZE_NOISE_CODES) * 8) / bits);
    if (codes > FRAME_CODES)
        codes = FRAME_CODES;
    if (stream->burst_left && codes > stream->burst_left)
        codes = stream->burst_left;
    if (stream->left && codes > stream->left)
        codes = (uint16_t)stream->left;
    return (uint8_t)codes;
}

/* Codes in the noise buffer that are still to be sent. */
static __attribute__((noinline)) uint8_t unsent(struct stream *stream, const struct intake *intake)
{
    WIRE_NEAR(intake);
    uint32_t behind = intake->next - stream->next;
    if (behind <= intake->contiguous)
        return (uint8_t)behind;
    /* The codes that come next are gone: continue behind the hole, with a new burst. */
    stream->next = intake->next - intake->contiguous;
    stream->burst_left = stream->burst;
    return intake->contiguous;
}

/* `count` codes from `place` in the noise buffer on, lowest bits first. */
static __attribute__((noinline)) void pack(uint8_t *out, const struct anp_noise *noise, uint8_t place, uint8_t count, uint8_t bits)
{
    uint8_t byte = 0, filled = 0;
    for (; count; count--) {
        uint16_t code = noise->ring[place];
        place = (uint8_t)(place + 1 == ANP_NOISE_BUFFER ? 0 : place + 1);
        for (uint8_t left = bits; left; left--) {
            byte >>= 1;
            if (code & 1)
                byte |= 0x80;
            code >>= 1;
            if (++filled == 8) {
                *out++ = byte;
                filled = 0;
            }
        }
    }
    if (filled)
        *out = (uint8_t)(byte >> (8 - filled));
}

static __attribute__((noinline)) void frame_sent(struct stream *stream, const struct intake *intake, uint8_t codes)
{
    stream->next += codes;
    if (stream->burst_left) {
        stream->burst_left = (uint16_t)(stream->burst_left - codes);
        if (stream->burst_left == 0) {
            stream->burst_left = stream->burst;
            stream->next = intake->next;
        }
    }
    if (stream->left) {
        stream->left -= codes;
        stream->active = stream->left != 0;
    }
}

__attribute__((noinline)) void stream_send(struct stream *stream, const struct intake *intake, struct wire_session *session, const BOARD_FLASH struct board *board)
{
    stream->waits = false;
    while (stream->active) {
        uint8_t waiting = unsent(stream, intake), bits = BOARD(board, adc_bits), codes = frame_codes(stream, session->max_payload, bits);
        uint8_t length = (uint8_t)(WIRE_SIZE_NOISE_CODES + (uint16_t)(codes * bits + 7) / 8);
        /* The stream gives way to answers: a larger one would wait forever on a full line if the stream took every bit of it. */
        if (session->held || session->ack_due)
            return;
        struct wire_noise_codes *header = wire_session_reserve(session, length);
        if (!header)
            return;
        if (waiting < codes) {
            stream->waits = true;
            return;
        }
        header->first = stream->next;
        header->micros = BOARD_DO(board, micros);
        header->bits = bits;
        header->count = codes;
        pack((uint8_t *)(header + 1), &intake->noise, intake_place(intake, waiting), codes, bits);
        wire_session_send(session, WIRE_TYPE_NOISE_CODES, length);
        frame_sent(stream, intake, codes);
    }
}
