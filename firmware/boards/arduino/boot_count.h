/* How often the board has started. */
#ifndef BOOT_COUNT_H
#define BOOT_COUNT_H

#include <stdint.h>

/* Counts this start in nonvolatile memory; 1 on a board without one, and where the memory is damaged. */
uint16_t boot_count_next(void);

#endif
