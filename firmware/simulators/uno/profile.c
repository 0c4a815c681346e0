/* Follows calls by the stack pointer and writes cycles as JSON. chip.c calls it after each instruction. */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETI_CYCLES 4u
#define DATA_SPACE 0x800000u      /* the linker adds this to addresses in RAM */

static const struct function {
    const char *name;
    enum phase phase;
} functions[] = {
    {"anp_train", PHASE_FORWARD}, /* the step; what no other function takes is the forward passes */
    {"anp_noise_draw", PHASE_DRAW},
    {"anp_global_factor", PHASE_NORMALISE},
    {"anp_update_layer", PHASE_UPDATE},
    {"anp_update_matrix", PHASE_UPDATE},
};
#define STEP 0
#define FUNCTIONS (sizeof functions / sizeof functions[0])

static uint16_t stack_pointer(const avr_t *avr)
{
    return (uint16_t)(avr->data[R_SPL] | avr->data[R_SPH] << 8);
}

void profile_begin(struct profile *profile, avr_t *avr, const struct image *image)
{
    profile->avr = avr;
    profile->deepest = RAM_END;
    memcpy(profile->ram, avr->data, sizeof profile->ram);
    uint32_t address;
    profile->static_end = image_symbol(image, "_end", &address) ? (uint16_t)(address - DATA_SPACE) : RAM_START;
    if (!image_symbol(image, functions[STEP].name, &address))
        return;
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        if (!image_symbol(image, functions[i].name, &address)) {
            fprintf(stderr, "mtjlearn-uno-sim: the image has no function %s to measure\n", functions[i].name);
            exit(1);
        }
        profile->function[address / 2 % (FLASH_BYTES / 2)] = (uint8_t)(i + 1);
    }
}

static void count(struct profile *profile)
{
    avr_cycle_count_t now = profile->avr->cycle;
    enum phase phase = functions[profile->frames[profile->depth - 1].function].phase;
    profile->now.cycles[phase] += (uint32_t)(now - profile->since);
    profile->since = now;
}

static void enter(struct profile *profile, uint8_t function, uint16_t stack)
{
    struct frame *top = profile->depth ? &profile->frames[profile->depth - 1] : NULL;
    /* A loop may lead back to a function's first instruction. */
    if (profile->depth == PROFILE_DEPTH || (top && top->function == function && top->stack == stack))
        return;
    if (top) {
        count(profile);
    } else {
        if (function != STEP)
            return;
        profile->now = (struct profile_step){0};
        profile->since = profile->avr->cycle;
    }
    profile->frames[profile->depth++] = (struct frame){.function = function, .stack = stack};
}

static void leave(struct profile *profile)
{
    count(profile);
    if (--profile->depth)
        return;
    if (profile->step_count == profile->step_room) {
        profile->step_room = profile->step_room ? 2 * profile->step_room : 1024;
        profile->steps = realloc(profile->steps, profile->step_room * sizeof *profile->steps);
        if (!profile->steps) {
            fputs("mtjlearn-uno-sim: no memory for the profile of this many steps\n", stderr);
            exit(1);
        }
    }
    profile->steps[profile->step_count++] = profile->now;
}

void profile_step(struct profile *profile)
{
    const avr_t *avr = profile->avr;
    uint16_t stack = stack_pointer(avr);
    if (stack < profile->deepest)
        profile->deepest = stack;
    if (profile->nested)
        return;
    while (profile->depth && stack > profile->frames[profile->depth - 1].stack)
        leave(profile);
    uint8_t function = profile->function[avr->pc / 2 % (FLASH_BYTES / 2)];
    if (function)
        enter(profile, (uint8_t)(function - 1), stack);
}

