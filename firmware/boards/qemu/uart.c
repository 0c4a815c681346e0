/* The two rings and the UART's two interrupts. main.c makes them callbacks of struct board; startup.c holds the vectors. */
#include "uart.h"

#include "machine.h"

/* Positions count bytes since the start, mod 2^16; their difference is what a ring holds. Each is written on one side only. */
static struct {
    volatile uint16_t in;
    volatile uint16_t out;
    uint8_t bytes[UART_RECEIVE_RING];
} received;

static struct {
    volatile uint16_t in;
    volatile uint16_t out;
    volatile bool running;        /* the UART holds a byte, whose departure interrupts */
    uint8_t bytes[UART_TRANSMIT_RING];
} sent;

static volatile uint16_t overruns;
static volatile bool moved;       /* an interrupt came since the last uart_wait() */

void uart_init(uint32_t baud)
{
    machine_uart_begin(baud);
    NVIC_ENABLE = MACHINE_UART_INTERRUPTS;
}

void uart_wait(void)
{
    /* An interrupt that is held off still ends the wait. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (!moved)
        __asm__ volatile("wfi" ::: "memory");
    __asm__ volatile("cpsie i" ::: "memory");
    moved = false;
}

void uart_receive_interrupt(void)
{
    moved = true;
    if (machine_uart_received())
        overruns++;
    if (!machine_uart_has_byte())
        return;
    uint8_t byte = machine_uart_read();
    uint16_t in = received.in;
    if ((uint16_t)(in - received.out) == UART_RECEIVE_RING) {
        overruns++;
        return;
    }
    received.bytes[in % UART_RECEIVE_RING] = byte;
    received.in = (uint16_t)(in + 1);
}

uint16_t uart_read(uint8_t *bytes, uint16_t most)
{
    uint16_t out = received.out;
    uint16_t waiting = (uint16_t)(received.in - out);
    uint16_t count = most < waiting ? most : waiting;
    for (uint16_t i = 0; i < count; i++)
        bytes[i] = received.bytes[out++ % UART_RECEIVE_RING];
    received.out = out;
    return count;
}

/* Gives the UART the next byte, if there is one. */
static void send_next(void)
{
    uint16_t out = sent.out;
    sent.running = out != sent.in;
    if (!sent.running)
        return;
    sent.out = (uint16_t)(out + 1);
    machine_uart_write(sent.bytes[out % UART_TRANSMIT_RING]);
}

void uart_transmit_interrupt(void)
{
    machine_uart_departed();
    moved = true;
    send_next();
}

uint16_t uart_room(void)
{
    return (uint16_t)(UART_TRANSMIT_RING - (uint16_t)(sent.in - sent.out));
}

void uart_write(const uint8_t *bytes, uint16_t count)
{
    uint16_t in = sent.in;
    for (uint16_t i = 0; i < count; i++)
        sent.bytes[in++ % UART_TRANSMIT_RING] = bytes[i];
    sent.in = in;
    __asm__ volatile("cpsid i" ::: "memory");
    if (!sent.running)
        send_next();
    __asm__ volatile("cpsie i" ::: "memory");
}

bool uart_sent(void)
{
    return !sent.running;
}

uint16_t uart_overruns(void)
{
    return overruns;
}
