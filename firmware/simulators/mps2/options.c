/* Long options are an extension of C11. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"

static const char usage[] =
    "Usage: mtjlearn-m4-sim --elf FILE [OPTION]...\n"
    "A Cortex-M4F in QEMU that runs the image FILE, with a virtual sMTJ at its ADC. Prints one line of JSON that names the port,\n"
    "and ends on SIGTERM, or when the pipe at its standard input is closed.\n"
    "\n"
    "  --elf FILE              the image for the MPS2 board\n"
    "  --qemu PROGRAM          default: qemu-system-arm\n"
    "  --seed N                seed of the virtual sMTJ (default 1)\n"
    "  --preset NAME           voltages at the pin: recording (36.2 and 48.0 mV, default) or bench (96 and 187 mV)\n"
    "  --device-noise NAME     smtj (default), gaussian, bernoulli, stuck, open, short, saturating, slow, drifting\n"
    "  --fault NAME            what the noise becomes in the middle of the run: a name as above\n"
    "  --fault-after SECONDS   of the board's own time until then (default 0)\n"
    "  --fault-lasts SECONDS   after which the noise is as it was (default: for ever)\n"
    "  --virtual-clock CODES   so many codes for each training step, 1 to 1024, instead of real time: a seed repeats exactly\n"
    "  --profile FILE          counts instructions and writes them to FILE at the end; takes the image for profiles, and needs\n"
    "                          --virtual-clock\n"
    "  --help                  this text\n";

#define MOST_CODES 1024

enum {
    OPTION_ELF = 256,
    OPTION_QEMU,
    OPTION_SEED,
    OPTION_PRESET,
    OPTION_NOISE,
    OPTION_FAULT,
    OPTION_FAULT_AFTER,
    OPTION_FAULT_LASTS,
    OPTION_CLOCK,
    OPTION_PROFILE,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"elf", required_argument, NULL, OPTION_ELF},
    {"qemu", required_argument, NULL, OPTION_QEMU},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"preset", required_argument, NULL, OPTION_PRESET},
    {"device-noise", required_argument, NULL, OPTION_NOISE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"fault-after", required_argument, NULL, OPTION_FAULT_AFTER},
    {"fault-lasts", required_argument, NULL, OPTION_FAULT_LASTS},
    {"virtual-clock", required_argument, NULL, OPTION_CLOCK},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

_Noreturn static void refuse(const char *what)
{
    fprintf(stderr, "mtjlearn-m4-sim: %s; see mtjlearn-m4-sim --help\n", what);
    exit(2);
}

static void take(struct options *options, int option, const char *name, const char *value)
{
    switch (option) {
    case OPTION_ELF:
        options->elf = value;
        break;
    case OPTION_QEMU:
        options->qemu = value;
        break;
    case OPTION_SEED:
        options->seed = argument_number(name, value, 0, UINT64_MAX);
        break;
    case OPTION_PRESET:
        options->preset = argument_preset(name, value);
        break;
    case OPTION_NOISE:
        options->noise = argument_noise(name, value);
        break;
    case OPTION_FAULT:
        options->fault.kind = argument_noise(name, value);
        break;
    case OPTION_FAULT_AFTER:
        options->fault.after = argument_decimal(name, value, 0.0, 1e9);
        break;
    case OPTION_FAULT_LASTS:
        options->fault.lasts = argument_decimal(name, value, 0.0, 1e9);
        break;
    case OPTION_CLOCK:
        options->virtual_clock = (uint16_t)argument_number(name, value, 1, MOST_CODES);
        break;
    case OPTION_PROFILE:
        options->profile = value;
        break;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        /* getopt_long() has said what is wrong. */
        fputs("mtjlearn-m4-sim: see mtjlearn-m4-sim --help\n", stderr);
        exit(2);
    }
}

struct options options_read(int argc, char **argv)
{
    struct options options = {
        .qemu = "qemu-system-arm",
        .seed = 1,
        .preset = SMTJ_RECORDING,
        .noise = SMTJ_TELEGRAPH,
        .fault = {.lasts = INFINITY},
    };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
        take(&options, option, long_options[index].name, optarg);
    if (optind < argc)
        refuse("a word on the command line is no option");
    if (!options.elf)
        refuse("nothing to run: name an image with --elf");
    /* Its clock counts instructions, so codes by the clock would come at a rate that no board has. */
    if (options.profile && !options.virtual_clock)
        refuse("--profile needs --virtual-clock");
    return options;
}
