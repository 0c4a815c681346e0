/* EEPROM of an ATmega: single bytes can be rewritten; 3.4 ms and one of 100,000 cycles for each that changes. */
#include "capabilities.h"

#ifdef NONVOLATILE_AVR

#include <avr/eeprom.h>
#include <avr/io.h>

#include "nonvolatile.h"

#define BLOCK_BYTES 64

static uint8_t *place(uint16_t block, uint16_t offset)
{
    return (uint8_t *)(block * BLOCK_BYTES + offset);
}

uint16_t nonvolatile_blocks(void)
{
    return (E2END + 1) / BLOCK_BYTES;
}

uint16_t nonvolatile_block_bytes(void)
{
    return BLOCK_BYTES;
}

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count)
{
    eeprom_read_block(bytes, place(block, offset), count);
    return true;
}

bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count)
{
    eeprom_update_block(bytes, place(block, offset), count);
    return true;
}

bool nonvolatile_erase(uint16_t block)
{
    for (uint8_t i = 0; i < BLOCK_BYTES; i++)
        eeprom_update_byte(place(block, i), 0xff);
    return true;
}

#endif
