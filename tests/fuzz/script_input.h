/* The bytes of a script, taken one behind the other; past the end they are 0. For script.c alone. */
#ifndef SCRIPT_INPUT_H
#define SCRIPT_INPUT_H

#include <stdint.h>

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

#endif
