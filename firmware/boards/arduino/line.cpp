/* Two rings between the device and a serial port (serial_port.h). main.cpp makes them callbacks of struct board. */
#include "line.h"

#include <Arduino.h>

#include "frame.h"
#include "messages.h"
#include "serial_port.h"

/* Two of the longest frames: an answer and what follows it. */
#define WAITING (2 * WIRE_ENCODED_BYTES(WIRE_MAX_PAYLOAD))

static_assert(LINE_WINDOW >= WIRE_ENCODED_BYTES(WIRE_MIN_PAYLOAD),
              "Serial must hold a frame and an eighth more: 96 bytes; on an AVR by -DSERIAL_RX_BUFFER_SIZE=256");

static uint8_t ring[WAITING];
static uint16_t start;
static uint16_t waiting;
static uint16_t overruns;

void line_begin(void)
{
    port_begin();
}

uint16_t line_read(uint8_t *bytes, uint16_t most)
{
    /* The cores do not count what they drop; at least one byte was lost. */
    if (port_overrun())
        overruns++;
    return port_read(bytes, most);
}

uint16_t line_room(void)
{
    return (uint16_t)(WAITING - waiting);
}

void line_write(const uint8_t *bytes, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        ring[(start + waiting++) % WAITING] = bytes[i];
    line_flush();
}

uint16_t line_overruns(void)
{
    return overruns;
}

bool line_flush(void)
{
    uint16_t before = waiting;
    while (waiting > 0) {
        uint16_t contiguous = (uint16_t)(WAITING - start);
        uint16_t sent = port_write(ring + start, waiting < contiguous ? waiting : contiguous);
        if (sent == 0)
            break;
        start = (uint16_t)((start + sent) % WAITING);
        waiting = (uint16_t)(waiting - sent);
    }
    return waiting < before;
}

bool line_is_empty(void)
{
    return waiting == 0;
}
