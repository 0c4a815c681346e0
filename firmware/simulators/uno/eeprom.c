/* Registers and timing of the EEPROM, a power cut in the middle of a write, and the EEPROM's file. chip.c and main.c call it. */
#include "eeprom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "generator.h"
#include "module.h"

#define CUT_STREAM 3              /* of the generator */
#define MASTER_CYCLES 4u          /* EEMPE stands so long */
#define READ_CYCLES 4u            /* the CPU halts */
#define WRITE_CYCLES 2u
#define ERASE_AND_WRITE_CYCLES (CLOCK_HZ / 10000 * 34) /* 3.4 ms */
#define ONE_OF_BOTH_CYCLES (CLOCK_HZ / 10000 * 18)     /* 1.8 ms */

enum mode { ERASE_AND_WRITE, ERASE, WRITE, RESERVED };

static void clear(struct eeprom *eeprom, unsigned bits)
{
    eeprom->avr->data[EECR] = (uint8_t)(eeprom->avr->data[EECR] & ~bits);
}

static avr_cycle_count_t on_master_end(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)avr, (void)when;
    clear(context, EEMPE);
    return 0;
}

static avr_cycle_count_t on_written(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)when;
    struct eeprom *eeprom = context;
    clear(eeprom, EEPE);
    if (avr->data[EECR] & EERIE)
        avr_raise_interrupt(avr, &eeprom->vectors->ready);
    return 0;
}

static uint8_t *selected(struct eeprom *eeprom)
{
    const uint8_t *data = eeprom->avr->data;
    return &eeprom->bytes[(data[EEARL] | data[EEARH] << 8) % EEPROM_BYTES];
}

/* An erasure sets bits and a programming clears bits, each in its own time: a cut in one of them leaves a mixture of before and after, and
 * one at the worst moment bits that read now so and now so. */
static uint8_t torn(const struct eeprom *eeprom, uint8_t old, uint8_t new)
{
    struct generator generator;
    generator_init(&generator, eeprom->seed, CUT_STREAM);
    uint64_t bits = generator_bits(&generator);
    uint8_t mask = (uint8_t)bits;
    switch (bits >> 62) {
    case 0:
        return (uint8_t)(old | mask); /* in the erasure */
    case 1:
        return (uint8_t)(new | mask); /* in the programming */
    case 2:
        return (uint8_t)((old & ~mask) | (new & mask));
    default:
        return mask;
    }
}

static void program(struct eeprom *eeprom, enum mode mode)
{
    avr_t *avr = eeprom->avr;
    uint8_t *byte = selected(eeprom), old = *byte;
    if (mode != WRITE)
        *byte = 0xff;
    if (mode != ERASE)
        *byte = (uint8_t)(*byte & avr->data[EEDR]);
    eeprom->writes++;
    eeprom->changed = true;
    if (eeprom->writes == eeprom->cut_at) {
        *byte = torn(eeprom, old, *byte);
        eeprom->cut = true;
        avr->state = cpu_Done;    /* not one instruction more */
        return;
    }
    avr->cycle += WRITE_CYCLES;
    unsigned cycles = mode == ERASE_AND_WRITE ? ERASE_AND_WRITE_CYCLES : ONE_OF_BOTH_CYCLES;
    eeprom->busy_until = avr->cycle + cycles;
    avr_cycle_timer_register(avr, cycles, on_written, eeprom);
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    struct eeprom *eeprom = context;
    uint8_t old = avr->data[address];
    bool busy = old & EEPE;
    unsigned mode = busy ? old & EEPM : value & EEPM;
    avr->data[address] = (uint8_t)(mode | (value & (EERIE | EEMPE)) | (old & EEPE));
    if ((value & EEMPE) && !(old & EEMPE))
        avr_cycle_timer_register(avr, MASTER_CYCLES, on_master_end, eeprom);
    if ((value & EEPE) && (old & EEMPE) && !busy) {
        avr->data[address] = (uint8_t)((avr->data[address] | EEPE) & ~EEMPE);
        program(eeprom, (enum mode)(mode >> EEPM_SHIFT));
    }
    if ((value & EERE) && !busy) {
        avr->data[EEDR] = *selected(eeprom);
        avr->cycle += READ_CYCLES;
    }
    if ((value & EERIE) && !(avr->data[address] & EEPE))
        avr_raise_interrupt(avr, &eeprom->vectors->ready);
}

void eeprom_reset(struct eeprom *eeprom)
{
    avr_t *avr = eeprom->avr;
    if (eeprom->busy_until > avr->cycle) {
        avr->data[EECR] = EEPE;
        avr_cycle_timer_register(avr, eeprom->busy_until - avr->cycle, on_written, eeprom);
    }
}

void eeprom_init(struct eeprom *eeprom, avr_t *avr)
{
    eeprom->avr = avr;
    eeprom->vectors = module_replace(avr, "eeprom");
    eeprom->busy_until = 0;
    eeprom->writes = 0;
    eeprom->cut_at = 0;
    eeprom->cut = false;
    eeprom->changed = false;
    module_claim(avr, EECR, NULL, write_control, eeprom);
}

void eeprom_cut_power(struct eeprom *eeprom, uint32_t writes, uint64_t seed)
{
    eeprom->cut_at = writes ? eeprom->writes + writes : 0;
    eeprom->seed = seed;
}

bool eeprom_load(struct eeprom *eeprom, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return errno == ENOENT;
    uint8_t image[EEPROM_BYTES + 1];
    bool whole = fread(image, 1, sizeof image, file) == EEPROM_BYTES;
    fclose(file);
    if (whole)
        memcpy(eeprom->bytes, image, EEPROM_BYTES);
    return whole;
}

bool eeprom_save(struct eeprom *eeprom, const char *path)
{
    if (!eeprom->changed)
        return true;
    char new_path[4096];
    if (snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        return false;
    FILE *file = fopen(new_path, "wb");
    if (!file)
        return false;
    bool written = fwrite(eeprom->bytes, 1, EEPROM_BYTES, file) == EEPROM_BYTES;
    written = fclose(file) == 0 && written;
    eeprom->changed = !(written && rename(new_path, path) == 0);
    return !eeprom->changed;
}
