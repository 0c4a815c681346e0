/* Connects the peripherals of this folder to simavr and runs it. main.c and the library call it. */
#include "chip.h"

#include <simavr/avr_watchdog.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atmega328p.h"
#include "generator.h"

#define RAM_STREAM 2              /* of the generator; the sMTJ has 0 and 1 */
#define BATCH_CYCLES 2000u        /* the CPU may run so long between two timers */
#define LOOP 0xcfffu              /* rjmp to itself */

/* simavr's messages would mix with the line that names the port. */
static void ignore_message(avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr, (void)level, (void)format, (void)arguments;
}

static void no_sleep(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr, (void)cycles;
}

static void on_interrupt(avr_irq_t *irq, uint32_t running, void *context)
{
    struct chip *chip = context;
    if (running)
        chip->avr->cycle += INTERRUPT_ENTRY_CYCLES;
    if (chip->profile)
        profile_interrupt(chip->profile, (uint8_t)(irq->irq / 256), running);
}

static struct chip *chip_of(avr_io_t *module)
{
    return (struct chip *)(void *)((char *)module - offsetof(struct chip, module));
}

static int on_instruction(avr_io_t *module, uint32_t request, void *parameter)
{
    (void)parameter;
    if (request != AVR_IOCTL_WATCHDOG_RESET)
        return -1;                /* somebody else's */
    watchdog_feed(&chip_of(module)->watchdog);
    return 0;
}

static void on_reset(avr_io_t *module)
{
    struct chip *chip = chip_of(module);
    chip->avr->data[MCUSR] = chip->reset_flags;
    watchdog_reset(&chip->watchdog);
    usart_reset(&chip->usart);
    adc_reset(&chip->adc);
    eeprom_reset(&chip->eeprom);
    if (chip->profile)
        profile_reset(chip->profile);
    chip->avr->run_cycle_limit = chip->profile ? 1 : BATCH_CYCLES;
}

static void fill_ram(avr_t *avr, uint64_t seed)
{
    struct generator generator;
    generator_init(&generator, seed, RAM_STREAM);
    for (unsigned address = RAM_START; address <= RAM_END; address++)
        avr->data[address] = (uint8_t)generator_bits(&generator);
}

void chip_init(struct chip *chip, const struct image *image, uint64_t seed)
{
    avr_global_logger_set(ignore_message);
    avr_t *avr = avr_make_mcu_by_name("atmega328p");
    if (!avr || avr_init(avr) != 0) {
        fputs("mtjlearn-uno-sim: this libsimavr has no ATmega328P\n", stderr);
        exit(1);
    }
    chip->avr = avr;
    avr->frequency = CLOCK_HZ;
    avr->sleep = no_sleep;
    memcpy(avr->flash, image->flash, FLASH_BYTES);
    avr->codeend = FLASH_BYTES - 1;
    avr->reset_pc = image->reset_address;
    fill_ram(avr, seed);
    usart_init(&chip->usart, avr);
    adc_init(&chip->adc, avr);
    eeprom_init(&chip->eeprom, avr);
    watchdog_init(&chip->watchdog, avr);
    chip->module = (avr_io_t){.kind = "mtjlearn", .reset = on_reset, .ioctl = on_instruction};
    avr_register_io(avr, &chip->module);
    for (unsigned i = 0; i < avr->interrupts.vector_count; i++)
        avr_irq_register_notify(avr->interrupts.vector[i]->irq + AVR_INT_IRQ_RUNNING, on_interrupt, chip);
    if (chip->profile)
        profile_begin(chip->profile, avr, image);
    chip->reset_flags = PORF;
    avr_reset(avr);
}

/* Only software clears the reset flags. */
static void restart(struct chip *chip, unsigned cause)
{
    chip->reset_flags = (uint8_t)(chip->avr->data[MCUSR] | cause);
    avr_reset(chip->avr);
}

void chip_reset(struct chip *chip)
{
    restart(chip, EXTRF);
}

bool chip_run(struct chip *chip, avr_cycle_count_t until)
{
    avr_t *avr = chip->avr;
    while (avr->cycle < until) {
        avr_run(avr);
        if (chip->watchdog.bites)
            restart(chip, WDRF);
        if (chip->profile)
            profile_step(chip->profile);
        if (chip->eeprom.cut)
            return false;
        if (avr->state != cpu_Running && avr->state != cpu_Sleeping) {
            const char *why = avr->state == cpu_Done ? "sleeps with interrupts off" : "met an instruction that it does not know";
            fprintf(stderr, "mtjlearn-uno-sim: the chip %s at %#x\n", why, avr->pc);
            return false;
        }
    }
    return true;
}

/* The highest word of the flash that nobody uses; it is a loop from now on. */
static avr_flashaddr_t place_loop(avr_t *avr)
{
    avr_flashaddr_t address = FLASH_BYTES - 2;
    while (address && (avr->flash[address] & avr->flash[address + 1]) != 0xff)
        address -= 2;
    avr->flash[address] = (uint8_t)LOOP;
    avr->flash[address + 1] = (uint8_t)(LOOP >> 8);
    return address;
}

bool chip_hang(struct chip *chip)
{
    avr_t *avr = chip->avr;
    avr_cycle_count_t limit = avr->run_cycle_limit;
    while (!avr->sreg[S_I]) {
        avr->run_cycle_limit = 1;
        if (!chip_run(chip, avr->cycle + 1))
            return false;
    }
    avr->run_cycle_limit = limit;
    avr->state = cpu_Running;
    avr->pc = place_loop(avr);
    return true;
}
