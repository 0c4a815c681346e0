/* The flash of a Pico: the sector that the core keeps for its EEPROM class. Nothing runs from flash while it is written. */
#include "capabilities.h"

#ifdef NONVOLATILE_RP2040

#include <Arduino.h>
#include <hardware/flash.h>
#include <string.h>

#include "nonvolatile.h"

extern "C" const uint8_t _EEPROM_start;

static uint32_t flash_offset(void)
{
    return (uint32_t)(&_EEPROM_start - (const uint8_t *)XIP_BASE);
}

uint16_t nonvolatile_blocks(void)
{
    return 1;
}

uint16_t nonvolatile_block_bytes(void)
{
    return FLASH_SECTOR_SIZE;
}

bool nonvolatile_read(uint16_t, uint16_t offset, void *bytes, uint16_t count)
{
    memcpy(bytes, &_EEPROM_start + offset, count);
    return true;
}

bool nonvolatile_program(uint16_t, uint16_t offset, const void *bytes, uint16_t count)
{
    /* Whole pages are programmed; what reads 0xff stays as it is. */
    static uint8_t page[FLASH_PAGE_SIZE];
    uint16_t start = offset % FLASH_PAGE_SIZE;
    if (start + count > FLASH_PAGE_SIZE)
        return false;
    memset(page, 0xff, sizeof page);
    memcpy(page + start, bytes, count);
    noInterrupts();
    flash_range_program(flash_offset() + offset - start, page, sizeof page);
    interrupts();
    return true;
}

bool nonvolatile_erase(uint16_t)
{
    noInterrupts();
    flash_range_erase(flash_offset(), FLASH_SECTOR_SIZE);
    interrupts();
    return true;
}

#endif
