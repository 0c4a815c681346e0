/* The ATmega328P's USART0, asynchronous, frame by frame in the time that a line takes. simavr's own has a receive FIFO of 64 bytes
 * and no transmit buffer, and counts a parity bit where there is none. Source: Atmel DS40002061, chapter 19. */
#ifndef USART_H
#define USART_H

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#define USART_FIFO 2              /* received bytes that may wait, besides the one in the shift register */

struct usart {
    avr_t *avr;
    avr_uart_t *vectors;

    uint8_t fifo[USART_FIFO];
    uint8_t held;
    bool arriving;                /* a frame is on the line */
    bool waiting;                 /* the shift register holds a whole frame that finds no room */
    uint8_t receive_shift;
    uint32_t overruns;            /* frames lost because nobody read in time */

    bool sending;
    bool buffered;
    uint8_t transmit_shift;
    uint8_t transmit_buffer;

    /* The far end of the line: the next byte for the chip, if there is one, and a byte from it. */
    bool (*take)(void *context, uint8_t *byte);
    void (*give)(void *context, uint8_t byte);
    void *context;
};

/* The caller has set the far end. */
void usart_init(struct usart *usart, avr_t *avr);
void usart_reset(struct usart *usart);

/* Looks whether the far end has something to send. Needed only after the line was silent. */
void usart_listen(struct usart *usart);

#endif
