/* The order in which an epoch takes its samples (shared/numerics.md, section 11). */
#ifndef ORDER_H
#define ORDER_H

#include <stdint.h>

struct order {
    uint32_t random;              /* state of the generator */
    uint32_t start;               /* that state when the epoch began */
    uint16_t a;                   /* of the congruential sequence x = a x + c mod m */
    uint16_t c;
    uint16_t x;
    uint16_t mask;                /* m - 1 */
};

/* A new epoch of this many samples. */
void order_begin(struct order *order, uint16_t samples);

/* Index of the next sample. */
uint16_t order_next(struct order *order, uint16_t samples);

#endif
