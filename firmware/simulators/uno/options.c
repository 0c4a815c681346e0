/* Long options are an extension of C11. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "pace.h"
#include "sensors.h"

static const char usage[] =
    "Usage: mtjlearn-uno-sim --elf FILE [OPTION]...\n"
    "An Arduino Uno R3 as a program: an ATmega328P at 16 MHz runs the very image that would be flashed, with a virtual sMTJ at A0.\n"
    "Prints one line of JSON that names the port, and ends on SIGTERM, or when the pipe at its standard input is closed.\n"
    "\n"
    "  --elf FILE              the program in the flash\n"
    "  --bootloader FILE       Intel hex; the chip starts at its lowest address. With or without --elf\n"
    "  --pty                   serve a pseudo-terminal (default)\n"
    "  --tcp PORT              serve 127.0.0.1:PORT, one client at a time; 0: any free port\n"
    "  --seed N                seed of the virtual sMTJ and of the RAM's contents at the start (default 1)\n"
    "  --preset NAME           voltages at the pin: recording (36.2 and 48.0 mV, default) or bench (96 and 187 mV)\n"
    "  --device-noise NAME     smtj (default), gaussian, bernoulli, stuck, open, short, saturating, slow, drifting\n"
    "  --voltages FILE         instead of the sMTJ: the voltage of each sample in mV, 32-bit floats, from the start again after the last\n"
    "  --fault NAME            what the noise becomes in the middle of the run: a name as above\n"
    "  --fault-after SECONDS   of the board's own time until then (default 0)\n"
    "  --fault-lasts SECONDS   after which the noise is as it was (default: for ever)\n"
    "  --speed X               multiple of real time, up to 1000; 0: as fast as it goes. Default: as fast as it goes while bytes\n"
    "                          flow, real time once the line was silent for a second\n"
    "  --reset-on-open         opening the pseudo-terminal resets the chip, as on a real Uno\n"
    "  --eeprom FILE           keep the EEPROM in this file of 1024 bytes\n"
    "  --cut-after-writes N    cut the power at the N-th write of an EEPROM byte, which is torn as the seed decides: the EEPROM's file is\n"
    "                          left as it is then, and the exit status is 3. Each start writes up to three bytes to count itself\n"
    "  --hang SECONDS          after so much simulated time the program runs away into an endless loop, which the watchdog ends\n"
    "  --profile FILE          write cycles by function, stack and lost bytes at the end, as JSON\n"
    "  --help                  this text\n"
    "\n" SENSORS_HELP;

enum {
    OPTION_ELF = 256,
    OPTION_BOOTLOADER,
    OPTION_PTY,
    OPTION_TCP,
    OPTION_SEED,
    OPTION_PRESET,
    OPTION_NOISE,
    OPTION_VOLTAGES,
    OPTION_FAULT,
    OPTION_FAULT_AFTER,
    OPTION_FAULT_LASTS,
    OPTION_SPEED,
    OPTION_RESET,
    OPTION_EEPROM,
    OPTION_CUT,
    OPTION_HANG,
    OPTION_PROFILE,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"elf", required_argument, NULL, OPTION_ELF},
    {"bootloader", required_argument, NULL, OPTION_BOOTLOADER},
    {"pty", no_argument, NULL, OPTION_PTY},
    {"tcp", required_argument, NULL, OPTION_TCP},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"preset", required_argument, NULL, OPTION_PRESET},
    {"device-noise", required_argument, NULL, OPTION_NOISE},
    {"voltages", required_argument, NULL, OPTION_VOLTAGES},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"fault-after", required_argument, NULL, OPTION_FAULT_AFTER},
    {"fault-lasts", required_argument, NULL, OPTION_FAULT_LASTS},
    {"speed", required_argument, NULL, OPTION_SPEED},
    {"reset-on-open", no_argument, NULL, OPTION_RESET},
    {"eeprom", required_argument, NULL, OPTION_EEPROM},
    {"cut-after-writes", required_argument, NULL, OPTION_CUT},
    {"hang", required_argument, NULL, OPTION_HANG},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

_Noreturn static void refuse(const char *what)
{
    fprintf(stderr, "mtjlearn-uno-sim: %s; see mtjlearn-uno-sim --help\n", what);
    exit(2);
}

static void take(struct options *options, int option, const char *name, const char *value)
{
    switch (option) {
    case OPTION_ELF:
        options->elf = value;
        break;
    case OPTION_BOOTLOADER:
        options->bootloader = value;
        break;
    case OPTION_PTY:
        options->tcp = false;
        break;
    case OPTION_TCP:
        options->tcp = true;
        options->tcp_port = (uint16_t)argument_number(name, value, 0, UINT16_MAX);
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
    case OPTION_VOLTAGES:
        options->played = argument_voltages(name, value);
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
    case OPTION_SPEED:
        options->speed = argument_decimal(name, value, 0.0, 1000.0);
        break;
    case OPTION_RESET:
        options->reset_on_open = true;
        break;
    case OPTION_EEPROM:
        options->eeprom = value;
        break;
    case OPTION_CUT:
        options->cut_after_writes = (uint32_t)argument_number(name, value, 1, UINT32_MAX);
        break;
    case OPTION_HANG:
        options->hang = argument_decimal(name, value, 1e-6, 1e6);
        break;
    case OPTION_PROFILE:
        options->profile = value;
        break;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        fputs("mtjlearn-uno-sim: see mtjlearn-uno-sim --help\n", stderr);
        exit(2);
    }
}

struct options options_read(int argc, char **argv)
{
    struct options options = {
        .seed = 1,
        .preset = SMTJ_RECORDING,
        .noise = SMTJ_TELEGRAPH,
        .fault = {.lasts = INFINITY},
        .speed = PACE_BY_LINE,
    };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
        take(&options, option, long_options[index].name, optarg);
    if (optind < argc)
        refuse("a word on the command line is no option");
    if (!options.elf && !options.bootloader)
        refuse("nothing to run: name an image with --elf or --bootloader");
    if (options.reset_on_open && options.tcp)
        refuse("--reset-on-open needs a pseudo-terminal");
    return options;
}
