/* How a peripheral of our own takes the place of one of simavr's: it keeps the interrupt vectors and takes over the registers. */
#ifndef MODULE_H
#define MODULE_H

#include <simavr/sim_avr.h>

/* The data of simavr's module of this kind ("uart", "adc", "eeprom"), which no longer takes part in resets. */
void *module_replace(avr_t *avr, const char *kind);

/* Calls these on each access to a register, and nothing of simavr's; NULL: plain memory. */
void module_claim(avr_t *avr, avr_io_addr_t address, avr_io_read_t read, avr_io_write_t write, void *context);

#endif
