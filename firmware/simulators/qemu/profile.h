/* Instruction counts of the chip's profiling image, kept until the end and written as JSON. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "profile_row.h"

struct profile {
    struct profile_row *rows;
    size_t bytes;                 /* received; the last row may be incomplete */
    size_t capacity;
};

/* Takes all that the pipe holds now. Ends the process when memory runs out. */
void profile_take(struct profile *profile, int pipe);

/* Ends the process when the file cannot be written. */
void profile_write(const struct profile *profile, const char *file);

#endif
