#include "eeprom.h"

#include <avr/interrupt.h>
#include <avr/io.h>

__attribute__((used)) bool eeprom_ready(void *context)
{
    (void)context;
    return !(EECR & (1u << EEPE));
}

__attribute__((used)) uint8_t eeprom_read(void *context, uint16_t address)
{
    (void)context;
    EEAR = address;
    EECR |= 1u << EERE;
    return EEDR;
}

__attribute__((used)) void eeprom_write(void *context, uint16_t address, uint8_t value)
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
