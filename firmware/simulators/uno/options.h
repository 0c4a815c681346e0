/* The command line of uno-sim. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "smtj.h"

struct options {
    bool tcp;                     /* else a pseudo-terminal */
    uint16_t tcp_port;            /* 0: any free one */
    const char *elf;              /* NULL: none */
    const char *bootloader;       /* NULL: none */
    uint64_t seed;
    enum smtj_preset preset;
    enum smtj_kind noise;
    struct smtj_played played;    /* instead, if it has any */
    struct smtj_fault fault;      /* in the middle of the run */
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
