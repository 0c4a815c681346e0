/* The command line of a virtual board as a table, one row for each option. Rows that several boards have stand here once; a board lists
 * them and its own in the order of its --help. A mistake ends the process with one line that names the option. */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "converter.h"
#include "smtj.h"

/* What a board knows of the world around it: the first member of every board's options, which the rows below write into. */
struct world_options {
    bool tcp;                     /* else a pseudo-terminal */
    uint16_t tcp_port;            /* 0: any free one */
    uint64_t seed;
    enum smtj_preset preset;
    enum smtj_kind noise;
    struct smtj_played played;    /* in its place, if it has any */
    struct smtj_fault fault;      /* in the middle of the run */
    uint16_t virtual_clock;       /* codes per training step; 0: real time */
};

extern const struct world_options world_defaults;

enum option_kind {
    OPTION_TRUE,                  /* takes no value; sets a bool */
    OPTION_FALSE,
    OPTION_TEXT,                  /* const char * */
    OPTION_NUMBER,                /* unsigned, of any width */
    OPTION_DECIMAL,               /* double */
    OPTION_PRESET,                /* enum smtj_preset */
    OPTION_NOISE,                 /* enum smtj_kind */
    OPTION_VOLTAGES,              /* struct smtj_played */
    OPTION_TCP,                   /* tcp and tcp_port of struct world_options */
};

struct option_row {
    const char *name;
    const char *value;            /* what --help calls it; NULL: there is none */
    const char *help;             /* may have several lines */
    enum option_kind kind;
    uint8_t bytes;                /* of the number */
    size_t place;                 /* in the board's options */
    uint64_t least, most, step;   /* of a number */
    double lowest, highest;       /* of a decimal */
};

/* A row, and what its option takes: a value as it is, a number in steps, a decimal. */
#define OPTION_ROW(name_, value_, help_, ...) {.name = (name_), .value = (value_), .help = (help_), __VA_ARGS__}
#define OPTION_TAKES(kind_, type, member) .kind = (kind_), .place = offsetof(type, member)
#define OPTION_STEPS(type, member, from, to, by)                                                                                           \
    OPTION_TAKES(OPTION_NUMBER, type, member), .bytes = sizeof ((type *)0)->member, .least = (from), .most = (to), .step = (by)
#define OPTION_RANGE(type, member, from, to) OPTION_TAKES(OPTION_DECIMAL, type, member), .lowest = (from), .highest = (to)

/* The shared rows. */
#define WORLD_LINE                                                                                                                         \
    OPTION_ROW("pty", NULL, "serve a pseudo-terminal (default)", OPTION_TAKES(OPTION_FALSE, struct world_options, tcp)),                   \
    OPTION_ROW("tcp", "PORT", "serve 127.0.0.1:PORT, one client at a time; 0: any free port", .kind = OPTION_TCP)

#define WORLD_SEED(what)                                                                                                                   \
    OPTION_ROW("seed", "N", "seed of " what " (default 1)", OPTION_STEPS(struct world_options, seed, 0, UINT64_MAX, 1))

#define WORLD_SOURCE                                                                                                                       \
    OPTION_ROW("preset", "NAME", "voltages at the pin: recording (36.2 and 48.0 mV, default) or bench (96 and 187 mV)",                    \
               OPTION_TAKES(OPTION_PRESET, struct world_options, preset)),                                                                 \
    OPTION_ROW("device-noise", "NAME", "smtj (default), gaussian, bernoulli, stuck, open, short, saturating, slow, drifting",              \
               OPTION_TAKES(OPTION_NOISE, struct world_options, noise)),                                                                   \
    OPTION_ROW("voltages", "FILE",                                                                                                         \
               "in place of the junction: the voltage of each sample in mV, 32-bit floats; begins again after the last",                   \
               OPTION_TAKES(OPTION_VOLTAGES, struct world_options, played)),                                                               \
    OPTION_ROW("fault", "NAME", "what the noise becomes in the middle of the run: a name as above",                                        \
               OPTION_TAKES(OPTION_NOISE, struct world_options, fault.kind)),                                                              \
    OPTION_ROW("fault-after", "SECONDS", "of the board's own time until then (default 0)",                                                 \
               OPTION_RANGE(struct world_options, fault.after, 0.0, 1e9)),                                                                 \
    OPTION_ROW("fault-lasts", "SECONDS", "after which the noise is as it was (default: forever)",                                          \
               OPTION_RANGE(struct world_options, fault.lasts, 0.0, 1e9))

#define WORLD_CLOCK                                                                                                                        \
    OPTION_ROW("virtual-clock", "CODES",                                                                                                   \
               "this many codes for each training step, 1 to 1024, instead of real time: a seed repeats exactly",                          \
               OPTION_STEPS(struct world_options, virtual_clock, 1, CONVERTER_FIFO, 1))

struct option_table {
    const char *usage;            /* the lines of --help before the options, */
    const char *notes;            /* and behind them */
    const struct option_row *rows;
    unsigned count;
};

/* Begins the junction, or what stands in its place. */
void world_source(const struct world_options *world, struct smtj *source);

/* Reads the command line into the board's options, which hold the defaults. On --help and on a mistake it prints and ends the process. */
void option_table_read(const struct option_table *table, void *options, int argc, char **argv);

#endif
