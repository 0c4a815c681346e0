/* The rows of m0-sim and m4-sim, the words around them, and what goes together. main.c calls it. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "arguments.h"

static const char usage[] =
    "Usage: mtjlearn-qemu-sim --elf FILE [OPTION]...\n"
    "A Cortex-M in QEMU that runs the image FILE, with a virtual sMTJ at its ADC. Prints one line of JSON that names the port,\n"
    "and ends on SIGTERM, or when the pipe at its standard input is closed.\n";

static const struct option_row rows[] = {
    OPTION_ROW("elf", "FILE", "the image for this chip", OPTION_TAKES(OPTION_TEXT, struct options, elf)),
    OPTION_ROW("chip", "NAME", "m0 or m4 (default): a Cortex-M0, a Cortex-M4F", OPTION_TAKES(OPTION_TEXT, struct options, chip)),
    OPTION_ROW("qemu", "PROGRAM", "default: qemu-system-arm", OPTION_TAKES(OPTION_TEXT, struct options, qemu)),
    WORLD_SEED("the virtual sMTJ"),
    WORLD_SOURCE,
    WORLD_CLOCK,
    OPTION_ROW("profile", "FILE",
               "counts instructions and writes them to FILE at the end; takes the image for profiles, and needs\n"
               "--virtual-clock",
               OPTION_TAKES(OPTION_TEXT, struct options, profile)),
};

static const struct option_table table = {usage, "", rows, sizeof rows / sizeof rows[0]};

struct options options_read(int argc, char **argv)
{
    struct options options = {.world = world_defaults, .chip = "m4", .qemu = "qemu-system-arm"};
    option_table_read(&table, &options, argc, argv);
    if (strcmp(options.chip, "m0") != 0 && strcmp(options.chip, "m4") != 0)
        argument_refuse("--chip takes m0 or m4");
    if (!options.elf)
        argument_refuse("nothing to run: name an image with --elf");
    /* Its clock counts instructions, so codes by the clock would come at a rate that no board has. */
    if (options.profile && !options.world.virtual_clock)
        argument_refuse("--profile needs --virtual-clock");
    return options;
}
