/* A measuring program for the Uno: the learner of firmware/lib/anp trains samples that lie in memory, from noise that the converter
 * takes at the same time, and shows how long it took. It answers frames as the device does (shared/protocol.toml), with types of its
 * own; host/mtjlearn/bench/resident.py is the other side. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <string.h>

#include "anp.h"
#include "clock.h"
#include "converter.h"
#include "frame.h"
#include "health.h"
#include "line.h"
#include "messages.h"
#include "starts.h"
#include "uno.h"

#define PAYLOAD WIRE_MIN_PAYLOAD
#define ANSWER 0x80               /* added to the type of a command in its answer */
#define BATCH 16                  /* codes taken at once, as the device does */
#define INPUT 24                  /* received bytes decoded at once, as the device does */
#define VALUES 192                /* of all samples */
#define ARENA_BYTES 256
#define CODES_PER_SECOND (F_CPU / UNO_CYCLES_PER_CODE)
#define FULL_SCALE 1023

enum command {
    CONFIGURE = 1,                /* u32 seed, u32 learning rate, u16 sigma, u8 sizes; answer: u8 anp_status */
    STORE = 2,                    /* u16 place of the first value, i16 values; empty answer */
    RUN = 3,                      /* u32 learning rate, u32 steps; answer: struct run */
    EVALUATE = 4,                 /* empty; answer: u64 sum of the losses of all samples */
    FRAMES = 5,                   /* u8 payload bytes, u16 repeats; answer: u32 us to encode, u32 us to decode */
    TESTS = 6,                    /* u8 codes, at most BATCH, u16 repeats; answer: u32 us of the noise tests; empty: they do not run */
};

struct run {
    uint32_t micros;
    uint32_t steps;
    uint32_t skipped;
    uint32_t saturations;
    uint32_t codes;               /* that entered the noise buffer while it ran */
    uint32_t lost;                /* of the converter while it ran */
};

static struct anp_network net;
static struct anp_noise noise;
static struct health health;
static uint8_t arena[ARENA_BYTES] __attribute__((aligned(4)));
static int16_t values[VALUES];
static uint16_t stored;           /* values */
static int16_t receive[(WIRE_RECEIVE_BYTES(PAYLOAD) + 1) / 2];
static int16_t transmit[(WIRE_TRANSMIT_BYTES(PAYLOAD) + 1) / 2];

static uint32_t take32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint16_t take16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | (uint16_t)bytes[1] << 8);
}

static uint8_t configure(const uint8_t *payload, uint8_t length)
{
    struct anp_config config = {
        .rounding = ANP_STOCHASTIC,
        .normalised = true,
        .seed = take32(payload),
        .learning_rate = take32(payload + 4),
        .sigma = take16(payload + 8),
        .layers = (uint8_t)(length - 11),
    };
    for (uint8_t i = 10; i < length && i <= 10 + ANP_MAX_LAYERS; i++)
        config.sizes[i - 10] = payload[i];
    anp_noise_forget(&noise);
    return (uint8_t)anp_configure(&net, &config, arena, sizeof arena);
}

static void take_codes(void)
{
    uint16_t codes[BATCH];
    uint8_t count;
    do {
        count = (uint8_t)converter_read(NULL, codes, BATCH);
        anp_noise_put_all(&noise, codes, count);
    } while (count == BATCH);
}

static void run(uint32_t learning_rate, uint32_t steps, struct run *result)
{
    anp_set_rates(&net, learning_rate, 0);
    while (!anp_noise_ready(&noise)) {
        take_codes();
        starts_feed();
    }
    uint8_t width = (uint8_t)(net.config.sizes[0] + anp_target_count(&net));
    const int16_t *sample = values, *end = values + stored;
    bool noisy = anp_noise_calibrated(&noise) || anp_noise_calibrate(&noise, net.config.sigma, 0);
    /* The calibration took longer than the converter's FIFO holds; the hole shows when codes from behind it are read. */
    take_codes();
    take_codes();
    uint32_t codes = noise.received, lost = converter_lost(NULL), begun = clock_micros(NULL);
    for (; noisy && steps; steps--) {
        take_codes();
        anp_train(&net, &noise, sample, sample + net.config.sizes[0]);
        sample += width;
        if (sample == end)
            sample = values;
        starts_feed();
    }
    result->micros = clock_micros(NULL) - begun;
    result->steps = net.steps;
    result->skipped = net.skipped;
    result->saturations = net.saturations;
    result->codes = noise.received - codes;
    result->lost = converter_lost(NULL) - lost;
}

static uint64_t evaluate(void)
{
    uint8_t width = (uint8_t)(net.config.sizes[0] + anp_target_count(&net));
    uint64_t sum = 0;
    for (const int16_t *sample = values; sample < values + stored; sample += width) {
        bool correct;
        sum += anp_evaluate(&net, sample, sample + net.config.sizes[0], &correct);
        starts_feed();
    }
    return sum;
}

