/* The flash of a Pico: the sector that the core keeps for its EEPROM class, at the end, and before it those that it keeps for a file system,
 * unused here; platformio.ini asks for them. Nothing runs from flash while it is written. */
#include "capabilities.h"

#ifdef NONVOLATILE_RP2040

#include <Arduino.h>
#include <hardware/flash.h>
#include <string.h>

#include "nonvolatile.h"

#define MOST_BLOCKS 8

extern "C" const uint8_t _FS_start;
extern "C" const uint8_t _EEPROM_start;

static const uint8_t *place(uint16_t block)
{
    return &_EEPROM_start - (uint32_t)(nonvolatile_blocks() - 1 - block) * FLASH_SECTOR_SIZE;
}

static uint32_t flash_offset(uint16_t block)
{
    return (uint32_t)(place(block) - (const uint8_t *)XIP_BASE);
}

uint16_t nonvolatile_blocks(void)
{
    uint32_t blocks = (uint32_t)(&_EEPROM_start - &_FS_start) / FLASH_SECTOR_SIZE + 1;
    return (uint16_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

uint16_t nonvolatile_block_bytes(void)
{
    return FLASH_SECTOR_SIZE;
}

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count)
{
    memcpy(bytes, place(block) + offset, count);
    return true;
}

bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count)
{
    /* Whole pages are programmed; what reads 0xff stays as it is. */
    static uint8_t page[FLASH_PAGE_SIZE];
    uint16_t start = offset % FLASH_PAGE_SIZE;
    if (start + count > FLASH_PAGE_SIZE)
        return false;
    memset(page, 0xff, sizeof page);
    memcpy(page + start, bytes, count);
    noInterrupts();
    flash_range_program(flash_offset(block) + offset - start, page, sizeof page);
    interrupts();
    return true;
}

bool nonvolatile_erase(uint16_t block)
{
    noInterrupts();
    flash_range_erase(flash_offset(block), FLASH_SECTOR_SIZE);
    interrupts();
    return true;
}

#endif
