/* The ATmega's parts of firmware/boards/arduino on an ATmega328P that does nothing else; a test calls them between two turns. */
#include "chip.h"
#include "converter.h"
#include "memory.h"

#include <Arduino.h>

static uint8_t cause, last_error;

extern "C" {
__attribute__((noinline)) void device_poll(void)
{
    __asm__ volatile("");
}

__attribute__((used)) uint16_t analog(void *context, uint8_t pin)
{
    return converter_analog(context, pin);
}

__attribute__((used)) uint16_t take(void *, uint16_t *codes, uint16_t most)
{
    return converter_take(codes, most);
}

__attribute__((used)) uint32_t lost(void *)
{
    return converter_lost();
}

__attribute__((used)) uint16_t bytes(void *)
{
    return memory_bytes();
}

__attribute__((used)) uint8_t ready(void *context)
{
    return memory_ready(context);
}

__attribute__((used)) uint8_t load(void *context, uint16_t address)
{
    return memory_read(context, address);
}

__attribute__((used)) void store(void *context, uint16_t address, uint8_t value)
{
    memory_write(context, address, value);
}

__attribute__((used)) void leave_error(void *, uint8_t error)
{
    *chip_error() = error;
}

__attribute__((used)) uint16_t start(void *)
{
    return (uint16_t)(cause | last_error << 8);
}
}

int main()
{
    cause = chip_reset_cause();
    last_error = *chip_error();
    *chip_error() = 0;
    converter_begin();
    sei();
    for (;;)
        device_poll();
}
