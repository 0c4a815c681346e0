/* An ESP32: reset cause, restart and watchdog of chip.h. main.cpp calls them. */
#include "capabilities.h"

#ifdef ARDUINO_ARCH_ESP32

#include <Arduino.h>
#include <esp_system.h>

#include "chip.h"
#include "messages.h"

uint8_t chip_reset_cause(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return WIRE_RESET_CAUSE_POWER_ON;
    case ESP_RST_EXT:
        return WIRE_RESET_CAUSE_EXTERNAL;
    case ESP_RST_BROWNOUT:
        return WIRE_RESET_CAUSE_BROWN_OUT;
    case ESP_RST_SW:
        return WIRE_RESET_CAUSE_SOFTWARE;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return WIRE_RESET_CAUSE_WATCHDOG;
    default:
        return WIRE_RESET_CAUSE_UNKNOWN;
    }
}

void chip_restart(void)
{
    ESP.restart();
}

/* The core's own, with the core's time-out of five seconds. */
void chip_watchdog_begin(void)
{
    enableLoopWDT();
}

void chip_watchdog_feed(void)
{
    feedLoopWDT();
}

#endif
