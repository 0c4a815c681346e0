/* Received bytes come by interrupt, because a training step lasts longer than the UART's FIFO; bytes to be sent leave from the main loop. */
#include "line.h"

#include "lm3s6965.h"

/* Positions count bytes since the start, mod 2^16; their difference is what a ring holds. */
static struct {
    volatile uint16_t in;
    volatile uint16_t out;
    volatile uint8_t bytes[LINE_WINDOW];
} received;

static struct {
    uint16_t in;
    uint16_t out;
    uint8_t bytes[LINE_TRANSMIT];
} sent;

static volatile uint16_t overruns;

void line_begin(void)
{
    PORT_A_ALTERNATE |= PORT_A_UART0;
    PORT_A_DIGITAL |= PORT_A_UART0;
    uint32_t sixtyfourths = 4 * CLOCK_HZ / LINE_BAUD;
    UART_BAUD_WHOLE = sixtyfourths / 64;
    UART_BAUD_SIXTYFOURTHS = sixtyfourths % 64;
    UART_FORMAT = UART_FORMAT_8N1_FIFOS;
    UART_LEVELS = UART_LEVELS_RECEIVE_EIGHTH;
    UART_INTERRUPTS = UART_INTERRUPTS_RECEIVE;
    UART_CONTROL = UART_CONTROL_ON;
    NVIC_ENABLE = 1u << NVIC_UART0;
}

void line_interrupt(void)
{
    UART_INTERRUPTS_CLEAR = UART_INTERRUPTS_RECEIVE;
    while (!(UART_FLAGS & UART_FLAGS_RECEIVE_EMPTY)) {
        uint32_t data = UART_DATA;
        uint16_t in = received.in;
        bool full = (uint16_t)(in - received.out) == LINE_WINDOW;
        if (full || (data & UART_DATA_OVERRUN))
            overruns++;
        if (full)
            continue;
        received.bytes[in % LINE_WINDOW] = (uint8_t)data;
        received.in = (uint16_t)(in + 1);
    }
}

uint16_t line_read(void *context, uint8_t *bytes, uint16_t most)
{
    (void)context;
    uint16_t out = received.out;
    uint16_t waiting = (uint16_t)(received.in - out);
    uint16_t count = most < waiting ? most : waiting;
    for (uint16_t i = 0; i < count; i++)
        bytes[i] = received.bytes[out++ % LINE_WINDOW];
    received.out = out;
    return count;
}

uint16_t line_room(void *context)
{
    (void)context;
    return (uint16_t)(LINE_TRANSMIT - (uint16_t)(sent.in - sent.out));
}

void line_write(void *context, const uint8_t *bytes, uint16_t count)
{
    (void)context;
    for (uint16_t i = 0; i < count; i++)
        sent.bytes[sent.in++ % LINE_TRANSMIT] = bytes[i];
}

bool line_flush(void)
{
    while (sent.in != sent.out && !(UART_FLAGS & UART_FLAGS_TRANSMIT_FULL))
        UART_DATA = sent.bytes[sent.out++ % LINE_TRANSMIT];
    return sent.in == sent.out && !(UART_FLAGS & UART_FLAGS_BUSY);
}

uint16_t line_overruns(void *context)
{
    (void)context;
    return overruns;
}
