/* The command line of the simulator. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

#include "smtj.h"

struct options {
    const char *elf;              /* the image */
    const char *qemu;             /* qemu-system-arm */
    uint64_t seed;
    enum smtj_preset preset;
    enum smtj_kind noise;
    struct smtj_fault fault;      /* in the middle of the run */
    uint16_t virtual_clock;       /* codes per training step; 0: real time */
    const char *profile;          /* file for the instruction counts, or NULL */
};

/* Reads the command line. On --help and on a mistake it prints and ends the process. */
struct options options_read(int argc, char **argv);

#endif
