/* Frames: 00 | COBS(type, session, seq, payload, CRC-32) | 00, see shared/protocol.toml.
 *
 * Both directions work in one buffer each, without a second copy: the decoder writes what it decoded, the encoder
 * replaces the zeros of the frame by COBS codes where they stand. A payload lies at an even place of its buffer. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WIRE_FRAME_OVERHEAD 7                                  /* type, session, seq, CRC-32 */
#define WIRE_ENCODED_BYTES(payload) ((payload) + 10)           /* on the line: with COBS and both delimiters */
#define WIRE_RECEIVE_PAYLOAD 4                                 /* where the payload starts in a receive buffer */
#define WIRE_RECEIVE_BYTES(max_payload) ((max_payload) + 8)
#define WIRE_TRANSMIT_PAYLOAD 6                                /* where the payload starts in a transmit buffer */
#define WIRE_TRANSMIT_BYTES(max_payload) ((max_payload) + 11)

#define WIRE_HALF_TURN 128        /* numbers from the oldest that a frame may have to the one expected next */

enum wire_event {
    WIRE_NOTHING,                 /* the frame continues, or nothing stood between two delimiters */
    WIRE_FRAME,                   /* the receive buffer holds a frame whose checksum is right, until the next byte */
    WIRE_BAD_FRAME,               /* something that is not a frame ended here; it is dropped */
};

/* 11 bytes and a pointer. */
struct wire_decoder {
    uint8_t *buffer;              /* WIRE_RECEIVE_BYTES(max_payload), aligned to 2 bytes, the caller's */
    uint8_t capacity;             /* decoded bytes that fit, max_payload + WIRE_FRAME_OVERHEAD */
    uint8_t length;               /* decoded bytes of this frame */
    uint8_t block;                /* bytes to come until the next COBS code */
    bool zero;                    /* the COBS block ends in a zero, unless the frame ends with it */
    bool started;                 /* a byte arrived since the last delimiter */
    bool too_long;                /* this frame does not fit; it is skipped up to its delimiter */
    uint8_t next_seq;             /* low byte of the number expected next, the session's */
    uint32_t oldest_seed;         /* of the CRC of a frame half a turn older, the session's */
};

/* What holds of a decoder between two calls: it may write its buffer from the second byte on and keeps within it. */
/*@ predicate wire_decoder_sound(struct wire_decoder *decoder) =
  @   \valid(decoder) && WIRE_FRAME_OVERHEAD <= decoder->capacity <= 240 + WIRE_FRAME_OVERHEAD && decoder->length <= decoder->capacity &&
  @   \valid(decoder->buffer + (0 .. decoder->capacity)) && \separated(decoder, decoder->buffer + (0 .. decoder->capacity)); */

/* max_payload: at most 240. */
/*@ requires most: max_payload <= 240;
  @ requires room: \valid(decoder) && \valid(buffer + (0 .. WIRE_RECEIVE_BYTES(max_payload) - 1));
  @ requires apart: \separated(decoder, buffer + (0 .. WIRE_RECEIVE_BYTES(max_payload) - 1));
  @ terminates \true;
  @ assigns *decoder;
  @ ensures sound: wire_decoder_sound(decoder);
  @ ensures empty: decoder->buffer == buffer && decoder->capacity == max_payload + WIRE_FRAME_OVERHEAD && !decoder->started; */
void wire_decoder_init(struct wire_decoder *decoder, uint8_t *buffer, uint8_t max_payload);

/* Takes bytes from the line, `*taken` of them: all, or those up to the end of a frame. */
/*@ requires sound: wire_decoder_sound(decoder);
  @ requires line: \valid_read(bytes + (0 .. count - 1)) && \valid(taken);
  @ requires apart: \separated(decoder, decoder->buffer + (0 .. decoder->capacity), bytes + (0 .. count - 1), taken);
  @ terminates \true;
  @ assigns decoder->length, decoder->block, decoder->zero, decoder->started, decoder->too_long, *taken,
  @         decoder->buffer[1 .. decoder->capacity];
  @ ensures sound: wire_decoder_sound(decoder);
  @ ensures all: *taken <= count && (\result == WIRE_NOTHING ==> *taken == count);
  @ ensures whole: \result == WIRE_FRAME ==> decoder->length >= WIRE_FRAME_OVERHEAD && !decoder->started; */
