/* The ring between a converter's interrupt, which fills it, and converter_take(), which empties it. */
#include "codes.h"

#include <Arduino.h>

#include "capabilities.h"

#ifdef CODES_WAITING

static_assert((CODES_WAITING & (CODES_WAITING - 1)) == 0, "indices wrap around at a power of two");

/* An AVR reads and writes one byte at a time, so that its indices are bytes. */
#if CODES_WAITING <= 128
typedef uint8_t place;
#else
typedef uint16_t place;
#endif

static uint16_t ring[CODES_WAITING];
static volatile place first;          /* moved by codes_take() alone */
static volatile place end;            /* moved by the interrupt alone */
static volatile bool missing;         /* a hole lies behind what is in the ring */
static volatile uint32_t missed;      /* its codes so far */
static uint32_t lost;

/* The ring is not volatile: without this the compiler may move its accesses across those of the indices that guard them. */
#define ORDERED() __asm__ volatile("" ::: "memory")

static place waiting(void)
{
    return (place)(end - first);
}

void codes_miss(uint32_t count)
{
    missed = missed + count;
    missing = true;
}

void codes_put(uint16_t code)
{
    if (missing || waiting() == CODES_WAITING) {
        codes_miss(1);
        return;
    }
    place to = end;
    ring[to % CODES_WAITING] = code;
    ORDERED();
    end = (place)(to + 1);
}

uint16_t codes_take(uint16_t *codes, uint16_t most)
{
    if (missing && waiting() == 0) {
        noInterrupts();
        lost += missed;
        missed = 0;
        missing = false;
        interrupts();
    }
    place from = first;
    uint16_t ready = waiting();
    uint16_t count = most < ready ? most : ready;
    ORDERED();
    for (uint16_t i = 0; i < count; i++)
        codes[i] = ring[(place)(from + i) % CODES_WAITING];
    ORDERED();
    first = (place)(from + count);
    return count;
}

uint32_t codes_lost(void)
{
    return lost;
}

#endif
