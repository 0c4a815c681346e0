/* A virtual ADC: samples the virtual junction at a fixed rate and keeps the codes until somebody takes them. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdint.h>

#include "smtj.h"

#define CONVERTER_FIFO 1024       /* codes; a tenth of a second at 9,615 Hz, more than a desktop's scheduler takes away */

struct converter {
    struct smtj source;
    uint8_t bits;
    uint32_t rate;                /* codes per second */
    uint16_t reference;           /* mV at full scale */
    uint16_t fifo[CONVERTER_FIFO];
    uint16_t start;               /* of the oldest code */
    uint16_t count;
    uint32_t lost;                /* codes that nobody took, all older than those in the FIFO */
};

/* The source is initialised by the caller. */
void converter_init(struct converter *converter, uint8_t bits, uint32_t rate, uint16_t reference);

/* Takes this many samples; the oldest codes are lost when the FIFO overflows. */
void converter_run(struct converter *converter, uint64_t samples);

/* Appends a code that does not come from the source. */
void converter_put(struct converter *converter, uint16_t code);

/* Takes up to `most` codes, oldest first. */
uint16_t converter_take(struct converter *converter, uint16_t *codes, uint16_t most);

#endif
