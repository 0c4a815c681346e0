/* The record of starts, with a checksum that tells it from what RAM holds after power-on. main.c calls it. */
#include "boot.h"

#include "messages.h"
#include "machine.h"

#define MARK 0x626f6f74u          /* "boot" */

/* The AN386 image has no register with the cause of a reset, and QEMU gives the micro:bit none. */
__attribute__((section(".noinit"))) static struct {
    uint32_t mark;
    uint32_t count;
    uint32_t asked;               /* boot_reset() was called */
    uint32_t check;
} record;

/* Of no meaning without the record. */
__attribute__((section(".noinit"))) static uint8_t error;

static uint8_t cause, last_error;

static uint32_t checksum(void)
{
    return ~(record.mark + 3 * record.count + 5 * record.asked);
}

void boot_begin(void)
{
    if (record.mark != MARK || record.check != checksum()) {
        cause = WIRE_RESET_CAUSE_POWER_ON;
        record.mark = MARK;
        record.count = 0;
        error = 0;
    } else {
        cause = record.asked ? WIRE_RESET_CAUSE_SOFTWARE : WIRE_RESET_CAUSE_EXTERNAL;
    }
    last_error = error;
    error = 0;
    record.count++;
    record.asked = 0;
    record.check = checksum();
}

uint16_t boot_count(void)
{
    return (uint16_t)record.count;
}

uint8_t boot_cause(void)
{
    return cause;
}

uint8_t boot_last_error(void)
{
    return last_error;
}

uint8_t *boot_error(void)
{
    return &error;
}

void boot_reset(void)
{
    record.asked = 1;
    record.check = checksum();
    __asm__ volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET;
    for (;;)
        __asm__ volatile("dsb");
}
