/* What every chip has and the Arduino API has not: why it started, a restart, a watchdog. */
#ifndef CHIP_H
#define CHIP_H

#include <stdint.h>

/* WIRE_RESET_CAUSE_...; to be called once, first of all. */
uint8_t chip_reset_cause(void);

/* Where the device keeps its last error. After chip_reset_cause() it holds that of before this start; 0 if that was not kept. */
uint8_t *chip_error(void);

/* Restarts the chip; returns on a core that is not known how to. */
void chip_restart(void);

/* From now on the chip restarts when it is not fed for WATCHDOG_MS. Much longer than the longest turn of the main loop. */
#define WATCHDOG_MS 2000
void chip_watchdog_begin(void);
void chip_watchdog_feed(void);

#endif
