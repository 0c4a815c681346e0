/* Single bytes of the EEPROM, without waiting for the 3.4 ms of a write. */
#include "capabilities.h"

#ifdef NONVOLATILE_AVR

#include <avr/eeprom.h>

#include "memory.h"
#include "nonvolatile.h"

static_assert(E2END < SIZE_MAX / 8, "bits of the largest dataset are counted in a size_t (bounds.h)");

uint16_t memory_bytes(void)
{
    return (uint16_t)((nonvolatile_blocks() - NONVOLATILE_BOOT_BLOCKS) * nonvolatile_block_bytes());
}

uint16_t memory_block(void)
{
    return 1;
}

bool memory_ready(void *)
{
    return eeprom_is_ready();
}

uint8_t memory_read(void *, uint16_t address)
{
    return eeprom_read_byte((const uint8_t *)address);
}

void memory_write(void *, uint16_t address, uint8_t value)
{
    eeprom_update_byte((uint8_t *)address, value);
}

void memory_flush(void *)
{
}

#endif
