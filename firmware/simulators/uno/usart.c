/* Registers and timing of the USART. chip.c connects it to simavr; main.c and the library give and take its bytes. */
#include "usart.h"

#include <stddef.h>

#include "atmega328p.h"
#include "module.h"

static bool is_set(const struct usart *usart, avr_io_addr_t address, unsigned bits)
{
    return usart->avr->data[address] & bits;
}

static void set(struct usart *usart, avr_io_addr_t address, unsigned bits)
{
    usart->avr->data[address] = (uint8_t)(usart->avr->data[address] | bits);
}

static void clear(struct usart *usart, avr_io_addr_t address, unsigned bits)
{
    usart->avr->data[address] = (uint8_t)(usart->avr->data[address] & ~bits);
}

/* The flags RXC0 and UDRE0 request their interrupt as long as they stand, so it is raised again where a handler may leave them. */
static void raise_vector(struct usart *usart, avr_int_vector_t *vector)
{
    avr_raise_interrupt(usart->avr, vector);
}

static void withdraw(struct usart *usart, avr_int_vector_t *vector, unsigned flag)
{
    avr_clear_interrupt(usart->avr, vector);
    clear(usart, UCSR0A, flag);
}

static avr_cycle_count_t bit_cycles(const struct usart *usart)
{
    const uint8_t *data = usart->avr->data;
    unsigned divisor = (unsigned)(data[UBRR0L] | (data[UBRR0H] & 0x0fu) << 8) + 1;
    return divisor * (is_set(usart, UCSR0A, U2X0) ? 8u : 16u);
}

static unsigned frame_bits(const struct usart *usart)
{
    static const uint8_t data_bits[] = {5, 6, 7, 8, 8, 8, 8, 9};
    const uint8_t *data = usart->avr->data;
    unsigned size = (data[UCSR0C] >> UCSZ0_SHIFT & 3u) | (is_set(usart, UCSR0B, UCSZ02) ? 4u : 0u);
    return 2u + data_bits[size] + is_set(usart, UCSR0C, UPM01) + is_set(usart, UCSR0C, USBS0);
}

/* --- receiver --- */

static void store(struct usart *usart)
{
    usart->fifo[usart->held++] = usart->receive_shift;
    usart->waiting = false;
    set(usart, UCSR0A, RXC0);
    raise_vector(usart, &usart->vectors->rxc);
}

static avr_cycle_count_t on_frame_end(avr_t *avr, avr_cycle_count_t when, void *context);

/* In the middle of the stop bit the frame is whole. */
static avr_cycle_count_t on_stop_bit(avr_t *avr, avr_cycle_count_t when, void *context)
{
    struct usart *usart = context;
    if (is_set(usart, UCSR0B, RXEN0)) {
        if (usart->held < USART_FIFO)
            store(usart);
        else
            usart->waiting = true;
    }
    avr_cycle_count_t end = when + bit_cycles(usart) / 2;
    avr_cycle_timer_register(avr, end > avr->cycle ? end - avr->cycle : 1, on_frame_end, usart);
    return 0;
}

static bool begin_frame(struct usart *usart, avr_cycle_count_t start)
{
    uint8_t byte;
    usart->arriving = usart->take(usart->context, &byte);
    if (!usart->arriving)
        return false;
    if (usart->waiting) {
        usart->waiting = false;
        usart->overruns++;
        set(usart, UCSR0A, DOR0);
    }
    usart->receive_shift = byte;
    avr_cycle_count_t bit = bit_cycles(usart), now = usart->avr->cycle;
    avr_cycle_count_t whole = start + frame_bits(usart) * bit - bit / 2;
    avr_cycle_timer_register(usart->avr, whole > now ? whole - now : 1, on_stop_bit, usart);
    return true;
}

static avr_cycle_count_t on_frame_end(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)avr;
    begin_frame(context, when);
    return 0;
}

void usart_listen(struct usart *usart)
{
    if (!usart->arriving)
        begin_frame(usart, usart->avr->cycle);
}

static uint8_t read_data(avr_t *avr, avr_io_addr_t address, void *context)
{
    (void)avr, (void)address;
    struct usart *usart = context;
    uint8_t byte = usart->fifo[0];
    if (usart->held == 0)
        return byte;
    usart->fifo[0] = usart->fifo[1];
    usart->held--;
    clear(usart, UCSR0A, DOR0);
    if (usart->waiting)
        store(usart);
    else if (usart->held)
        raise_vector(usart, &usart->vectors->rxc);
    else
        withdraw(usart, &usart->vectors->rxc, RXC0);
    return byte;
}

static void flush_receiver(struct usart *usart)
{
    usart->held = 0;
    usart->waiting = false;
    withdraw(usart, &usart->vectors->rxc, RXC0 | DOR0);
}

/* --- transmitter --- */

static avr_cycle_count_t on_sent(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)avr;
    struct usart *usart = context;
    usart->give(usart->context, usart->transmit_shift);
    if (!usart->buffered) {
        usart->sending = false;
        raise_vector(usart, &usart->vectors->txc);
        return 0;
    }
    usart->transmit_shift = usart->transmit_buffer;
    usart->buffered = false;
    raise_vector(usart, &usart->vectors->udrc);
    return when + frame_bits(usart) * bit_cycles(usart);
}

static void write_data(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    (void)address;
    struct usart *usart = context;
    if (!is_set(usart, UCSR0B, TXEN0) || usart->buffered)
        return;
    if (usart->sending) {
        usart->transmit_buffer = value;
        usart->buffered = true;
        withdraw(usart, &usart->vectors->udrc, UDRE0);
        return;
    }
    usart->transmit_shift = value;
    usart->sending = true;
    avr_cycle_timer_register(avr, frame_bits(usart) * bit_cycles(usart), on_sent, usart);
    raise_vector(usart, &usart->vectors->udrc);
}

/* --- control --- */

static void write_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    struct usart *usart = context;
    if (value & TXC0)
        withdraw(usart, &usart->vectors->txc, TXC0);
    avr->data[address] = (uint8_t)((avr->data[address] & ~(U2X0 | MPCM0)) | (value & (U2X0 | MPCM0)));
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *context)
{
    struct usart *usart = context;
    avr->data[address] = (uint8_t)(value & ~RXB80);
    if (!(value & RXEN0))
        flush_receiver(usart);
    if (is_set(usart, UCSR0A, RXC0))
        raise_vector(usart, &usart->vectors->rxc);
    if (is_set(usart, UCSR0A, TXC0))
        raise_vector(usart, &usart->vectors->txc);
    if (is_set(usart, UCSR0A, UDRE0))
        raise_vector(usart, &usart->vectors->udrc);
}

void usart_reset(struct usart *usart)
{
    usart->held = 0;
    usart->arriving = usart->waiting = false;
    usart->sending = usart->buffered = false;
    usart->avr->data[UCSR0A] = UDRE0;
    usart->avr->data[UCSR0C] = 3u << UCSZ0_SHIFT;
}

void usart_init(struct usart *usart, avr_t *avr)
{
    usart->avr = avr;
    usart->vectors = module_replace(avr, "uart");
    usart->overruns = 0;
    module_claim(avr, UDR0, read_data, write_data, usart);
    module_claim(avr, UCSR0A, NULL, write_status, usart);
    module_claim(avr, UCSR0B, NULL, write_control, usart);
    module_claim(avr, UCSR0C, NULL, NULL, NULL);
    module_claim(avr, UBRR0L, NULL, NULL, NULL);
    module_claim(avr, UBRR0H, NULL, NULL, NULL);
}
