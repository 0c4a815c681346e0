/* Values on the command line of a virtual board. A mistake ends the process with one line that names the option. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdint.h>

#include "smtj.h"

_Noreturn void argument_mistake(const char *option, const char *value);

/* Any other mistake; the format and its values say which. */
_Noreturn __attribute__((format(printf, 1, 2))) void argument_refuse(const char *format, ...);

/* A mistake that was named before. */
_Noreturn void argument_unknown(void);

uint64_t argument_number(const char *option, const char *text, uint64_t least, uint64_t most);
double argument_decimal(const char *option, const char *text, double least, double most);
enum smtj_preset argument_preset(const char *option, const char *text);
enum smtj_kind argument_noise(const char *option, const char *text);

/* Reads a file of 32-bit floats in the computer's byte order. */
struct smtj_played argument_voltages(const char *option, const char *path);

#endif
