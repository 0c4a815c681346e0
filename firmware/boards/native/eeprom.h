/* The virtual board's nonvolatile memory: bytes that are written alone, in RAM, where they outlive the device's resets, or in a file,
 * where they outlive the process too, however it ends. */
#ifndef EEPROM_H
#define EEPROM_H

#include <stdint.h>

#define EEPROM_LEAST 1024
#define EEPROM_MOST 65535
#define EEPROM_DEFAULT 16384

struct eeprom {
    int file;                     /* -1: in RAM alone */
    uint32_t head;                /* bytes of the file before the memory; 0: a file of version 0.1.0 */
    uint8_t *bytes;
    uint32_t size;                /* the device's; behind them the starts are counted */
};

/* Opens or creates the file; NULL: none. `bytes`: of the whole memory; 0: those of the file, or EEPROM_DEFAULT. A file belongs to one
 * board at a time. A file of another kind or a torn one is refused. Ends the process with a message when it fails. */
void eeprom_open(struct eeprom *eeprom, const char *path, uint32_t bytes);

void eeprom_write(struct eeprom *eeprom, uint16_t address, uint8_t value);

/* Counts this start. Returns its number, mod 2^16. */
uint16_t eeprom_count_start(struct eeprom *eeprom);

#endif
