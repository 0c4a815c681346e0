/* A virtual board's life as a process: it ends on SIGTERM and SIGINT, when the pipe at its standard input is closed, and with the
 * program that started it. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

#include "line.h"

void process_begin(void);

bool process_ended(void);

/* Waits at most `timeout` ms for room on the line if something is to be sent, for a client, and, if `reads`, for bytes. Looks
 * whether the process is to end. */
void process_wait(struct line *line, bool reads, int timeout);

#endif
