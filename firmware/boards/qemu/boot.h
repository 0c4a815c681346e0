/* Starts and restarts of the chip, told apart by a record in memory that a reset leaves alone. */
#ifndef BOOT_H
#define BOOT_H

#include <stdint.h>

/* Finds out why the chip started, and counts it. Once, at the start. */
void boot_begin(void);

uint16_t boot_count(void);

/* WIRE_RESET_CAUSE_... */
uint8_t boot_cause(void);

/* What the device left in *boot_error() before this start. */
uint8_t boot_last_error(void);

/* Where the device keeps its last error. */
uint8_t *boot_error(void);

/* Resets the chip. */
__attribute__((noreturn)) void boot_reset(void);

#endif
