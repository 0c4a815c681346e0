/* The starts of the device: why this one happened, how many there were; and the watchdog, which causes some of them. */
#ifndef STARTS_H
#define STARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

/* Overflows of timer 1 since the watchdog was fed, in memory that a reset leaves alone. */
extern volatile uint8_t starts_unfed;

/* Why the device started and what went wrong before; turns the watchdog on, at one second. Once, before the clock runs. */
void starts_begin(struct board_start *start);

/* From the main loop alone, so that a hang anywhere else ends. */
void starts_feed(void);

/* Restarts the device in 16 ms, with cause SOFTWARE. What was written to the line leaves until then: interrupts continue. */
_Noreturn void starts_again(void);

/* Counts this start in the EEPROM, which takes up to 14 ms. Returns its number, mod 2^16. */
uint16_t starts_count(void);

#endif
