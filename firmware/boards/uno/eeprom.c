#include "eeprom.h"

#include <avr/interrupt.h>
#include <avr/io.h>

bool eeprom_ready(void)
{
    return !(EECR & (1u << EEPE));
}

uint8_t eeprom_read(uint16_t address)
{
    EEAR = address;
    EECR |= 1u << EERE;
    return EEDR;
}

void eeprom_write(uint16_t address, uint8_t value)
{
    EEAR = address;
    EEDR = value;
    /* The write must begin within four cycles of its permission: two set-bit instructions. */
    cli();
    EECR |= 1u << EEMPE;
    EECR |= 1u << EEPE;
    sei();
}
