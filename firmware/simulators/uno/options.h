/* The command line of uno-sim. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "option_table.h"

struct options {
    struct world_options world;
    const char *elf;              /* NULL: none */
    const char *bootloader;       /* NULL: none */
    double speed;                 /* see pace.h */
    bool reset_on_open;
    const char *eeprom;           /* NULL: not kept */
    uint32_t cut_after_writes;    /* 0: never */
    double hang;                  /* simulated seconds from the start; 0: never */
    const char *profile;          /* NULL: not wanted */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
