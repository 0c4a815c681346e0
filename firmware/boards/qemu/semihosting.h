/* Semihosting: files of the computer that simulates the chip (Arm, "Semihosting for AArch32 and AArch64"). */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

enum semihosting_mode { SEMIHOSTING_READ = 1, SEMIHOSTING_WRITE = 5 }; /* as fopen()'s "rb" and "wb" */

/* A handle, or -1. */
int semihosting_open(const char *path, enum semihosting_mode mode);
void semihosting_close(int file);

/* Waits for the first byte. Returns how many were read; 0 at the end of the file. */
uint32_t semihosting_read(int file, void *bytes, uint32_t most);

void semihosting_write(int file, const void *bytes, uint32_t count);

/* The command line given to the simulator, its parts separated by blanks; empty when it does not fit. */
void semihosting_command_line(char *text, uint32_t size);

/* Ends the simulation. */
__attribute__((noreturn)) void semihosting_fail(const char *message);

#endif
