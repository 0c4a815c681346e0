/* Prints --help from the rows and hands them to getopt_long(). The native board and both simulators call it first of all. */
#define _GNU_SOURCE /* long options */
#include "option_table.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"

#define HELP_COLUMN 26            /* where the explanations begin */
#define FIRST 256                 /* getopt_long() returns the row's number beyond that */

const struct world_options world_defaults = {
    .seed = 1,
    .preset = SMTJ_RECORDING,
    .noise = SMTJ_TELEGRAPH,
    .fault = {.lasts = INFINITY},
};

static void print_row(const char *name, const char *value, const char *help)
{
    int width = printf("  --%s%s%s", name, value ? " " : "", value ? value : "");
    printf("%*s", HELP_COLUMN - width, "");
    for (; *help; help++) {
        putchar(*help);
        if (*help == '\n')
            printf("%*s", HELP_COLUMN, "");
    }
    putchar('\n');
}

_Noreturn static void print_help(const struct option_table *table)
{
    printf("%s\n", table->usage);
    for (unsigned i = 0; i < table->count; i++)
        print_row(table->rows[i].name, table->rows[i].value, table->rows[i].help);
    print_row("help", NULL, "this text");
    fputs(table->notes, stdout);
    exit(0);
}

static void store_number(void *place, uint8_t bytes, uint64_t number)
{
    switch (bytes) {
    case sizeof(uint8_t):
        *(uint8_t *)place = (uint8_t)number;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)place = (uint16_t)number;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)place = (uint32_t)number;
        break;
    default:
        *(uint64_t *)place = number;
    }
}

static uint64_t number_of(const struct option_row *row, const char *value)
{
    uint64_t number = argument_number(row->name, value, row->least, row->most);
    if ((number - row->least) % row->step)
        argument_mistake(row->name, value);
    return number;
}

static void take(const struct option_row *row, void *options, const char *value)
{
    void *place = (char *)options + row->place;
    struct world_options *world = options;
    switch (row->kind) {
    case OPTION_TRUE:
    case OPTION_FALSE:
        *(bool *)place = row->kind == OPTION_TRUE;
        break;
    case OPTION_TEXT:
        *(const char **)place = value;
        break;
    case OPTION_NUMBER:
        store_number(place, row->bytes, number_of(row, value));
        break;
    case OPTION_DECIMAL:
        *(double *)place = argument_decimal(row->name, value, row->lowest, row->highest);
        break;
    case OPTION_PRESET:
        *(enum smtj_preset *)place = argument_preset(row->name, value);
        break;
    case OPTION_NOISE:
        *(enum smtj_kind *)place = argument_noise(row->name, value);
        break;
    case OPTION_VOLTAGES:
        *(struct smtj_played *)place = argument_voltages(row->name, value);
        break;
    case OPTION_TCP:
        world->tcp = true;
        world->tcp_port = (uint16_t)argument_number(row->name, value, 0, UINT16_MAX);
        break;
    }
}

void world_source(const struct world_options *world, struct smtj *source)
{
    smtj_init(source, world->noise, world->preset, world->seed);
    smtj_plan(source, &world->fault);
    if (world->played.count)
        smtj_play(source, &world->played);
}

void option_table_read(const struct option_table *table, void *options, int argc, char **argv)
{
    unsigned count = table->count;
    struct option *known = calloc(count + 2, sizeof *known); /* --help, and zeros at the end */
    if (!known)
        argument_refuse("out of memory");
    for (unsigned i = 0; i < count; i++) {
        const struct option_row *row = &table->rows[i];
        known[i] = (struct option){row->name, row->value ? required_argument : no_argument, NULL, FIRST + (int)i};
    }
    known[count] = (struct option){"help", no_argument, NULL, FIRST + (int)count};
    int found;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (found < FIRST)
            argument_unknown();   /* getopt_long() has said what is wrong */
        if (found == FIRST + (int)count)
            print_help(table);
        take(&table->rows[found - FIRST], options, optarg);
    }
    free(known);
    if (optind < argc)
        argument_refuse("'%s' is not an option", argv[optind]);
}
