/* Counts the instructions of training steps: part of the images for profiles alone, which the linker gives --wrap for each
 * function named below. Everything else in such an image is the plain one.
 *
 * With -icount shift=10 QEMU's clock advances by 1,024 ns an instruction, so a counter of 25 MHz advances by 25.6, one of 16 MHz by
 * 16.384, and tells the exact number of instructions between two readings. A wrapper reads it before and after its function; what the wrapper itself
 * costs is measured once with an empty function and taken off, so the counts are exact, to the instruction. */
#include <stdint.h>

#include "machine.h"
#include "options.h"
#include "profile_row.h"
#include "semihosting.h"
#include "uart.h"

enum phase { STEP, DRAW, NORMALISE, UPDATE, RECEIVE, TRANSMIT, EMPTY, PHASES };

#define DEPTH 4                   /* a step, a part of it, an interrupt, and one to spare */
#define PAINT 0xa5a5a5a5u

struct frame {
    uint32_t caller;              /* where the wrapper returns to */
    uint32_t interrupts;          /* instructions spent in interrupts before */
    uint32_t start;               /* of the counter */
    enum phase phase;
};

static struct frame frames[DEPTH];
static uint32_t depth;
static uint32_t spent[PHASES];    /* instructions, in this step; of interrupts since the start */
static uint32_t calls[PHASES];
static const uint32_t of_interrupts[PHASES] = {[RECEIVE] = UINT32_MAX, [TRANSMIT] = UINT32_MAX};
static uint32_t interrupts;       /* instructions in interrupts since the start, their wrappers included */
static uint32_t inside;           /* a wrapper's own instructions between its two readings */
static uint32_t around;           /* all of a wrapper's own instructions */
static uint64_t clocks;           /* of the counter, mod 2^64 */
static int file = -1;

/* From the linker script. */
extern uint32_t static_end[], stack_top[];

/* IN instructions take TICKS of the counter, both whole numbers. */
#define TICKS (MACHINE_COUNTER_HZ == 25000000u ? 128u : 2048u)
#define IN (MACHINE_COUNTER_HZ == 25000000u ? 5u : 125u)
_Static_assert(1024ull * MACHINE_COUNTER_HZ * IN == 1000000000ull * TICKS, "an instruction takes 1,024 ns");

/* The counter rounds down, so a difference is less than a tick off. */
static uint32_t instructions(uint32_t ticks)
{
    return (ticks * IN + TICKS / 2) / TICKS;
}

__attribute__((used)) void profile_enter(enum phase phase, uint32_t caller)
{
    __asm__ volatile("cpsid i" ::: "memory");
    struct frame *frame = &frames[depth++];
    frame->caller = caller;
    frame->phase = phase;
    frame->interrupts = interrupts;
    frame->start = machine_counter();
    __asm__ volatile("cpsie i" ::: "memory");
}

static uint32_t untouched(void)
{
    const volatile uint32_t *word = static_end;
    while (word < stack_top && *word == PAINT)
        word++;
    return (uint32_t)((uintptr_t)word - (uintptr_t)static_end);
}

static void tell(uint32_t in_interrupts)
{
    if (file < 0)
        file = semihosting_open(options_text("profile"), SEMIHOSTING_WRITE);
    clocks += machine_counter() - (uint32_t)clocks;
    uint64_t total = clocks * IN / TICKS;
    uint32_t free = untouched();
    const struct profile_row row = {
        .step = spent[STEP],
        .draw = spent[DRAW],
        .normalise = spent[NORMALISE],
        .update = spent[UPDATE],
        .interrupts = in_interrupts,
        .receive_calls = calls[RECEIVE],
        .receive = spent[RECEIVE],
        .transmit_calls = calls[TRANSMIT],
        .transmit = spent[TRANSMIT],
        .overruns = uart_overruns(),
        .stack = (uint32_t)((uintptr_t)stack_top - (uintptr_t)static_end) - free,
        .untouched = free,
        .total_low = (uint32_t)total,
        .total_high = (uint32_t)(total >> 32),
    };
    semihosting_write(file, &row, sizeof row);
    for (enum phase phase = STEP; phase <= UPDATE; phase++)
        spent[phase] = calls[phase] = 0;
}

