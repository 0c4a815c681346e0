/* The rows of the native board, its defaults and the words around them. main.c calls it. */
#include "options.h"

#include <stddef.h>

#include "eeprom.h"
#include "messages.h"
#include "sensors.h"

static const char usage[] =
    "Usage: mtjlearn-native [OPTION]...\n"
    "A virtual board: the firmware as a program, with a virtual sMTJ at its ADC. Prints one line of JSON that names the port,\n"
    "and ends on SIGTERM, or when the pipe at its standard input is closed.\n";

static const struct option_row rows[] = {
    WORLD_LINE,
    WORLD_SEED("the virtual sMTJ"),
    WORLD_SOURCE,
    OPTION_ROW("adc-bits", "N", "10 (default), 12 or 14", OPTION_STEPS(struct options, adc_bits, 10, 14, 2)),
    OPTION_ROW("adc-rate", "HZ", "codes per second, 1 to 1000000 (default 9615)", OPTION_STEPS(struct options, adc_rate, 1, 1000000, 1)),
    OPTION_ROW("adc-reference", "MV", "voltage of full scale, 100 to 10000 (default 1100)",
               OPTION_STEPS(struct options, adc_reference, 100, 10000, 1)),
    WORLD_CLOCK,
    OPTION_ROW("arena", "BYTES", "memory for a network, 1024 to 1048576 (default 65536)",
               OPTION_STEPS(struct options, arena, 1024, 1048576, 1)),
    OPTION_ROW("max-payload", "BYTES", "64 to 240 (default 240)",
               OPTION_STEPS(struct options, max_payload, WIRE_MIN_PAYLOAD, WIRE_MAX_PAYLOAD, 1)),
    OPTION_ROW("eeprom", "FILE", "keep the nonvolatile memory and the count of starts in this file; without it they end with the process",
               OPTION_TAKES(OPTION_TEXT, struct options, eeprom)),
    OPTION_ROW("eeprom-bytes", "N", "of that memory, 1024 to 65535 (default: as many as the file has, or 16384)",
               OPTION_STEPS(struct options, eeprom_bytes, EEPROM_LEAST, EEPROM_MOST, 1)),
};

static const struct option_table table = {usage, "\n" SENSORS_HELP, rows, sizeof rows / sizeof rows[0]};

struct options options_read(int argc, char **argv)
{
    struct options options = {
        .world = world_defaults,
        .adc_bits = 10,
        .adc_rate = 9615,
        .adc_reference = 1100,
        .arena = 65536,
        .max_payload = WIRE_MAX_PAYLOAD,
    };
    option_table_read(&table, &options, argc, argv);
    return options;
}
