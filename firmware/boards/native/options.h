/* The command line of the native board. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

#include "option_table.h"

struct options {
    struct world_options world;
    uint8_t adc_bits;
    uint32_t adc_rate;            /* codes per second */
    uint16_t adc_reference;       /* mV at full scale */
    uint32_t arena;               /* bytes */
    uint8_t max_payload;          /* bytes */
    const char *eeprom;           /* NULL: no file */
    uint32_t eeprom_bytes;        /* 0: as the file, or the usual */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
