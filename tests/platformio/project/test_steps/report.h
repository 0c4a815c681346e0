/* What a board has for tests: a place to write to, and a way to end. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void report_text(const char *text);
void report_number(uint32_t number);

/* The tests themselves; called once by what starts the board. */
void run_tests(void);

#ifdef __cplusplus
}
#endif
#endif
