/* Functions of firmware/src in assembly, which a small chip's compiler makes twice as long: sums of losses (mean.h), and the counting of
 * noise codes (health.h). They are called after every step; the C there says what they do. */
#include <stddef.h>

#include "health.h"
#include "mean.h"

/* Parameters are where the compiler's calling convention puts them, which the assembly knows. */
#define ASSEMBLY __attribute__((naked, noinline, used))
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wreturn-type"

/* 26 cycles, and 8 for each byte of the upper half that is reached by a carry. */
ASSEMBLY void mean_add(struct mean *sum, uint32_t value)
{
    __asm__ volatile("movw r30, r24\n\t"
                     "ld   r18, Z\n\t"
                     "add  r18, r20\n\t"
                     "st   Z+, r18\n\t"
                     "ld   r18, Z\n\t"
                     "adc  r18, r21\n\t"
                     "st   Z+, r18\n\t"
                     "ld   r18, Z\n\t"
                     "adc  r18, r22\n\t"
                     "st   Z+, r18\n\t"
                     "ld   r18, Z\n\t"
                     "adc  r18, r23\n\t"
                     "st   Z+, r18\n"
                     "1:\tbrcs 2f\n\t"
                     "ret\n"
                     "2:\tld r18, Z\n\t" /* the upper half cannot overflow */
                     "adc  r18, r1\n\t"
                     "st   Z+, r18\n\t"
                     "rjmp 1b");
}

/* The sum is r31:r30:r27:r26:r25:r24:r19:r18, the count r23:r22:r21:r20. */
ASSEMBLY uint32_t mean_of(const struct mean *sum, uint32_t count)
{
    __asm__ volatile("movw r30, r24\n\t"
                     "ld   r18, Z\n\t"
                     "ldd  r19, Z+1\n\t"
                     "ldd  r24, Z+2\n\t"
                     "ldd  r25, Z+3\n\t"
                     "ldd  r26, Z+4\n\t"
                     "ldd  r27, Z+5\n\t"
                     "ldd  r0, Z+6\n\t"
                     "ldd  r31, Z+7\n\t"
                     "mov  r30, r0\n\t"
                     "mov  r0, r20\n\t"
                     "or   r0, r21\n\t"
                     "or   r0, r22\n\t"
                     "or   r0, r23\n\t"
                     "breq 6f\n\t" /* of nothing */
                     "cp   r26, r20\n\t"
                     "cpc  r27, r21\n\t"
                     "cpc  r30, r22\n\t"
                     "cpc  r31, r23\n\t"
                     "brsh 7f\n" /* beyond 32 bits */
                     "1:\tsbrc r20, 0\n\t"
                     "rjmp 2f\n\t"
                     "lsr  r23\n\t"
                     "ror  r22\n\t"
                     "ror  r21\n\t"
                     "ror  r20\n\t"
                     "lsr  r31\n\t"
                     "ror  r30\n\t"
                     "ror  r27\n\t"
                     "ror  r26\n\t"
                     "ror  r25\n\t"
                     "ror  r24\n\t"
                     "ror  r19\n\t"
                     "ror  r18\n\t"
                     "rjmp 1b\n"
                     "2:\tcpi r20, 1\n\t"
                     "cpc  r21, r1\n\t"
                     "cpc  r22, r1\n\t"
                     "cpc  r23, r1\n\t"
                     "breq 8f\n\t"
                     "clr  r0\n\t"
                     "set\n\t"
                     "bld  r0, 5\n" /* 32 bits */
                     "3:\tlsl r18\n\t"
                     "rol  r19\n\t"
                     "rol  r24\n\t"
                     "rol  r25\n\t"
                     "rol  r26\n\t"
                     "rol  r27\n\t"
                     "rol  r30\n\t"
                     "rol  r31\n\t"
                     "brcs 4f\n\t"
                     "cp   r26, r20\n\t"
                     "cpc  r27, r21\n\t"
                     "cpc  r30, r22\n\t"
                     "cpc  r31, r23\n\t"
                     "brlo 5f\n"
                     "4:\tsub r26, r20\n\t"
                     "sbc  r27, r21\n\t"
                     "sbc  r30, r22\n\t"
                     "sbc  r31, r23\n\t"
                     "inc  r18\n"
                     "5:\tdec r0\n\t"
                     "brne 3b\n\t"
                     "rjmp 8f\n"
                     "6:\tldi r18, 0\n\t"
                     "rjmp 9f\n"
                     "7:\tldi r18, 0xff\n"
                     "9:\tmov r19, r18\n\t"
                     "movw r24, r18\n"
                     "8:\tmovw r22, r18\n\t"
                     "ret");
}

#define FIELD(name) [name] "I"(offsetof(struct health, name))
#define HIGHER(name) [name##_high] "I"(offsetof(struct health, name) + 1)
#define COUNTER(name) FIELD(name), HIGHER(name)

