/* A device that does nothing but what it is told over the line, to test what a board gives it. A command is a byte and its arguments; the
 * answer begins with the same byte. Numbers are little-endian.
 *     w ADDRESS16 BYTE    writes the memory when it is ready        r ADDRESS16   -> BYTE         f   flushes
 *     y   -> BYTE, is the memory ready?                              a PIN         -> CODE16
 *     t   lets time pass -> COUNT8 and this many CODE16                l   -> LOST32
 *     d   -> memory bytes 16, block 16, boot count 16, cause 8, last error 8
 *     e BYTE   is the error to be kept                               q   restarts (no answer) */
#include <string.h>

#include "turn.h"

#define CODES 16

void device_init(struct device *device, const struct board *board, const struct board_start *start)
{
    memset(device, 0, sizeof *device);
    device->board = board;
    device->start = start;
}

static uint8_t wanted(uint8_t command)
{
    switch (command) {
    case 'w':
        return 4;
    case 'r':
        return 3;
    case 'a':
    case 'e':
        return 2;
    default:
        return 1;
    }
}

static uint8_t put16(uint8_t *answer, uint8_t at, uint16_t value)
{
    answer[at] = (uint8_t)value;
    answer[at + 1] = (uint8_t)(value >> 8);
    return (uint8_t)(at + 2);
}

static uint8_t obey(struct device *device, uint8_t *answer)
{
    const struct board *board = device->board;
    const struct board_start *start = device->start;
    const uint8_t *input = device->input;
    uint16_t address = (uint16_t)(input[1] | input[2] << 8), codes[CODES];
    uint8_t count, at = 1;
    switch (*input) {
    case 'w':
        board->memory_write(board->context, address, input[3]);
        break;
    case 'r':
        answer[at++] = board->memory_read(board->context, address);
        break;
    case 'f':
        board->memory_flush(board->context);
        break;
    case 'y':
        answer[at++] = board->memory_ready(board->context);
        break;
    case 'a':
        at = put16(answer, at, board->analog(board->context, input[1]));
        break;
    case 't':
        board->advance(board->context);
        count = answer[at++] = (uint8_t)board->adc_read(board->context, codes, CODES);
        for (uint8_t i = 0; i < count; i++)
            at = put16(answer, at, codes[i]);
        break;
    case 'l':
        at = put16(answer, at, (uint16_t)board->adc_lost(board->context));
        at = put16(answer, at, (uint16_t)(board->adc_lost(board->context) >> 16));
        break;
    case 'd':
        at = put16(answer, at, board->memory_bytes);
        at = put16(answer, at, board->memory_block);
        at = put16(answer, at, start->boot_count);
        answer[at++] = start->reset_cause;
        answer[at++] = start->last_error;
        break;
    case 'e':
        *start->error = input[1];
        break;
    default:
        break;
    }
    return at;
}

bool device_poll(struct device *device)
{
    const struct board *board = device->board;
    if (device->restart) {
        board->reset(board->context);
        return true;
    }
    uint8_t *input = device->input;
    if (device->input_end == 0)
        device->input_end = (uint8_t)board->read(board->context, input, 1);
    if (device->input_end == 0)
        return false;
    if (device->input_end < wanted(*input)) {
        uint16_t missing = (uint16_t)(wanted(*input) - device->input_end);
        device->input_end = (uint8_t)(device->input_end + board->read(board->context, input + device->input_end, missing));
        return true;
    }
    uint8_t answer[2 + 2 * CODES] = {*input};
    bool waits = (*input == 'w' || *input == 'r' || *input == 'f') && !board->memory_ready(board->context);
    if (waits || board->write_room(board->context) < sizeof answer)
        return true;
    device->input_end = 0;
    if (*input == 'q')
        device->restart = true;
    else
        board->write(board->context, answer, obey(device, answer));
    return true;
}
