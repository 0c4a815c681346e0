/* The simulated ATmega328P as flat functions, for programs that load it as a library: nothing moves unless they say so, and they see
 * every cycle. Bytes for the chip follow each other as fast as the line goes. */
#include <simavr/sim_avr.h>
#include <simavr/sim_core.h>

#include <stdlib.h>
#include <string.h>

#include "chip.h"
#include "uno_chip.h"

#define QUEUE 65536u
#define PAINT 0xc5
#define RETI_CYCLES 4u
#define BATCH_CYCLES 2000u

struct uno_chip {
    struct chip chip;
    struct image image;
    uint8_t to_chip[QUEUE], from_chip[QUEUE];
    uint32_t to_start, to_count, from_start, from_count;
    uint64_t begun[VECTORS];      /* handlers, at the request */
    struct uno_handler handlers[VECTORS];
    uint64_t masked_since;        /* interrupts are off since then; 0: they are on */
    uint32_t longest_masked;
    uint16_t lowest_stack;
    uint64_t asleep;              /* cycles since the measurement began */
    bool hurries;
};

static bool take(void *context, uint8_t *byte)
{
    struct uno_chip *uno = context;
    if (uno->to_count == 0)
        return false;
    *byte = uno->to_chip[uno->to_start];
    uno->to_start = (uno->to_start + 1) % QUEUE;
    uno->to_count--;
    return true;
}

static void give(void *context, uint8_t byte)
{
    struct uno_chip *uno = context;
    if (uno->from_count < QUEUE)
        uno->from_chip[(uno->from_start + uno->from_count++) % QUEUE] = byte;
}

static void on_handler(avr_irq_t *irq, uint32_t running, void *context)
{
    struct uno_chip *uno = context;
    avr_t *avr = uno->chip.avr;
    unsigned vector = irq->irq / 256;
    struct uno_handler *handler = &uno->handlers[vector];
    if (running) {
        uno->begun[vector] = avr->cycle;
        return;
    }
    /* simavr tells of the request before the chip has added the entry, and of RETI before that took its time. */
    uint32_t cycles = (uint32_t)(avr->cycle - uno->begun[vector]) + RETI_CYCLES;
    if (handler->calls == 0 || cycles < handler->shortest)
        handler->shortest = cycles;
    if (cycles > handler->longest)
        handler->longest = cycles;
    handler->calls++;
}

struct uno_chip *uno_create(const char *elf, uint64_t seed, uint8_t preset, uint8_t noise, const uint8_t *eeprom,
                            bool profiled)
{
    struct uno_chip *uno = calloc(1, sizeof *uno);
    if (!uno)
        return NULL;
    image_init(&uno->image);
    image_load_elf(&uno->image, elf);
    memcpy(uno->chip.eeprom.bytes, eeprom ? eeprom : uno->image.eeprom, EEPROM_BYTES);
    smtj_init(&uno->chip.adc.source, (enum smtj_kind)noise, (enum smtj_preset)preset, seed);
    uno->chip.usart.take = take;
    uno->chip.usart.give = give;
    uno->chip.usart.context = uno;
    if (profiled && !(uno->chip.profile = calloc(1, sizeof *uno->chip.profile))) {
        free(uno);
        return NULL;
    }
    chip_init(&uno->chip, &uno->image, seed);
    for (unsigned i = 0; i < uno->chip.avr->interrupts.vector_count; i++)
        avr_irq_register_notify(uno->chip.avr->interrupts.vector[i]->irq + AVR_INT_IRQ_RUNNING, on_handler, uno);
    uno->lowest_stack = RAM_END;
    return uno;
}

void uno_destroy(struct uno_chip *uno)
{
    avr_terminate(uno->chip.avr);
    if (uno->chip.profile)
        free(uno->chip.profile->steps);
    free(uno->chip.profile);
    free(uno);
}

static void watch(struct uno_chip *uno)
{
    avr_t *avr = uno->chip.avr;
    uint16_t stack = (uint16_t)(avr->data[R_SPL] | avr->data[R_SPH] << 8);
    if (stack > RAM_START && stack < uno->lowest_stack)
        uno->lowest_stack = stack;
    if (avr->sreg[S_I]) {
        if (uno->masked_since && avr->cycle - uno->masked_since > uno->longest_masked)
            uno->longest_masked = (uint32_t)(avr->cycle - uno->masked_since);
        uno->masked_since = 0;
    } else if (!uno->masked_since) {
        uno->masked_since = avr->cycle;
    }
}

/* One instruction, or one piece of sleep. */
static bool step(struct uno_chip *uno)
{
    avr_t *avr = uno->chip.avr;
    uint64_t before = avr->cycle;
    avr->run_cycle_limit = 1; /* a reset sets it again */
    if (!chip_run(&uno->chip, avr->cycle + 1))
        return false;
    if (avr->state == cpu_Sleeping)
        uno->asleep += avr->cycle - before;
    watch(uno);
    return true;
}

void uno_hurry(struct uno_chip *uno)
{
    uno->hurries = true;
    uno->chip.avr->run_cycle_limit = BATCH_CYCLES;
}