enum wire_event wire_decode(struct wire_decoder *decoder, const uint8_t *bytes, uint16_t count, uint16_t *taken);

/* The frame that wire_decode() announced. */
/*@ requires sound: wire_decoder_sound(decoder); assigns \nothing; ensures \result == decoder->buffer[1]; */
static inline uint8_t wire_frame_type(const struct wire_decoder *decoder) { return decoder->buffer[1]; }
/*@ requires sound: wire_decoder_sound(decoder); assigns \nothing; ensures \result == decoder->buffer[2]; */
static inline uint8_t wire_frame_session(const struct wire_decoder *decoder) { return decoder->buffer[2]; }
/*@ requires sound: wire_decoder_sound(decoder); assigns \nothing; ensures \result == decoder->buffer[3]; */
static inline uint8_t wire_frame_seq(const struct wire_decoder *decoder) { return decoder->buffer[3]; }
/*@ requires sound: wire_decoder_sound(decoder); assigns \nothing; ensures \result == decoder->buffer + WIRE_RECEIVE_PAYLOAD; */
static inline const uint8_t *wire_frame_payload(const struct wire_decoder *decoder)
{
    return decoder->buffer + WIRE_RECEIVE_PAYLOAD;
}
/*@ requires whole: wire_decoder_sound(decoder) && decoder->length >= WIRE_FRAME_OVERHEAD;
  @ assigns \nothing;
  @ ensures inside: WIRE_RECEIVE_PAYLOAD + \result <= decoder->capacity; */
static inline uint8_t wire_frame_length(const struct wire_decoder *decoder)
{
    return (uint8_t)(decoder->length - WIRE_FRAME_OVERHEAD);
}

/* By how much the seed grows every 256 numbers. A seed acts on the CRC as flips in the frame's first four bytes do; this one acts as many of
 * them, which no line makes by chance: with 1, a frame that returns and has one bit of its type flipped would count. */
#define WIRE_SEED_STEP UINT32_C(0x9E3779B1)

/* What the CRC of a frame with this header continues from. A seq stands for the number nearest to the one expected next, that is for one
 * of the 256 from half a turn before it on. */
/*@ requires readable: \valid_read(decoder);
  @ terminates \true;
  @ assigns \result \from decoder->oldest_seed, decoder->next_seq, session, seq;
  @ ensures none: session == 0 ==> \result == 0;
  @ ensures turn: session != 0 ==> \result == decoder->oldest_seed || \result == (uint32_t)(decoder->oldest_seed + WIRE_SEED_STEP); */
uint32_t wire_seed(const struct wire_decoder *decoder, uint8_t session, uint8_t seq);

/* Makes a frame of the payload that already lies at buffer + WIRE_TRANSMIT_PAYLOAD, `length` bytes, at most 240. The
 * frame starts at buffer + 1 and has WIRE_ENCODED_BYTES(length) bytes. The seed is wire_seed()'s. */
/*@ requires most: length <= 240;
  @ requires room: \valid(buffer + (0 .. WIRE_TRANSMIT_BYTES(length) - 1));
  @ terminates \true;
  @ assigns buffer[1 .. WIRE_ENCODED_BYTES(length)];
  @ ensures delimited: buffer[1] == 0 && buffer[WIRE_ENCODED_BYTES(length)] == 0;
  @ ensures one: \forall integer i; 1 < i < WIRE_ENCODED_BYTES(length) ==> buffer[i] != 0; */
void wire_encode(uint8_t *buffer, uint8_t type, uint8_t session, uint8_t seq, uint8_t length, uint32_t seed);

#ifdef __cplusplus
}
#endif
#endif