/* r13 switches, r12 codes unlike those before, r23 of state 1, r22 left when the last run began. */
#define ADD_TO(name, counted)                                                                                                                   \
    "ldd  r0, Z+%[" name "]\n\t"                                                                                                                 \
    "add  r0, " counted "\n\t"                                                                                                                   \
    "std  Z+%[" name "], r0\n\t"                                                                                                                 \
    "ldd  r0, Z+%[" name "_high]\n\t"                                                                                                            \
    "adc  r0, r1\n\t"                                                                                                                            \
    "std  Z+%[" name "_high], r0\n\t"

/* About 27 cycles a code and 120 once. Thresholds in r19:r18 and r15:r14, history r25:r24, lag r17:r16, state r21, codes left r20. */
ASSEMBLY void health_follow(struct health *health, const uint16_t *codes, uint8_t count)
{
    __asm__ volatile("push r12\n\t"
                     "push r13\n\t"
                     "push r14\n\t"
                     "push r15\n\t"
                     "push r16\n\t"
                     "push r17\n\t"
                     "movw r26, r22\n\t"
                     "movw r30, r24\n\t"
                     "ldd  r18, Z+%[level_low]\n\t"
                     "ldd  r19, Z+%[level_low_high]\n\t"
                     "ldd  r14, Z+%[level_high]\n\t"
                     "ldd  r15, Z+%[level_high_high]\n\t"
                     "movw r24, r14\n\t"
                     "adiw r24, 1\n\t"
                     "sub  r24, r18\n\t"
                     "sbc  r25, r19\n\t"
                     "lsr  r25\n\t"
                     "ror  r24\n\t"
                     "lsr  r25\n\t"
                     "ror  r24\n\t"
                     "add  r18, r24\n\t"
                     "adc  r19, r25\n\t"
                     "sub  r14, r24\n\t"
                     "sbc  r15, r25\n\t"
                     "ldd  r24, Z+%[history]\n\t"
                     "ldd  r25, Z+%[history_high]\n\t"
                     "ldd  r16, Z+%[lag]\n\t"
                     "ldd  r17, Z+%[lag_high]\n\t"
                     "ldd  r21, Z+%[state]\n\t" ADD_TO("position", "r20")
                     "clr  r12\n\t"
                     "clr  r13\n\t"
                     "clr  r23\n\t"
                     "mov  r22, r20\n\t"
                     "tst  r20\n\t"
                     "breq 7f\n"
                     "1:\tld r0, X+\n\t"
                     "ld   r1, X+\n\t"
                     "sbrs r21, 0\n\t"
                     "rjmp 2f\n\t"
                     "cp   r18, r0\n\t"
                     "cpc  r19, r1\n\t"
                     "brlo 4f\n\t"
                     "ldi  r21, 0\n\t"
                     "rjmp 3f\n"
                     "2:\tcp r0, r14\n\t"
                     "cpc  r1, r15\n\t"
                     "brlo 4f\n\t"
                     "ldi  r21, 1\n"
                     "3:\tinc r13\n\t"
                     "mov  r22, r20\n"
                     "4:\tadd r23, r21\n\t"
                     "movw r0, r24\n\t"
                     "and  r0, r16\n\t"
                     "and  r1, r17\n\t"
                     "or   r0, r1\n\t"
                     "breq 5f\n\t"
                     "inc  r12\n\t" /* 1 before: unlike 0 */
                     "sub  r12, r21\n\t"
                     "rjmp 6f\n"
                     "5:\tadd r12, r21\n"
                     "6:\tlsl r24\n\t"
                     "rol  r25\n\t"
                     "or   r24, r21\n\t"
                     "dec  r20\n\t"
                     "brne 1b\n"
                     "7:\tclr r1\n\t"
                     "std  Z+%[state], r21\n\t"
                     "std  Z+%[history], r24\n\t"
                     "std  Z+%[history_high], r25\n\t" ADD_TO("ones", "r23") ADD_TO("switches", "r13") ADD_TO("different", "r12")
                     "ldi  r23, 0\n\t"
                     "cpse r13, r1\n\t"
                     "rjmp 8f\n\t"
                     "ldd  r24, Z+%[run]\n\t"
                     "ldd  r25, Z+%[run_high]\n\t"
                     "add  r22, r24\n\t"
                     "adc  r23, r25\n\t"
                     "brcc 8f\n\t"
                     "ldi  r22, 0xff\n\t"
                     "ldi  r23, 0xff\n"
                     "8:\tstd Z+%[run], r22\n\t"
                     "std  Z+%[run_high], r23\n\t"
                     "pop  r17\n\t"
                     "pop  r16\n\t"
                     "pop  r15\n\t"
                     "pop  r14\n\t"
                     "pop  r13\n\t"
                     "pop  r12\n\t"
                     "ret"
                     :
                     : FIELD(state), COUNTER(level_low), COUNTER(level_high), COUNTER(run), COUNTER(position), COUNTER(ones),
                       COUNTER(switches), COUNTER(different), COUNTER(history), COUNTER(lag));
}
