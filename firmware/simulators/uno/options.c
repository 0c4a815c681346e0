/* The rows of uno-sim, the words around them, and what goes together. main.c calls it. */
#include "options.h"

#include <stddef.h>

#include "arguments.h"
#include "pace.h"
#include "sensors.h"

static const char usage[] =
    "Usage: mtjlearn-uno-sim --elf FILE [OPTION]...\n"
    "An Arduino Uno R3 as a program: an ATmega328P at 16 MHz runs the very image that would be flashed, with a virtual sMTJ at A0.\n"
    "Prints one line of JSON that names the port, and ends on SIGTERM, or when the pipe at its standard input is closed.\n";

static const struct option_row rows[] = {
    OPTION_ROW("elf", "FILE", "the program in the flash", OPTION_TAKES(OPTION_TEXT, struct options, elf)),
    OPTION_ROW("bootloader", "FILE", "Intel hex; the chip starts at its lowest address. With or without --elf",
               OPTION_TAKES(OPTION_TEXT, struct options, bootloader)),
    WORLD_LINE,
    WORLD_SEED("the virtual sMTJ and of the RAM's contents at the start"),
    WORLD_SOURCE,
    OPTION_ROW("speed", "X",
               "multiple of real time, up to 1000; 0: as fast as it goes. Default: as fast as it goes while bytes\n"
               "flow, real time once the line was silent for a second",
               OPTION_RANGE(struct options, speed, 0.0, 1000.0)),
    OPTION_ROW("reset-on-open", NULL, "opening the pseudo-terminal resets the chip, as on a real Uno",
               OPTION_TAKES(OPTION_TRUE, struct options, reset_on_open)),
    OPTION_ROW("eeprom", "FILE", "keep the EEPROM in this file of 1024 bytes", OPTION_TAKES(OPTION_TEXT, struct options, eeprom)),
    OPTION_ROW("cut-after-writes", "N",
               "cut the power at the N-th write of an EEPROM byte, which is torn as the seed decides: the EEPROM's file is\n"
               "left as it is then, and the exit status is 3. Each start writes up to three bytes to count itself",
               OPTION_STEPS(struct options, cut_after_writes, 1, UINT32_MAX, 1)),
    OPTION_ROW("hang", "SECONDS", "after so much simulated time the program runs away into an endless loop, which the watchdog ends",
               OPTION_RANGE(struct options, hang, 1e-6, 1e6)),
    OPTION_ROW("profile", "FILE", "write cycles by function, stack and lost bytes at the end, as JSON",
               OPTION_TAKES(OPTION_TEXT, struct options, profile)),
};

static const struct option_table table = {usage, "\n" SENSORS_HELP, rows, sizeof rows / sizeof rows[0]};

struct options options_read(int argc, char **argv)
{
    struct options options = {.world = world_defaults, .speed = PACE_BY_LINE};
    option_table_read(&table, &options, argc, argv);
    if (!options.elf && !options.bootloader)
        argument_refuse("nothing to run: name an image with --elf or --bootloader");
    if (options.reset_on_open && options.world.tcp)
        argument_refuse("--reset-on-open needs a pseudo-terminal");
    return options;
}
