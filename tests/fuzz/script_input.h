/* The bytes of a script, taken one behind the other; past the end they are 0. For script.c alone. */
#ifndef SCRIPT_INPUT_H
#define SCRIPT_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fuzz_messages.h"

static const uint8_t *next, *end;

static uint8_t take(void)
{
    return next < end ? *next++ : 0;
}

static void fill(uint8_t *bytes, uint16_t count)
{
    for (; count; count--)
        *bytes++ = take();
}

/* Bytes that look random, from one byte of the script. */
static void spread(uint8_t *bytes, uint16_t count, uint8_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    for (; count; count--) {
        state = state * 1664525u + 1013904223u;
        *bytes++ = (uint8_t)(state >> 24);
    }
}

/* Fixed fields from the script, brought into their ranges if asked for. */
static void fields(uint8_t *payload, const struct fuzz_message *message, bool in_range)
{
    fill(payload, message->size);
    for (uint8_t i = 0; in_range && i < message->field_count; i++) {
        const struct fuzz_field *field = &fuzz_fields[message->first_field + i];
        uint32_t value = 0;
        memcpy(&value, payload + field->offset, field->bytes);
        if (value < field->low || value > field->high)
            value = field->low + value % (field->high - field->low + 1);
        memcpy(payload + field->offset, &value, field->bytes);
    }
}

/* A number itself, mostly, or one next to it, another, or any. */
static uint32_t around(uint32_t value, uint32_t other)
{
    uint8_t how = take();
    switch (how & 15) {
    case 0:
        return other;
    case 1:
        return value + 1u + take();
    case 2:
        return value - 1u - take();
    case 3:
        return (uint32_t)(take() | take() << 8);
    case 4:
        return value ^ 0x10000u;
    default:
        return value;
    }
}

#endif
