/* Registers and timeout of the watchdog. chip.c connects it to simavr and resets the chip. */
#include "watchdog.h"

#include <stddef.h>

#include "atmega328p.h"
#include "module.h"

#define SHORTEST_CYCLES (CLOCK_HZ / 128000u * 2048u) /* 16 ms */
#define CHANGE_CYCLES 4u          /* WDCE stands so long */

static avr_cycle_count_t period(uint8_t control)
{
    unsigned prescaler = (control & WDP) | (control & WDP3 ? 8u : 0u);
    return (avr_cycle_count_t)SHORTEST_CYCLES << (prescaler > 9 ? 9 : prescaler);
}

static avr_cycle_count_t on_timeout(avr_t *avr, avr_cycle_count_t when, void *context)
{
    struct watchdog *watchdog = context;
    watchdog->fed = when;
    if (!(avr->data[WDTCSR] & WDIE)) {
        watchdog->bites = true;
        return 0;
    }
    avr_raise_interrupt(avr, &watchdog->vector);
    return when + period(avr->data[WDTCSR]);
}

static void schedule(struct watchdog *watchdog)
{
    avr_t *avr = watchdog->avr;
    avr_cycle_timer_cancel(avr, on_timeout, watchdog);
    if (!(avr->data[WDTCSR] & (WDE | WDIE)))
        return;
    avr_cycle_count_t due = watchdog->fed + period(avr->data[WDTCSR]);
    avr_cycle_timer_register(avr, due > avr->cycle ? due - avr->cycle : 1, on_timeout, watchdog);
}

static avr_cycle_count_t on_change_end(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)when, (void)context;
    avr->data[WDTCSR] = (uint8_t)(avr->data[WDTCSR] & ~WDCE);
    return 0;
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    struct watchdog *watchdog = context;
    uint8_t old = avr->data[address];
    if (value & WDIF)
        avr_clear_interrupt(avr, &watchdog->vector);
    unsigned flag = value & WDIF ? 0 : old & WDIF;
    unsigned locked = WDP | WDP3; /* what is kept */
    unsigned forced = old & WDE;  /* what cannot be cleared */
    if (old & WDCE) {
        locked = 0;
        forced = avr->data[MCUSR] & WDRF ? WDE : 0;
    }
    unsigned begins = (value & (WDCE | WDE)) == (WDCE | WDE) ? WDCE : 0;
    unsigned written = (value & ~(WDIF | WDCE | locked)) | (old & locked);
    avr->data[address] = (uint8_t)(written | forced | flag | begins);
    if (begins)
        avr_cycle_timer_register(avr, CHANGE_CYCLES, on_change_end, watchdog);
    /* While it is off its counter stands still. */
    if (!(old & (WDE | WDIE)))
        watchdog->fed = avr->cycle;
    schedule(watchdog);
}

void watchdog_feed(struct watchdog *watchdog)
{
    watchdog->fed = watchdog->avr->cycle;
    if (watchdog->avr->data[WDTCSR] & (WDE | WDIE))
        schedule(watchdog);
}

/* With both WDE and WDIE set, the next time-out after the handler resets the chip. */
static void on_handler(avr_irq_t *irq, uint32_t running, void *context)
{
    (void)irq;
    avr_t *avr = ((struct watchdog *)context)->avr;
    if (running && (avr->data[WDTCSR] & WDE))
        avr->data[WDTCSR] = (uint8_t)(avr->data[WDTCSR] & ~WDIE);
}

void watchdog_reset(struct watchdog *watchdog)
{
    avr_t *avr = watchdog->avr;
    watchdog->bites = false;
    watchdog->fed = avr->cycle;
    avr->data[WDTCSR] = avr->data[MCUSR] & WDRF ? WDE : 0;
    schedule(watchdog);
}

void watchdog_init(struct watchdog *watchdog, avr_t *avr)
{
    watchdog->avr = avr;
    watchdog->bites = false;
    module_replace(avr, "watchdog");
    watchdog->vector = (avr_int_vector_t){
        .vector = VECTOR_WATCHDOG,
        .enable = AVR_IO_REGBIT(WDTCSR, 6),
        .raised = AVR_IO_REGBIT(WDTCSR, 7),
    };
    avr_register_vector(avr, &watchdog->vector);
    avr_irq_register_notify(watchdog->vector.irq + AVR_INT_IRQ_RUNNING, on_handler, watchdog);
    module_claim(avr, WDTCSR, NULL, write_control, watchdog);
}
