/* The RA4M1 of an Uno R4: reset cause, restart and watchdog of chip.h. main.cpp calls them. */
#include "capabilities.h"

#ifdef ARDUINO_ARCH_RENESAS

#include <Arduino.h>
#include <WDT.h>

#include "chip.h"
#include "messages.h"

uint8_t chip_reset_cause(void)
{
    uint8_t supply = R_SYSTEM->RSTSR0;
    uint16_t others = R_SYSTEM->RSTSR1;
    /* Flags are cleared by writing 0 after they were read as 1. */
    R_SYSTEM->PRCR = 0xa500 | R_SYSTEM_PRCR_PRC1_Msk;
    R_SYSTEM->RSTSR0 = 0;
    R_SYSTEM->RSTSR1 = 0;
    R_SYSTEM->PRCR = 0xa500;
    if (supply & R_SYSTEM_RSTSR0_PORF_Msk)
        return WIRE_RESET_CAUSE_POWER_ON;
    if (supply & (R_SYSTEM_RSTSR0_LVD0RF_Msk | R_SYSTEM_RSTSR0_LVD1RF_Msk | R_SYSTEM_RSTSR0_LVD2RF_Msk))
        return WIRE_RESET_CAUSE_BROWN_OUT;
    if (others & (R_SYSTEM_RSTSR1_WDTRF_Msk | R_SYSTEM_RSTSR1_IWDTRF_Msk))
        return WIRE_RESET_CAUSE_WATCHDOG;
    if (others & R_SYSTEM_RSTSR1_SWRF_Msk)
        return WIRE_RESET_CAUSE_SOFTWARE;
    return others == 0 ? WIRE_RESET_CAUSE_EXTERNAL : WIRE_RESET_CAUSE_UNKNOWN; /* the pin sets no flag */
}

void chip_restart(void)
{
    NVIC_SystemReset();
}

void chip_watchdog_begin(void)
{
    WDT.begin((uint32_t)WATCHDOG_MS);
}

void chip_watchdog_feed(void)
{
    WDT.refresh();
}

#endif
