/* Reset flags, the record that a reset leaves alone, the watchdog, and the EEPROM's count of starts. main.c calls it. */
#include "starts.h"

#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <stddef.h>

#include "eeprom.h"
#include "messages.h"

/* Half the watchdog's second. A device that was reset from outside has been fed more recently than that. */
#define HUNG_OVERFLOWS 15

/* Optiboot from version 4.6 on leaves the MCUSR that it cleared in r2; its version stands in flash's last word. No other word there has
 * been seen to be one: an empty flash reads 0xffff. */
#define OPTIBOOT_VERSION (FLASHEND - 1)
#define OPTIBOOT_FIRST 0x0406
#define OPTIBOOT_LAST 0x1fff

/* Memory that a reset leaves alone; the record is there if its key is. Volatile, as the reader of what is written is the next start. */
#define KEY 0x6a746d75ul
static volatile uint32_t key __attribute__((section(".noinit")));
static volatile uint8_t error __attribute__((section(".noinit"))); /* the device's last */
static volatile uint8_t asked __attribute__((section(".noinit"))); /* the device restarts because it was told to */
volatile uint8_t starts_unfed __attribute__((section(".noinit")));

/* The registers that hold the cause do not outlive the start of a C program. */
#define FLAGS GPIOR0
#define REGISTER_2 GPIOR1

__attribute__((naked, used, section(".init3"))) static void keep_flags(void)
{
    __asm__ volatile("in  r24, %[mcusr]\n\t"
                     "out %[flags], r24\n\t"
                     "out %[register2], r2\n\t"
                     "out %[mcusr], __zero_reg__"
                     :
                     : [mcusr] "I"(_SFR_IO_ADDR(MCUSR)), [flags] "I"(_SFR_IO_ADDR(FLAGS)),
                       [register2] "I"(_SFR_IO_ADDR(REGISTER_2))
                     : "r24");
}

/* What MCUSR was when the chip came out of reset; 0: a bootloader cleared it and does not report it. */
static uint8_t reset_flags(void)
{
    if (FLAGS)
        return FLAGS;
    uint16_t version = pgm_read_word(OPTIBOOT_VERSION);
    /* Its time-out looks like one of ours, so that flag says nothing. */
    return version >= OPTIBOOT_FIRST && version <= OPTIBOOT_LAST ? REGISTER_2 & (uint8_t)~(1u << WDRF) : 0;
}

static uint8_t begin(void)
{
    bool kept = key == KEY;
    if (!kept) {
        key = KEY;
        asked = 0;
        error = 0;
        starts_unfed = 0;
    }
    uint8_t told = asked, flags = reset_flags();
    bool hung = starts_unfed >= HUNG_OVERFLOWS;
    asked = 0;
    starts_unfed = 0;
    wdt_enable(WDTO_1S);

    if (told)
        return WIRE_RESET_CAUSE_SOFTWARE;
    if (hung)
        return WIRE_RESET_CAUSE_WATCHDOG;
    if (flags & (1u << PORF))
        return WIRE_RESET_CAUSE_POWER_ON;
    if (flags & (1u << BORF))
        return WIRE_RESET_CAUSE_BROWN_OUT;
    if (flags & (1u << EXTRF))
        return WIRE_RESET_CAUSE_EXTERNAL;
    if (flags & (1u << WDRF))
        return WIRE_RESET_CAUSE_WATCHDOG; /* with interrupts off, so that nothing counted */
    return kept ? WIRE_RESET_CAUSE_EXTERNAL : WIRE_RESET_CAUSE_POWER_ON;
}

void starts_begin(struct board_start *start)
{
    start->reset_cause = begin();
    start->last_error = error;
    start->error = &error;
    error = 0;
}

void starts_feed(void)
{
    wdt_reset();
    starts_unfed = 0;
}

void starts_again(void)
{
    asked = 1;
    wdt_enable(WDTO_15MS);
    for (;;)
        ;
}

/* The count stands in the EEPROM in four places in turn, as bytes low, high, check; each start writes the next place. So a cell is worn
 * out after 400,000 starts, and a power cut while one place is written leaves the others. */
#define PLACES 4u
#define PLACE_BYTES (EEPROM_STARTS_BYTES / PLACES)

/* Neither 00 nor ff throughout is a count, and no mixture of a place's old and new bytes. */
static uint8_t check_of(uint16_t count)
{
    return (uint8_t)(count ^ count >> 8 ^ 0x5au);
}

/* Both wait for the write before. */
static uint8_t load(uint16_t address)
{
    while (!eeprom_ready(NULL))
        ;
    return eeprom_read(NULL, address);
}

static void store(uint16_t address, uint8_t value)
{
    while (!eeprom_ready(NULL))
        ;
    eeprom_write(NULL, address, value);
}

uint16_t starts_count(void)
{
    uint16_t newest = 0;
    bool found = false;
    for (uint8_t place = 0; place < PLACES; place++) {
        uint16_t at = (uint16_t)(EEPROM_STARTS + place * PLACE_BYTES);
        uint16_t count = (uint16_t)(load(at) | (uint16_t)load((uint16_t)(at + 1)) << 8);
        if (count % PLACES != place || load((uint16_t)(at + 2)) != check_of(count))
            continue;
        if (!found || (int16_t)(count - newest) > 0)
            newest = count;
        found = true;
    }
    newest++;
    uint16_t at = (uint16_t)(EEPROM_STARTS + newest % PLACES * PLACE_BYTES);
    store(at, (uint8_t)newest);
    store((uint16_t)(at + 1), (uint8_t)(newest >> 8));
    store((uint16_t)(at + 2), check_of(newest));
    return newest;
}
