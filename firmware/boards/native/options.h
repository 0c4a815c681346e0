/* The command line of the native board. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "smtj.h"

struct options {
    bool tcp;                     /* else a pseudo-terminal */
    uint16_t tcp_port;            /* 0: any free one */
    uint64_t seed;
    enum smtj_preset preset;
    enum smtj_kind noise;
    struct smtj_played played;    /* instead, if it has any */
    struct smtj_fault fault;      /* in the middle of the run */
    uint8_t adc_bits;
    uint32_t adc_rate;            /* codes a second */
    uint16_t adc_reference;       /* mV at full scale */
    uint16_t virtual_clock;       /* codes per training step; 0: real time */
    uint32_t arena;               /* bytes */
    uint8_t max_payload;          /* bytes */
    const char *eeprom;           /* NULL: no file */
    uint32_t eeprom_bytes;        /* 0: as the file, or the usual */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
