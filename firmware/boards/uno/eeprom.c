/* The EEPROM's registers. board_fixed.h makes these functions callbacks; starts.c counts starts with them. */
#include "eeprom.h"

#include <avr/interrupt.h>
#include <avr/io.h>

/* Functions of their own also in an image that is optimised as a whole: the tests call them. */
#define USED __attribute__((used))

bool eeprom_ready(void *context)
{
    (void)context;
    return !(EECR & (1u << EEPE));
}

USED uint8_t eeprom_read(void *context, uint16_t address)
{
    (void)context;
    EEAR = address;
    EECR |= 1u << EERE;
    return EEDR;
}

USED void eeprom_write(void *context, uint16_t address, uint8_t value)
{
    if (eeprom_read(context, address) == value)
        return;
    EEDR = value;
    /* The write must begin within four cycles of its permission: two set-bit instructions. */
    cli();
    EECR |= 1u << EEMPE;
    EECR |= 1u << EEPE;
    sei();
}
