/* The ATmega328P's EEPROM with the time that writing takes and its ready interrupt; both are missing in simavr's. Source: Atmel
 * DS40002061, section 8.4. */
#ifndef EEPROM_H
#define EEPROM_H

#include <simavr/avr_eeprom.h>
#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#include "atmega328p.h"

struct eeprom {
    avr_t *avr;
    avr_eeprom_t *vectors;
    avr_cycle_count_t busy_until; /* writing continues through a reset */
    uint32_t writes;              /* since power on */
    uint32_t cut_at;              /* the number of the write that is torn; 0: none */
    uint64_t seed;                /* of what it leaves */
    bool cut;                     /* the power is off */
    bool changed;                 /* since eeprom_save() */
    uint8_t bytes[EEPROM_BYTES];
};

/* The caller has filled the bytes. */
void eeprom_init(struct eeprom *eeprom, avr_t *avr);
void eeprom_reset(struct eeprom *eeprom);

/* The power is cut at the n-th write from now on: of that byte some bits are new and the others as they were, erased or random, as the
 * seed decides, and the chip stops. 0: never. */
void eeprom_cut_power(struct eeprom *eeprom, uint32_t writes, uint64_t seed);

/* Reads an image of the whole EEPROM; a missing file leaves it erased. False: it is unreadable or of another size. */
bool eeprom_load(struct eeprom *eeprom, const char *path);
/* Replaces the file when something changed; a crash leaves the old or the new one. False: it cannot be written. */
bool eeprom_save(struct eeprom *eeprom, const char *path);

#endif
