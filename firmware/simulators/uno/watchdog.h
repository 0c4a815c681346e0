/* The ATmega328P's watchdog. simavr's own does not notice a new period before the next WDR instruction. Source: Atmel DS40002061,
 * section 11.8. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <simavr/sim_avr.h>

#include <stdbool.h>

struct watchdog {
    avr_t *avr;
    avr_int_vector_t vector;
    avr_cycle_count_t fed;        /* its counter stood at 0 */
    bool bites;                   /* the chip is to be reset */
};

void watchdog_init(struct watchdog *watchdog, avr_t *avr);
/* After MCUSR was set: the watchdog continues when it was the cause. */
void watchdog_reset(struct watchdog *watchdog);

/* The instruction WDR. */
void watchdog_feed(struct watchdog *watchdog);

#endif
