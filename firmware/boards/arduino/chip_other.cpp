/* A core of which only the Arduino API is known. */
#include "capabilities.h"

#ifdef CHIP_OTHER

#include "chip.h"
#include "messages.h"

uint8_t chip_reset_cause(void)
{
    return WIRE_RESET_CAUSE_UNKNOWN;
}

void chip_restart(void)
{
}

void chip_watchdog_begin(void)
{
}

void chip_watchdog_feed(void)
{
}

#endif
