/* Takes rows of instruction counts from the chip's pipe and writes them as JSON. main.c calls it. */
#include "profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void profile_take(struct profile *profile, int pipe)
{
    for (;;) {
        if (profile->bytes == profile->capacity) {
            profile->capacity += 1024 * sizeof *profile->rows + profile->capacity;
            profile->rows = realloc(profile->rows, profile->capacity);
            if (!profile->rows) {
                fputs("mtjlearn-qemu-sim: out of memory\n", stderr);
                exit(1);
            }
        }
        ssize_t got = read(pipe, (char *)profile->rows + profile->bytes, profile->capacity - profile->bytes);
        if (got <= 0)
            return;
        profile->bytes += (size_t)got;
    }
}

static void print(FILE *out, const struct profile_row *rows, size_t count)
{
    struct profile_row last = {0};
    fprintf(out, "{\"unit\": \"instructions\",\n \"steps\": [");
    for (size_t i = 0; i < count; i++) {
        last = rows[i];
        uint32_t forward = last.step - last.draw - last.normalise - last.update;
        fprintf(out, "%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", i ? ",\n  " : "", last.step,
                last.draw, forward, last.normalise, last.update, last.interrupts);
    }
    fprintf(out,
            "],\n \"interrupts\": {\"adc\": {\"calls\": 0, \"cycles\": 0},\n"
            "  \"uart_rx\": {\"calls\": %" PRIu32 ", \"cycles\": %" PRIu32 "},\n"
            "  \"uart_tx\": {\"calls\": %" PRIu32 ", \"cycles\": %" PRIu32 "}},\n",
            last.receive_calls, last.receive, last.transmit_calls, last.transmit);
    fprintf(out, " \"stack_bytes\": %" PRIu32 ",\n \"untouched_bytes\": %" PRIu32 ",\n \"rx_overruns\": %" PRIu32 ",\n", last.stack,
            last.untouched, last.overruns);
    fprintf(out, " \"cycles\": %" PRIu64 "}\n", (uint64_t)last.total_high << 32 | last.total_low);
}

void profile_write(const struct profile *profile, const char *file)
{
    FILE *out = fopen(file, "w");
    if (out)
        print(out, profile->rows, profile->bytes / sizeof *profile->rows);
    if (!out || ferror(out) || fclose(out) != 0) {
        fprintf(stderr, "mtjlearn-qemu-sim: cannot write %s: %s\n", file, strerror(errno));
        exit(1);
    }
}
