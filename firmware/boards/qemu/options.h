/* Options of the simulated board: "key=value" on the command line that the simulator was given. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

/* Reads the command line. Once, at the start. */
void options_read(void);

/* The value, or NULL. */
const char *options_text(const char *key);

/* The value in decimal; 0 when there is none. */
uint32_t options_number(const char *key);

#endif
