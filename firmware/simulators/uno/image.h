/* What is in the chip's flash and EEPROM: an ELF file of the AVR tools, or Intel hex. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "atmega328p.h"

struct image {
    uint8_t flash[FLASH_BYTES];
    uint8_t eeprom[EEPROM_BYTES];
    uint32_t reset_address;       /* where the chip starts, in bytes */
    struct symbol *symbols;       /* of the ELF file */
    uint32_t symbol_count;
};

struct symbol {
    char *name;
    uint32_t address;             /* data have 0x800000 added */
};

/* Erased memories. */
void image_init(struct image *image);

/* Both add a file to the image; they end the process with a message when it cannot be read. */
void image_load_elf(struct image *image, const char *path);
/* Returns the lowest address in the file. */
uint32_t image_load_hex(struct image *image, const char *path);

/* False: the ELF file has no such symbol. */
bool image_symbol(const struct image *image, const char *name, uint32_t *address);

#endif
