/* The command line of m4-sim. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "option_table.h"

struct options {
    struct world_options world;
    const char *elf;              /* the image */
    const char *qemu;             /* qemu-system-arm */
    const char *profile;          /* file for the instruction counts, or NULL */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