/* Returns where to continue. */
__attribute__((used)) uint32_t profile_leave(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    uint32_t now = machine_counter();
    const struct frame *frame = &frames[--depth];
    uint32_t in_interrupts = interrupts - frame->interrupts;
    uint32_t count = instructions(now - frame->start) - in_interrupts - inside;
    uint32_t caller = frame->caller;
    enum phase phase = frame->phase;
    spent[phase] += count;
    calls[phase]++;
    /* Without a branch, so that every wrapper costs the same. */
    interrupts += (count + around) & of_interrupts[phase];
    __asm__ volatile("cpsie i" ::: "memory");
    if (phase == STEP) {
        spent[STEP] -= (calls[DRAW] + calls[NORMALISE] + calls[UPDATE]) * around;
        tell(in_interrupts);
    }
    return caller;
}

/* The stack stays as the function expects it, for some of its arguments may lie there. */
#define WRAP(function, phase)                                                                                                          \
    __asm__("    .syntax unified\n"                                                                                                     \
            "    .section .text.__wrap_" function ",\"ax\",%progbits\n"                                                                \
            "    .global __wrap_" function "\n"                                                                                        \
            "    .thumb_func\n"                                                                                                        \
            "__wrap_" function ":\n"                                                                                                   \
            "    push {r0-r3}\n"                                                                                                       \
            "    movs r0, #" phase "\n"                                                                                                \
            "    mov r1, lr\n"                                                                                                         \
            "    bl profile_enter\n"                                                                                                   \
            "    pop {r0-r3}\n"                                                                                                        \
            "    bl __real_" function "\n"                                                                                             \
            "    push {r0, r1}\n"                                                                                                      \
            "    bl profile_leave\n"                                                                                                   \
            "    mov lr, r0\n"                                                                                                         \
            "    pop {r0, r1}\n"                                                                                                       \
            "    bx lr\n"                                                                                                              \
            "    .text\n")

_Static_assert(STEP == 0 && DRAW == 1 && NORMALISE == 2 && UPDATE == 3 && RECEIVE == 4 && TRANSMIT == 5 && EMPTY == 6,
               "the numbers below");
WRAP("anp_train", "0");
WRAP("anp_noise_draw", "1");
WRAP("anp_global_factor", "2");
WRAP("anp_update_layer", "3");
WRAP("anp_update_layers", "3");
WRAP("anp_update_wide", "3");
WRAP("anp_update_matrix", "3");
WRAP("uart_receive_interrupt", "4");
WRAP("uart_transmit_interrupt", "5");
WRAP("profile_empty", "6");

/* One instruction. */
__asm__("    .syntax unified\n"
        "    .section .text.profile_empty,\"ax\",%progbits\n"
        "    .global __real_profile_empty\n"
        "    .thumb_func\n"
        "__real_profile_empty:\n"
        "    bx lr\n"
        "    .text\n");

void __real_profile_empty(void);
void __wrap_profile_empty(void);
int __real_main(void);
int __wrap_main(void);

static void calibrate(void)
{
    uint32_t start = machine_counter();
    __real_profile_empty();
    uint32_t between = machine_counter();
    __wrap_profile_empty();
    uint32_t end = machine_counter();
    around = instructions(end - between) - instructions(between - start);
    inside = spent[EMPTY] - 1;
}

static void paint(void)
{
    uint32_t *frame = __builtin_frame_address(0);
    for (volatile uint32_t *word = static_end; word < frame - 64; word++)
        *word = PAINT;
}

int __wrap_main(void)
{
    paint();
    calibrate();
    return __real_main();
}
