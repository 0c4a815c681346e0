/* Chips of which no memory is known that outlives every kind of reset. */
#include "capabilities.h"

#ifndef ARDUINO_ARCH_AVR

#include "chip.h"

uint8_t *chip_error(void)
{
    static uint8_t error;
    return &error;
}

#endif
