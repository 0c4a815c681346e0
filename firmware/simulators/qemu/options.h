/* The command line of m0-sim and m4-sim. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "option_table.h"

struct options {
    struct world_options world;
    const char *elf;              /* the image */
    const char *chip;             /* "m0" or "m4" */
    const char *qemu;             /* qemu-system-arm */
    const char *profile;          /* file for the instruction counts, or NULL */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
