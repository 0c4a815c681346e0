/* An RP2040: reset cause, restart and watchdog of chip.h. main.cpp calls them. */
#include "capabilities.h"

#ifdef ARDUINO_ARCH_RP2040

#include <Arduino.h>

#include "chip.h"
#include "messages.h"

uint8_t chip_reset_cause(void)
{
    switch (rp2040.getResetReason()) {
    case RP2040::PWRON_RESET:
        return WIRE_RESET_CAUSE_POWER_ON;
    case RP2040::RUN_PIN_RESET:
        return WIRE_RESET_CAUSE_EXTERNAL;
    case RP2040::SOFT_RESET:
        return WIRE_RESET_CAUSE_SOFTWARE;
    case RP2040::WDT_RESET:
        return WIRE_RESET_CAUSE_WATCHDOG;
    default:
        return WIRE_RESET_CAUSE_UNKNOWN;
    }
}

void chip_restart(void)
{
    rp2040.reboot();
}

void chip_watchdog_begin(void)
{
    rp2040.wdt_begin(WATCHDOG_MS);
}

void chip_watchdog_feed(void)
{
    rp2040.wdt_reset();
}

#endif
