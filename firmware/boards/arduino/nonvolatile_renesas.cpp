/* Data flash of an Uno R4: 8 blocks of 1 KB. The core's EEPROM class rewrites a whole block for every byte that changes; this does
 * not. The device is never init()ed: read() and erase() of core 1.5.3 open it themselves, and fail where it is open already. */
#include "capabilities.h"

#ifdef NONVOLATILE_RENESAS

#include <Arduino.h>
#include <DataFlashBlockDevice.h>

#include "nonvolatile.h"

static DataFlashBlockDevice &flash(void)
{
    return DataFlashBlockDevice::getInstance();
}

static bd_addr_t place(uint16_t block, uint16_t offset)
{
    return (bd_addr_t)block * FLASH_BLOCK_SIZE + offset;
}

uint16_t nonvolatile_blocks(void)
{
    return FLASH_TOTAL_SIZE / FLASH_BLOCK_SIZE;
}

uint16_t nonvolatile_block_bytes(void)
{
    return FLASH_BLOCK_SIZE;
}

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count)
{
    return flash().read(bytes, place(block, offset), count) == 0;
}

bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count)
{
    return flash().program(bytes, place(block, offset), count) == 0;
}

bool nonvolatile_erase(uint16_t block)
{
    return flash().erase(place(block, 0), FLASH_BLOCK_SIZE) == 0;
}

#endif
