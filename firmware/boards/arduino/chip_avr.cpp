/* Bootloaders clear MCUSR, so the program leaves word, in memory that neither its start nor a reset clears, when it restarts the chip or
 * the watchdog is about to. (Bootloaders of the Mega older than 2012 do not survive a watchdog's restart and need a power cycle.) */
#include "capabilities.h"

#ifdef ARDUINO_ARCH_AVR

#include <Arduino.h>
#include <avr/wdt.h>

#include "chip.h"
#include "messages.h"

static_assert(WATCHDOG_MS == 2000, "the interrupt comes after one second, the restart one later: WDTO_1S");

#define KEY 0x6a746d75ul

static volatile uint32_t key __attribute__((section(".noinit"))); /* KEY: memory was kept since the program ran before */
static volatile uint8_t told __attribute__((section(".noinit"))); /* the cause of a restart that is due; 0: none is */

static uint8_t error __attribute__((section(".noinit")));         /* the device's last */

/* The first time-out interrupts, the second restarts. */
ISR(WDT_vect)
{
    told = WIRE_RESET_CAUSE_WATCHDOG;
}

uint8_t chip_reset_cause(void)
{
    uint8_t flags = MCUSR;
    MCUSR = 0;
    wdt_disable();
    bool kept = key == KEY;
    uint8_t word = kept ? told : 0;
    key = KEY;
    told = 0;
    if (!kept || flags & (_BV(PORF) | _BV(BORF)))
        error = 0;
    if (flags & _BV(PORF))
        return WIRE_RESET_CAUSE_POWER_ON;
    if (flags & _BV(BORF))
        return WIRE_RESET_CAUSE_BROWN_OUT;
    if (word)
        return word;
    if (flags & _BV(WDRF))
        return WIRE_RESET_CAUSE_WATCHDOG;
    return kept || flags & _BV(EXTRF) ? WIRE_RESET_CAUSE_EXTERNAL : WIRE_RESET_CAUSE_POWER_ON;
}

uint8_t *chip_error(void)
{
    return &error;
}

void chip_restart(void)
{
    noInterrupts();
    told = WIRE_RESET_CAUSE_SOFTWARE;
    wdt_enable(WDTO_15MS);
    for (;;)
        ;
}

void chip_watchdog_begin(void)
{
    wdt_enable(WDTO_1S);
    chip_watchdog_feed();
}

void chip_watchdog_feed(void)
{
    wdt_reset();
    WDTCSR = WDTCSR | _BV(WDIE); /* the interrupt clears it */
    told = 0;                    /* an interrupt came, the restart did not */
}

#endif