bool uno_run(struct uno_chip *uno, uint64_t cycles)
{
    avr_t *avr = uno->chip.avr;
    uint64_t until = avr->cycle + cycles;
    usart_listen(&uno->chip.usart);
    if (uno->hurries)
        return chip_run(&uno->chip, until);
    while (avr->cycle < until)
        if (!step(uno))
            return false;
    return true;
}

bool uno_run_to(struct uno_chip *uno, uint32_t address, uint64_t most_cycles)
{
    uint64_t until = uno->chip.avr->cycle + most_cycles;
    usart_listen(&uno->chip.usart);
    while (uno->chip.avr->cycle < until) {
        if (!step(uno))
            return false;
        if (uno->chip.avr->pc == address)
            return true;
    }
    return false;
}

uint64_t uno_cycle(const struct uno_chip *uno)
{
    return uno->chip.avr->cycle;
}

void uno_reset(struct uno_chip *uno)
{
    chip_reset(&uno->chip);
}

void uno_play(struct uno_chip *uno, uint8_t pin, const float *millivolts, uint32_t count, double per_second)
{
    uno->chip.adc.script = (struct adc_script){pin, millivolts, count, per_second};
}

void uno_push(struct uno_chip *uno, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count && uno->to_count < QUEUE; i++)
        uno->to_chip[(uno->to_start + uno->to_count++) % QUEUE] = bytes[i];
}

uint32_t uno_take(struct uno_chip *uno, uint8_t *bytes, uint32_t most)
{
    uint32_t count = 0;
    for (; count < most && uno->from_count; count++, uno->from_count--) {
        bytes[count] = uno->from_chip[uno->from_start];
        uno->from_start = (uno->from_start + 1) % QUEUE;
    }
    return count;
}

uint32_t uno_queued(const struct uno_chip *uno)
{
    return uno->to_count;
}

uint32_t uno_line_overruns(const struct uno_chip *uno)
{
    return uno->chip.usart.overruns;
}

uint8_t *uno_memory(struct uno_chip *uno)
{
    return uno->chip.avr->data;
}

uint8_t *uno_flash(struct uno_chip *uno)
{
    return uno->chip.avr->flash;
}

uint8_t *uno_eeprom(struct uno_chip *uno)
{
    return uno->chip.eeprom.bytes;
}

uint32_t uno_eeprom_writes(const struct uno_chip *uno)
{
    return uno->chip.eeprom.writes;
}

void uno_cut_power(struct uno_chip *uno, uint32_t writes, uint64_t seed)
{
    eeprom_cut_power(&uno->chip.eeprom, writes, seed);
}

bool uno_is_cut(const struct uno_chip *uno)
{
    return uno->chip.eeprom.cut;
}

uint32_t uno_program_counter(const struct uno_chip *uno)
{
    return uno->chip.avr->pc;
}

/* As an instruction that stood before the next one would. */
void uno_call(struct uno_chip *uno, uint32_t address)
{
    avr_t *avr = uno->chip.avr;
    uint16_t stack = (uint16_t)(avr->data[R_SPL] | avr->data[R_SPH] << 8);
    avr->data[stack] = (uint8_t)(avr->pc / 2);
    avr->data[stack - 1] = (uint8_t)(avr->pc / 2 >> 8);
    stack = (uint16_t)(stack - 2);
    avr->data[R_SPL] = (uint8_t)stack;
    avr->data[R_SPH] = (uint8_t)(stack >> 8);
    avr->pc = address;
}

/* As the fuse that starts a bootloader does. */
void uno_start_at(struct uno_chip *uno, uint32_t address)
{
    uno->chip.avr->reset_pc = address;
}

void uno_paint(struct uno_chip *uno, uint16_t from)
{
    uint8_t *data = uno->chip.avr->data;
    uint16_t stack = (uint16_t)(data[R_SPL] | data[R_SPH] << 8);
    memset(data + from, PAINT, stack - 16u - from);
}

uint16_t uno_untouched(const struct uno_chip *uno, uint16_t from)
{
    uint16_t at = from;
    while (at <= RAM_END && uno->chip.avr->data[at] == PAINT)
        at++;
    return (uint16_t)(at - from);
}

uint16_t uno_lowest_stack(const struct uno_chip *uno)
{
    return uno->lowest_stack;
}

void uno_measure(struct uno_chip *uno)
{
    memset(uno->handlers, 0, sizeof uno->handlers);
    uno->longest_masked = 0;
    uno->masked_since = 0;
    uno->lowest_stack = RAM_END;
    uno->asleep = 0;
}

uint64_t uno_asleep(const struct uno_chip *uno)
{
    return uno->asleep;
}

uint32_t uno_longest_masked(const struct uno_chip *uno)
{
    return uno->longest_masked;
}

struct uno_handler uno_handler(const struct uno_chip *uno, uint8_t vector)
{
    return uno->handlers[vector];
}

bool uno_write_profile(const struct uno_chip *uno, const char *path)
{
    return uno->chip.profile && profile_write(uno->chip.profile, path, uno->chip.usart.overruns);
}
