/* Takes the command line apart once. main.c and the profile ask for single options. */
#include "options.h"

#include <string.h>

#include "semihosting.h"

#define MOST_PARTS 8

static char line[256];
static const char *parts[MOST_PARTS];

void options_read(void)
{
    semihosting_command_line(line, sizeof line);
    char *rest = line;
    for (unsigned i = 0; i < MOST_PARTS && *rest; i++) {
        parts[i] = rest;
        rest += strcspn(rest, " ");
        if (*rest)
            *rest++ = 0;
    }
}

const char *options_text(const char *key)
{
    size_t length = strlen(key);
    for (unsigned i = 0; i < MOST_PARTS && parts[i]; i++)
        if (strncmp(parts[i], key, length) == 0 && parts[i][length] == '=')
            return parts[i] + length + 1;
    return NULL;
}

uint32_t options_number(const char *key)
{
    const char *text = options_text(key);
    uint32_t value = 0;
    for (; text && *text >= '0' && *text <= '9'; text++)
        value = 10 * value + (uint32_t)(*text - '0');
    return value;
}
