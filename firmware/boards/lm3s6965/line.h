/* UART0, the line to the host. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_BAUD 250000u         /* what the host opens boards with */
#define LINE_WINDOW 1024          /* received bytes that may wait; a power of two, like the next */
#define LINE_TRANSMIT 1024

void line_begin(void);

/* As read, write_room, write and receive_overruns of board.h; the context is not used. */
uint16_t line_read(void *context, uint8_t *bytes, uint16_t most);
uint16_t line_room(void *context);
void line_write(void *context, const uint8_t *bytes, uint16_t count);
uint16_t line_overruns(void *context);

/* Gives the UART what it has room for; the main loop calls it in every turn. Returns whether everything written has left. */
bool line_flush(void);

/* For the vector table. */
void line_interrupt(void);

#endif
