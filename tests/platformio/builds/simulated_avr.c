/* Runs the image of an AVR board in simavr: simulated_avr MCU ELF. Standard input and output are the line at USART0, at most 25,000
 * bytes per second towards the chip. Pin A0 sees two voltages in random turn, as of a switching junction; A1 and A2 a new random voltage
 * at every reading; A3 what depends on the last of them. Ends with standard input. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <simavr/avr_adc.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define UCSR0B 0xc1                   /* of all chips here */
#define RXEN0 0x10
#define CYCLES_PER_BYTE 640u
#define SLICE 16000u                  /* cycles between two looks at the standard input */
#define LOW_MV 36u
#define HIGH_MV 48u
#define SUPPLY_MV 5000u

static uint8_t waiting[4096];
static unsigned first, end;
static bool ended;
static uint32_t level[4];             /* mV at A0 .. A3 */

static void log_nothing(avr_t *avr, const int level_of_log, const char *format, va_list arguments)
{
    (void)avr, (void)level_of_log, (void)format, (void)arguments;
}

/* Not by simavr's timers: they do not outlive a reset of the chip. */
static void give_byte(avr_t *avr)
{
    static avr_cycle_count_t next;
    if (first == end || avr->cycle < next)
        return;
    next = avr->cycle + CYCLES_PER_BYTE;
    uint8_t byte = waiting[first++];
    /* A receiver that is off hears nothing; simavr's would keep it and never interrupt again. */
    if (avr->data[UCSR0B] & RXEN0)
        avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), byte);
}

static void take_byte(avr_irq_t *irq, uint32_t value, void *context)
{
    (void)irq, (void)context;
    uint8_t byte = (uint8_t)value;
    if (write(STDOUT_FILENO, &byte, 1) != 1)
        ended = true;
}

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

static void convert(avr_irq_t *irq, uint32_t value, void *context)
{
    avr_t *avr = context;
    union {
        avr_adc_mux_t fields;
        uint32_t bits;
    } mux = {0};
    (void)irq;
    mux.bits = value;
    unsigned pin = mux.fields.src;
    if (pin >= 4)
        return;
    if (pin == 0)
        level[0] = random_below(2) ? HIGH_MV : LOW_MV;
    else if (pin == 3)
        level[3] = (level[1] * 2 + SUPPLY_MV - level[2]) / 3;
    else
        level[pin] = random_below(SUPPLY_MV);
    avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, (int)(ADC_IRQ_ADC0 + pin)), level[pin]);
}

static void look(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (first < end || poll(&input, 1, 0) <= 0)
        return;
    ssize_t count = read(STDIN_FILENO, waiting, sizeof waiting);
    if (count <= 0)
        ended = true;
    first = 0;
    end = count > 0 ? (unsigned)count : 0;
}

int main(int argc, char **argv)
{
    elf_firmware_t firmware = {0};
    avr_global_logger_set(log_nothing);
    /* simavr says on standard output what it loads. */
    int output = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    avr_t *avr = argc == 3 ? avr_make_mcu_by_name(argv[1]) : NULL;
    if (!avr || elf_read_firmware(argv[2], &firmware) != 0)
        return 2;
    avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    fflush(stdout);
    dup2(output, STDOUT_FILENO);
    avr->vcc = avr->avcc = avr->aref = SUPPLY_MV;

    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), take_byte, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_OUT_TRIGGER), convert, avr);
    while (!ended) {
        for (avr_cycle_count_t until = avr->cycle + SLICE; avr->cycle < until;) {
            int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed)
                return 1;
            give_byte(avr);
        }
        look();
    }
    return 0;
}
