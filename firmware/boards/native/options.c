/* Long options are an extension of C11. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "converter.h"
#include "eeprom.h"
#include "messages.h"
#include "sensors.h"

static const char usage[] =
    "Usage: mtjlearn-native [OPTION]...\n"
    "A virtual board: the firmware as a program, with a virtual sMTJ at its ADC. Prints one line of JSON that names the port,\n"
    "and ends on SIGTERM, or when the pipe at its standard input is closed.\n"
    "\n"
    "  --pty                   serve a pseudo-terminal (default)\n"
    "  --tcp PORT              serve 127.0.0.1:PORT, one client at a time; 0: any free port\n"
    "  --seed N                seed of the virtual sMTJ (default 1)\n"
    "  --preset NAME           voltages at the pin: recording (36.2 and 48.0 mV, default) or bench (96 and 187 mV)\n"
    "  --device-noise NAME     smtj (default), gaussian, bernoulli, stuck, open, short, saturating, slow, drifting\n"
    "  --voltages FILE         instead of the sMTJ: the voltage of each sample in mV, 32-bit floats, from the start again after the last\n"
    "  --fault NAME            what the noise becomes in the middle of the run: a name as above\n"
    "  --fault-after SECONDS   of the board's own time until then (default 0)\n"
    "  --fault-lasts SECONDS   after which the noise is as it was (default: for ever)\n"
    "  --adc-bits N            10 (default), 12 or 14\n"
    "  --adc-rate HZ           codes a second, 1 to 1000000 (default 9615)\n"
    "  --adc-reference MV      voltage of full scale, 100 to 10000 (default 1100)\n"
    "  --virtual-clock CODES   so many codes for each training step, 1 to 1024, instead of real time: a seed repeats exactly\n"
    "  --arena BYTES           memory for a network, 1024 to 1048576 (default 65536)\n"
    "  --max-payload BYTES     64 to 240 (default 240)\n"
    "  --eeprom FILE           keep the nonvolatile memory and the count of starts in this file; without it they end with the process\n"
    "  --eeprom-bytes N        of that memory, 1024 to 65535 (default: as many as the file has, or 16384)\n"
    "  --help                  this text\n"
    "\n" SENSORS_HELP;

enum {
    OPTION_PTY = 256,
    OPTION_TCP,
    OPTION_SEED,
    OPTION_PRESET,
    OPTION_NOISE,
    OPTION_VOLTAGES,
    OPTION_FAULT,
    OPTION_FAULT_AFTER,
    OPTION_FAULT_LASTS,
    OPTION_BITS,
    OPTION_RATE,
    OPTION_REFERENCE,
    OPTION_CLOCK,
    OPTION_ARENA,
    OPTION_PAYLOAD,
    OPTION_EEPROM,
    OPTION_EEPROM_BYTES,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"pty", no_argument, NULL, OPTION_PTY},
    {"tcp", required_argument, NULL, OPTION_TCP},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"preset", required_argument, NULL, OPTION_PRESET},
    {"device-noise", required_argument, NULL, OPTION_NOISE},
    {"voltages", required_argument, NULL, OPTION_VOLTAGES},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"fault-after", required_argument, NULL, OPTION_FAULT_AFTER},
    {"fault-lasts", required_argument, NULL, OPTION_FAULT_LASTS},
    {"adc-bits", required_argument, NULL, OPTION_BITS},
    {"adc-rate", required_argument, NULL, OPTION_RATE},
    {"adc-reference", required_argument, NULL, OPTION_REFERENCE},
    {"virtual-clock", required_argument, NULL, OPTION_CLOCK},
    {"arena", required_argument, NULL, OPTION_ARENA},
    {"max-payload", required_argument, NULL, OPTION_PAYLOAD},
    {"eeprom", required_argument, NULL, OPTION_EEPROM},
    {"eeprom-bytes", required_argument, NULL, OPTION_EEPROM_BYTES},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void take(struct options *options, int option, const char *name, const char *value)
{
    switch (option) {
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
    case OPTION_BITS:
        options->adc_bits = (uint8_t)argument_number(name, value, 10, 14);
        if (options->adc_bits % 2)
            argument_mistake(name, value);
        break;
    case OPTION_RATE:
        options->adc_rate = (uint32_t)argument_number(name, value, 1, 1000000);
        break;
    case OPTION_REFERENCE:
        options->adc_reference = (uint16_t)argument_number(name, value, 100, 10000);
        break;
    case OPTION_CLOCK:
        options->virtual_clock = (uint16_t)argument_number(name, value, 1, CONVERTER_FIFO);
        break;
    case OPTION_ARENA:
        options->arena = (uint32_t)argument_number(name, value, 1024, 1048576);
        break;
    case OPTION_PAYLOAD:
        options->max_payload = (uint8_t)argument_number(name, value, WIRE_MIN_PAYLOAD, WIRE_MAX_PAYLOAD);
        break;
    case OPTION_EEPROM:
        options->eeprom = value;
        break;
    case OPTION_EEPROM_BYTES:
        options->eeprom_bytes = (uint32_t)argument_number(name, value, EEPROM_LEAST, EEPROM_MOST);
        break;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        fputs("mtjlearn-native: see mtjlearn-native --help\n", stderr);
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
        .adc_bits = 10,
        .adc_rate = 9615,
        .adc_reference = 1100,
        .arena = 65536,
        .max_payload = WIRE_MAX_PAYLOAD,
    };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
        take(&options, option, long_options[index].name, optarg);
    if (optind < argc) {
        fprintf(stderr, "mtjlearn-native: '%s' is no option; see mtjlearn-native --help\n", argv[optind]);
        exit(2);
    }
    return options;
}
