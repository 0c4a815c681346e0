/* The simulated ATmega328P: simavr's CPU, timers and self-programming; our own USART, ADC, EEPROM and watchdog. */
#ifndef CHIP_H
#define CHIP_H

#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#include "adc.h"
#include "eeprom.h"
#include "image.h"
#include "profile.h"
#include "usart.h"
#include "watchdog.h"

struct chip {
    avr_t *avr;
    avr_io_t module;              /* takes part in resets and hears the watchdog's instruction */
    uint8_t reset_flags;          /* MCUSR after the next reset */
    struct usart usart;
    struct adc adc;
    struct eeprom eeprom;
    struct watchdog watchdog;
    struct profile *profile;      /* NULL: not wanted */
};

/* Switches a chip on. The caller has set the USART's far end, the ADC's source and the profile; RAM starts with a pattern that the
 * seed decides, as RAM does. */
void chip_init(struct chip *chip, const struct image *image, uint64_t seed);

/* Runs up to this cycle, or a few further. Returns false when the CPU has stopped for good: the EEPROM's power was cut, or a message was
 * printed. */
bool chip_run(struct chip *chip, avr_cycle_count_t until);

/* The reset pin. */
void chip_reset(struct chip *chip);

/* The program runs away: it goes round in an endless loop, with interrupts on, until the watchdog bites. False: the CPU stopped before
 * it was out of its interrupts. */
bool chip_hang(struct chip *chip);

#endif