static void time_frames(uint8_t length, uint16_t repeats, uint32_t *micros)
{
    uint8_t *bytes = (uint8_t *)transmit;
    uint32_t times[2] = {0, 0};
    /* The first two readings of the clock have nothing in between: that is what a reading costs. */
    for (; repeats; repeats--) {
        struct wire_decoder decoder;
        for (uint8_t i = 0; i < length; i++)
            bytes[WIRE_TRANSMIT_PAYLOAD + i] = (uint8_t)(i * 73u);
        wire_decoder_init(&decoder, (uint8_t *)receive, PAYLOAD);
        uint32_t begun = clock_micros(NULL), cost = clock_micros(NULL) - begun;
        begun += cost;
        wire_encode(bytes, WIRE_TYPE_TRAIN, 1, 1, length, 0);
        uint32_t encoded = clock_micros(NULL);
        const uint8_t *from = bytes + 1, *end = from + WIRE_ENCODED_BYTES(length);
        for (uint16_t taken; from < end; from += taken) {
            uint16_t left = (uint16_t)(end - from);
            wire_decode(&decoder, from, left < INPUT ? left : INPUT, &taken);
        }
        times[0] += encoded - begun - cost;
        times[1] += clock_micros(NULL) - encoded - cost;
        starts_feed();
    }
    memcpy(micros, times, sizeof times);
}

/* The tests of the noise source on fresh codes, this many at once. False: the source does not show two levels. */
static bool time_tests(uint8_t count, uint16_t repeats, uint32_t *micros)
{
    uint16_t codes[BATCH];
    *micros = 0;
    while (!anp_noise_ready(&noise)) {
        take_codes();
        starts_feed();
    }
    health_init(&health, CODES_PER_SECOND, FULL_SCALE);
    if (count == 0 || count > BATCH || !health_calibrate(&health, &noise, noise.received - 1))
        return false;
    for (; repeats; repeats--) {
        for (uint8_t taken = 0; taken < count;) {
            taken = (uint8_t)(taken + converter_read(NULL, codes + taken, (uint16_t)(count - taken)));
            starts_feed();
        }
        anp_noise_put_all(&noise, codes, count);
        uint32_t begun = clock_micros(NULL), cost = clock_micros(NULL) - begun;
        begun += cost;
        health_take(&health, &noise, codes, count, noise.received - count);
        *micros += clock_micros(NULL) - begun - cost;
    }
    return health.fault == 0;
}

static void answer(uint8_t type, uint8_t seq, const void *payload, uint8_t length)
{
    memcpy((uint8_t *)transmit + WIRE_TRANSMIT_PAYLOAD, payload, length);
    wire_encode((uint8_t *)transmit, type | ANSWER, WIRE_SESSION_NONE, seq, length, 0);
    uint16_t count = (uint16_t)WIRE_ENCODED_BYTES(length);
    while (line_room(NULL) < count)
        starts_feed();
    line_write(NULL, (uint8_t *)transmit + 1, count);
}

static void execute(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length)
{
    union {
        uint8_t status;
        struct run run;
        uint64_t losses;
        uint32_t micros[2];
    } result;
    if (type == CONFIGURE) {
        result.status = configure(payload, length);
        answer(type, seq, &result, sizeof result.status);
    } else if (type == STORE) {
        uint16_t first = take16(payload), count = (uint16_t)((length - 2) / 2);
        if (first + count <= VALUES) {
            memcpy(values + first, payload + 2, count * sizeof *values);
            stored = (uint16_t)(first + count);
            answer(type, seq, &result, 0);
        }
    } else if (type == RUN) {
        run(take32(payload), take32(payload + 4), &result.run);
        answer(type, seq, &result, sizeof result.run);
    } else if (type == EVALUATE) {
        result.losses = evaluate();
        answer(type, seq, &result, sizeof result.losses);
    } else if (type == FRAMES) {
        time_frames(payload[0], take16(payload + 1), result.micros);
        answer(type, seq, &result, sizeof result.micros);
    } else if (type == TESTS) {
        bool served = time_tests(payload[0], take16(payload + 1), result.micros);
        answer(type, seq, &result, served ? sizeof result.micros[0] : 0);
    }
}

int main(void)
{
    static struct board_start start;
    starts_begin(&start);
    clock_init();
    line_init();
    converter_init();
    sei();
    while (clock_micros(NULL) < CONVERTER_SETTLES_MICROS)
        starts_feed();
    converter_start();

    struct wire_decoder decoder;
    wire_decoder_init(&decoder, (uint8_t *)receive, PAYLOAD);
    for (;;) {
        const uint8_t *bytes;
        uint16_t taken;
        starts_feed();
        take_codes();
        uint8_t seen = line_look(&bytes);
        enum wire_event event = wire_decode(&decoder, bytes, seen, &taken);
        line_took((uint8_t)taken);
        if (event == WIRE_FRAME)
            execute(wire_frame_type(&decoder), wire_frame_seq(&decoder), wire_frame_payload(&decoder), wire_frame_length(&decoder));
    }
}
