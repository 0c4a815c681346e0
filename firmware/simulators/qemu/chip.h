/* The simulated chip: QEMU as a child process, which ends with this one. */
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "options.h"

struct chip {
    pid_t process;
    int line_in;                  /* bytes to the chip's UART; non-blocking, as all of these */
    int line_out;                 /* bytes from it */
    int codes;                    /* ADC codes to the chip */
    int codes_unread;             /* the other end: shows how many bytes the chip has not read */
    int profile;                  /* struct profile_row from the chip */
};

/* Makes the pipes. On failure it ends the process with a message. */
void chip_connect(struct chip *chip);

/* Starts QEMU with the image. On failure it ends the process with a message. */
void chip_start(struct chip *chip, const struct options *options);

/* Bytes of ADC codes that the chip has not read. */
int chip_unread(const struct chip *chip);

/* Whether QEMU has ended by itself; says so unless QEMU did. */
bool chip_ended(struct chip *chip);

/* Ends QEMU. */
void chip_kill(struct chip *chip);

#endif
