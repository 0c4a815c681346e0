/* UART0, the line to the host: interrupts move bytes between the UART, which holds one in each direction, and two rings. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_RECEIVE_RING 4096    /* bytes; powers of two */
#define UART_TRANSMIT_RING 2048

/* Both rings start empty. */
void uart_init(uint32_t baud);

uint16_t uart_read(uint8_t *bytes, uint16_t most);

/* Bytes that uart_write() takes now. */
uint16_t uart_room(void);

/* Queues at most uart_room() bytes. */
void uart_write(const uint8_t *bytes, uint16_t count);

/* Everything written has left. */
bool uart_sent(void);

/* Bytes lost since the start because the ring or the UART was full, mod 2^16. */
uint16_t uart_overruns(void);

/* Sleeps until an interrupt, unless the line has moved since the last call. */
void uart_wait(void);

/* For the vector table. */
void uart_receive_interrupt(void);
void uart_transmit_interrupt(void);

#endif
