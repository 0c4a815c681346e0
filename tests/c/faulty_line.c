/* Plants faults into the bytes of a line, drawn by a seed. faults.c calls it. */
#include "faulty_line.h"

#include <string.h>

#define LONGEST_STALL 3000        /* ticks */
#define OLD 200                   /* frames: in a sequence of 256 numbers, at the least */

const char *const fault_names[FAULTS] = {"flip", "drop", "double", "insert", "repeat", "merge", "return", "stall"};

static uint64_t random_state;

void random_seed(uint32_t seed)
{
    random_state = ((uint64_t)seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

uint32_t random_draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(((random_state >> 32) * below) >> 32);
}

void ring_put(struct ring *ring, uint8_t byte)
{
    ring->bytes[(ring->first + ring->count++) & (RING - 1)] = byte;
}

uint8_t ring_take(struct ring *ring)
{
    uint8_t byte = ring->bytes[ring->first];
    ring->first = (ring->first + 1) & (RING - 1);
    ring->count--;
    return byte;
}

/* The third byte before COBS; the frame begins with its first code. */
static uint8_t seq_of(const uint8_t *frame)
{
    return frame[0] == 3 || (frame[0] == 1 && frame[1] == 2) || (frame[0] == 2 && frame[2] == 1) || (frame[0] == 1 && frame[1] == 1 && frame[2] == 1)
               ? 0
               : frame[3];
}

static void keep(struct line *line)
{
    struct past *past = &line->past[line->frames % PAST];
    if (line->frame_bytes < 8 || line->frame_bytes > sizeof past->bytes)
        return;
    memcpy(past->bytes, line->frame, line->frame_bytes);
    past->count = (uint8_t)line->frame_bytes;
    past->seq = seq_of(line->frame);
    line->frames++;
}

/* An old frame comes once more, where its number is the next one again if there is one such. */
static void come_back(struct line *line, uint8_t next)
{
    uint32_t oldest = line->frames > PAST ? line->frames - PAST : 0, found = 0;
    const struct past *chosen = NULL;
    for (uint32_t number = oldest; number + OLD < line->frames; number++) {
        const struct past *past = &line->past[number % PAST];
        if (past->seq == next && random_draw(++found) == 0)
            chosen = past;
    }
    for (uint8_t i = 0; chosen && i < chosen->count; i++)
        line->deliver(chosen->bytes[i]);
    line->returned += chosen != NULL;
}

static void pass(struct line *line, uint8_t byte)
{
    if (line->frame_bytes < sizeof line->frame)
        line->frame[line->frame_bytes++] = byte;
    line->deliver(byte);
    if (byte != 0)
        return;
    if (line->repeat && line->frame_bytes > 1) {
        line->repeat = false;
        for (uint16_t i = 0; i < line->frame_bytes; i++)
            line->deliver(line->frame[i]);
    }
    if (line->frame_bytes > 1) {
        keep(line);
        if (line->returns)
            come_back(line, (uint8_t)(seq_of(line->frame) + 1));
        line->returns = false;
    }
    line->frame_bytes = 0;
}

static void suffer(struct line *line, uint8_t byte, enum fault fault)
{
    switch (fault) {
    case FLIP:
        byte ^= (uint8_t)(1u << random_draw(8));
        break;
    case DROP:
        return;
    case DOUBLE:
        pass(line, byte);
        break;
    case INSERT:
        pass(line, (uint8_t)random_draw(256));
        break;
    case REPEAT:
        line->repeat = true;
        break;
    case RETURN:
        line->returns = true;
        break;
    case MERGE:
        line->merge = 2;          /* one frame's end and the next one's beginning */
        break;
    default:
        line->stalled = 1 + random_draw(LONGEST_STALL);
        break;
    }
    pass(line, byte);
}

void line_tick(struct line *line, uint64_t faults[FAULTS])
{
    if (line->stalled > 0) {
        line->stalled--;
        return;
    }
    if (line->queue.count == 0)
        return;
    uint8_t byte = ring_take(&line->queue);
    if (byte == 0 && line->merge > 0) {
        line->merge--;
    } else if (line->spacing == 0 || random_draw(line->spacing) > 0) {
        pass(line, byte);
    } else {
        /* A stall costs a thousand ticks: one fault in a hundred. */
        uint32_t choice = random_draw(100);
        enum fault fault = choice < 99 ? (enum fault)(choice % STALL) : STALL;
        faults[fault]++;
        suffer(line, byte, fault);
    }
}
