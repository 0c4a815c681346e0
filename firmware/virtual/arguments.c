/* The program's name is an extension of C11. */
#define _GNU_SOURCE
#include "arguments.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const preset_names[] = {[SMTJ_RECORDING] = "recording", [SMTJ_BENCH] = "bench"};

static const char *const noise_names[] = {
    [SMTJ_TELEGRAPH] = "smtj", [SMTJ_GAUSSIAN] = "gaussian", [SMTJ_BERNOULLI] = "bernoulli",
    [SMTJ_STUCK] = "stuck",    [SMTJ_OPEN] = "open",         [SMTJ_SHORT] = "short",
    [SMTJ_SATURATING] = "saturating", [SMTJ_SLOW] = "slow", [SMTJ_DRIFTING] = "drifting",
};

_Noreturn void argument_refuse(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, values);
    fprintf(stderr, "; see %s --help\n", program_invocation_short_name);
    va_end(values);
    exit(2);
}

_Noreturn void argument_mistake(const char *option, const char *value)
{
    argument_refuse("--%s does not take '%s'", option, value);
}

_Noreturn void argument_unknown(void)
{
    fprintf(stderr, "%s: see %s --help\n", program_invocation_short_name, program_invocation_short_name);
    exit(2);
}

uint64_t argument_number(const char *option, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end || errno || text[0] == '-' || value < least || value > most)
        argument_mistake(option, text);
    return value;
}

double argument_decimal(const char *option, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        argument_mistake(option, text);
    return value;
}

static unsigned choice(const char *option, const char *text, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    argument_mistake(option, text);
}

#define COUNT(array) (unsigned)(sizeof(array) / sizeof(array)[0])

enum smtj_preset argument_preset(const char *option, const char *text)
{
    return (enum smtj_preset)choice(option, text, preset_names, COUNT(preset_names));
}

enum smtj_kind argument_noise(const char *option, const char *text)
{
    return (enum smtj_kind)choice(option, text, noise_names, COUNT(noise_names));
}

struct smtj_played argument_voltages(const char *option, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        argument_mistake(option, path);
    long bytes = ftell(file);
    if (bytes <= 0 || (size_t)bytes % sizeof(float))
        argument_mistake(option, path);
    rewind(file);
    struct smtj_played played = {NULL, (size_t)bytes / sizeof(float)};
    float *voltages = malloc((size_t)bytes);
    if (!voltages || fread(voltages, sizeof(float), played.count, file) != played.count)
        argument_mistake(option, path);
    fclose(file);
    for (size_t i = 0; i < played.count; i++)
        if (!isfinite(voltages[i]))
            argument_mistake(option, path);
    played.voltages = voltages;
    return played;
}
