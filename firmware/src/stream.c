#include "stream.h"

#include "messages.h"

/* Half the noise buffer: while a frame waits for room, as many codes again may arrive before the first is overwritten. */
#define FRAME_CODES (WIRE_NOISE_BUFFER / 2)

void stream_start(struct stream *stream, const struct intake *intake, uint32_t count, uint16_t burst)
{
    stream->active = true;
    stream->endless = count == 0;
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
    uint16_t codes = (uint16_t)((max_payload - WIRE_SIZE_NOISE_CODES) * 8 / bits);
    if (codes > FRAME_CODES)
        codes = FRAME_CODES;
    if (stream->burst && codes > stream->burst_left)
        codes = stream->burst_left;
    if (!stream->endless && codes > stream->left)
        codes = (uint16_t)stream->left;
    return (uint8_t)codes;
}

static uint8_t frame_length(uint8_t codes, uint8_t bits)
{
    return (uint8_t)(WIRE_SIZE_NOISE_CODES + (codes * bits + 7) / 8);
}

/* The stream gives way to answers: a larger one would wait for ever on a full line if the stream took every bit of room. */
static bool may_send(const struct wire_session *session, uint8_t length)
{
    return !session->held && !session->ack_due && wire_session_room(session, length);
}

/* Codes in the noise buffer that are still to be sent. */
static __attribute__((noinline)) uint8_t unsent(struct stream *stream, const struct intake *intake)
{
    uint32_t behind = intake->next - stream->next;
    if (behind <= intake->contiguous)
        return (uint8_t)behind;
    /* The codes that come next are gone: go on behind the hole, with a new burst. */
    stream->next = intake->next - intake->contiguous;
    stream->burst_left = stream->burst;
    return intake->contiguous;
}

bool stream_waits_for_codes(struct stream *stream, const struct intake *intake, const struct wire_session *session,
                            const struct board *board)
{
    uint8_t waiting = unsent(stream, intake), codes = frame_codes(stream, session->max_payload, board->adc_bits);
    return waiting < codes && may_send(session, frame_length(codes, board->adc_bits));
}

/* `count` codes from `place` in the noise buffer on. */
static __attribute__((noinline)) void pack(uint8_t *out, const struct anp_noise *noise, uint8_t place, uint8_t count, uint8_t bits)
{
    uint32_t pool = 0;
    uint8_t filled = 0;
    uint16_t mask = (uint16_t)(0xffffu >> (16 - bits));
    for (; count; count--) {
        pool |= (uint32_t)(noise->ring[place] & mask) << filled;
        place = (uint8_t)(place + 1 == ANP_NOISE_BUFFER ? 0 : place + 1);
        filled = (uint8_t)(filled + bits);
        for (; filled >= 8; filled = (uint8_t)(filled - 8)) {
            *out++ = (uint8_t)pool;
            pool >>= 8;
        }
    }
    if (filled)
        *out = (uint8_t)pool;
}

static __attribute__((noinline)) void frame_sent(struct stream *stream, const struct intake *intake, uint8_t codes)
{
    stream->next += codes;
    if (stream->burst) {
        stream->burst_left = (uint16_t)(stream->burst_left - codes);
        if (stream->burst_left == 0) {
            stream->burst_left = stream->burst;
            stream->next = intake->next;
        }
    }
    if (!stream->endless) {
        stream->left -= codes;
        stream->active = stream->left != 0;
    }
}

void stream_send(struct stream *stream, const struct intake *intake, struct wire_session *session, const struct board *board)
{
    while (stream->active) {
        uint8_t waiting = unsent(stream, intake), codes = frame_codes(stream, session->max_payload, board->adc_bits);
        uint8_t length = frame_length(codes, board->adc_bits);
        if (waiting < codes || !may_send(session, length))
            return;
        struct wire_noise_codes *header = (void *)wire_session_payload(session);
        header->first = stream->next;
        header->micros = board->micros(board->context);
        header->bits = board->adc_bits;
        header->count = codes;
        pack((uint8_t *)(header + 1), &intake->noise, intake_place(intake, waiting), codes, board->adc_bits);
        if (!wire_session_send(session, WIRE_TYPE_NOISE_CODES, 0, header, length))
            return;
        frame_sent(stream, intake, codes);
    }
}