void profile_interrupt(struct profile *profile, uint8_t vector, bool begins)
{
    avr_cycle_count_t now = profile->avr->cycle;
    if (begins) {
        /* The entry's cycles are counted already and belong to the handler. */
        now -= INTERRUPT_ENTRY_CYCLES;
        if (profile->nested)
            profile->cycles[profile->handlers[profile->nested - 1].vector] += now - profile->handlers[profile->nested - 1].since;
        else
            profile->outermost = now;
        profile->handlers[profile->nested++] = (struct handler){.vector = vector, .since = now};
        profile->calls[vector]++;
        return;
    }
    if (!profile->nested)
        return;
    now += RETI_CYCLES;
    const struct handler *handler = &profile->handlers[--profile->nested];
    profile->cycles[handler->vector] += now - handler->since;
    if (profile->nested) {
        profile->handlers[profile->nested - 1].since = now;
        return;
    }
    uint32_t taken = (uint32_t)(now - profile->outermost);
    profile->since += taken;
    profile->now.interrupts += taken;
}

void profile_reset(struct profile *profile)
{
    profile->depth = 0;
    profile->nested = 0;
}

/* --- the file --- */

static const struct {
    const char *name;
    uint8_t first, last;          /* vectors */
    bool always;                  /* written without a call, too */
} interrupts[] = {
    {"adc", VECTOR_ADC, VECTOR_ADC, true},
    {"uart_rx", VECTOR_USART_RX, VECTOR_USART_RX, true},
    {"uart_tx", VECTOR_USART_UDRE, VECTOR_USART_TX, true},
    {"eeprom", VECTOR_EE_READY, VECTOR_EE_READY, false},
    {"watchdog", VECTOR_WATCHDOG, VECTOR_WATCHDOG, false},
    {"timer2", VECTOR_TIMER2_FIRST, VECTOR_TIMER1_FIRST - 1, false},
    {"timer1", VECTOR_TIMER1_FIRST, VECTOR_TIMER0_FIRST - 1, false},
    {"timer0", VECTOR_TIMER0_FIRST, VECTOR_SPI - 1, false},
};

static void write_interrupts(const struct profile *profile, FILE *file)
{
    const char *separator = "";
    for (unsigned i = 0; i < sizeof interrupts / sizeof interrupts[0]; i++) {
        uint64_t calls = 0, cycles = 0;
        for (unsigned vector = interrupts[i].first; vector <= interrupts[i].last; vector++) {
            calls += profile->calls[vector];
            cycles += profile->cycles[vector];
        }
        if (!calls && !interrupts[i].always)
            continue;
        fprintf(file, "%s\"%s\": {\"calls\": %llu, \"cycles\": %llu}", separator, interrupts[i].name, (unsigned long long)calls,
                (unsigned long long)cycles);
        separator = ", ";
    }
}

static void write_steps(const struct profile *profile, FILE *file)
{
    for (uint32_t i = 0; i < profile->step_count; i++) {
        const struct profile_step *step = &profile->steps[i];
        const uint32_t *cycles = step->cycles;
        uint32_t sum = cycles[PHASE_DRAW] + cycles[PHASE_FORWARD] + cycles[PHASE_NORMALISE] + cycles[PHASE_UPDATE];
        fprintf(file, "%s\n[%u, %u, %u, %u, %u, %u]", i ? "," : "", sum, cycles[PHASE_DRAW], cycles[PHASE_FORWARD],
                cycles[PHASE_NORMALISE], cycles[PHASE_UPDATE], step->interrupts);
    }
}

/* Bytes from the end of static data up to the first one that was written. */
static unsigned untouched(const struct profile *profile)
{
    unsigned address = profile->static_end;
    while (address <= profile->deepest && profile->avr->data[address] == profile->ram[address])
        address++;
    return address - profile->static_end;
}

bool profile_write(const struct profile *profile, const char *path, uint32_t overruns)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    fputs("{\"unit\": \"cycles\", \"steps\": [", file);
    write_steps(profile, file);
    fputs("],\n\"interrupts\": {", file);
    write_interrupts(profile, file);
    fprintf(file, "},\n\"stack_bytes\": %u, \"untouched_bytes\": %u, \"rx_overruns\": %u, \"cycles\": %llu}\n",
            RAM_END - profile->deepest, untouched(profile), overruns, (unsigned long long)profile->avr->cycle);
    return fclose(file) == 0;
}
