/* The Uno R3 as it is built: clock, line rate, sampling, memory. Change with build_flags, e.g. -DUNO_BAUD=115200. */
#ifndef UNO_H
#define UNO_H

#include "frame.h"
#include "messages.h"

/* 250000 divides the clock without a remainder; 115200 is 2.1 % off, within what a receiver takes. */
#ifndef UNO_BAUD
#define UNO_BAUD 250000
#endif

/* Of the ADC's clock: 128 samples at 9,615 Hz with all 10 bits; 64 at 19,231 Hz and 32 at 38,462 Hz with less. One conversion takes 13
 * ADC clocks. */
#ifndef UNO_ADC_PRESCALER
#define UNO_ADC_PRESCALER 128
#endif

/* Voltage of full scale: 1100 is the internal reference, in which the levels of a junction behind a small divider are 11 codes apart;
 * 5000 is the supply. */
#ifndef UNO_REFERENCE_MV
#define UNO_REFERENCE_MV 1100
#endif

/* Codes that wait for the end of a training step, one less than this: 44,000 cycles at 9,615 Hz, where a step of 4-8-3 that
 * decorrelates its input takes 24,000. At a higher rate longer steps leave holes, which are counted. */
#ifndef UNO_ADC_FIFO
#define UNO_ADC_FIFO 28
#endif

/* Fewer codes wait for others, unless some were lost. One less than these, and the codes of the longest step, must fit the FIFO. */
#ifndef UNO_ADC_TOGETHER
#define UNO_ADC_TOGETHER 12
#endif

/* Memory for a network. */
#ifndef UNO_ARENA
#define UNO_ARENA 244
#endif

/* Three frames of four 4-8-3 samples: one that is being trained on, one that waits, one on the line. */
#define UNO_RECEIVE_WINDOW 198

/* The largest frame; an ACK that finds no room behind it leaves after it. */
#define UNO_TRANSMIT_ROOM WIRE_ENCODED_BYTES(WIRE_MIN_PAYLOAD)

#define UNO_CYCLES_PER_CODE (13ul * UNO_ADC_PRESCALER)

#endif
