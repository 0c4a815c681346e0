/* The line to the host: bytes for it wait in a ring until the port takes them. Nothing here waits for the host. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "capabilities.h"

#ifdef LINE_RECEIVER
/* An eighth stays free, so that a full receiver shows that a host sent more than its credit. */
#define LINE_WINDOW (LINE_RECEIVER - LINE_RECEIVER / 8)
#define LINE_RATE (LINE_BAUD / 10)
#else
/* Native USB: what the device does not take, the host keeps. */
#define LINE_WINDOW 1024
#define LINE_RATE 0
#endif

void line_begin(void);

/* The callbacks of struct board. */
uint16_t line_read(uint8_t *bytes, uint16_t most);
uint16_t line_room(void);
void line_write(const uint8_t *bytes, uint16_t count);
uint16_t line_overruns(void);

/* Hands waiting bytes to the port. Returns whether that made room. */
bool line_flush(void);

/* Whether all that was written is with the port. */
bool line_is_empty(void);

#endif
