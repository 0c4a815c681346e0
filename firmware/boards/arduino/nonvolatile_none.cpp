/* A core of which only the Arduino API is known: EEPROM is not part of it, and differs from core to core. */
#include "capabilities.h"

#ifdef NONVOLATILE_NONE

#include "nonvolatile.h"

uint16_t nonvolatile_blocks(void)
{
    return 0;
}

uint16_t nonvolatile_block_bytes(void)
{
    return 0;
}

bool nonvolatile_read(uint16_t, uint16_t, void *, uint16_t)
{
    return false;
}

bool nonvolatile_program(uint16_t, uint16_t, const void *, uint16_t)
{
    return false;
}

bool nonvolatile_erase(uint16_t)
{
    return false;
}

#endif
