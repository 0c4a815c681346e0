/* The serial line: USART0 behind memory that its interrupts fill and empty. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes per second in each direction, at the rate that the clock's divider really gives. */
#define LINE_BYTES_PER_SECOND (F_CPU / LINE_CYCLES_PER_BYTE)

#define LINE_DOUBLE_SPEED (F_CPU % (16ul * UNO_BAUD) != 0)
#define LINE_CYCLES_PER_SAMPLE (LINE_DOUBLE_SPEED ? 8ul : 16ul)
#define LINE_DIVIDER ((F_CPU + LINE_CYCLES_PER_SAMPLE * UNO_BAUD / 2) / (LINE_CYCLES_PER_SAMPLE * UNO_BAUD))
#define LINE_CYCLES_PER_BYTE (10ul * LINE_CYCLES_PER_SAMPLE * LINE_DIVIDER)

void line_init(void);

/* The line's callbacks of struct board. line_write() takes at least two bytes at a time, in place or from elsewhere. */
uint16_t line_room(void *context);
uint8_t *line_place(void *context);
void line_write(void *context, const uint8_t *bytes, uint16_t count);
uint16_t line_overruns(void *context);

/* Received bytes where they lie, up to a zero, which ends a frame; returns how many. */
uint8_t line_look(const uint8_t **bytes);

/* This many of them are not needed any more: the host may send as many. */
void line_took(uint8_t count);

/* Whether received bytes wait. */
bool line_waiting(void);

#endif
