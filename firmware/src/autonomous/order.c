/* The congruential sequence of an epoch, numbers beyond the samples passed over. tasks.c calls it. */
#include "order.h"

#include "anp.h"

/* m - 1, m the smallest power of two that is enough. */
static uint16_t mask_of(uint16_t samples)
{
    uint16_t mask = 0;
    while (mask < (uint16_t)(samples - 1))
        mask = (uint16_t)(mask << 1 | 1);
    return mask;
}

void order_begin(struct order *order, uint16_t samples)
{
    uint16_t mask = mask_of(samples);
    uint32_t r = anp_random_next(&order->random);
    order->a = (uint16_t)(((r & mask) & ~3u) | 1);
    order->c = (uint16_t)(((r >> 16) & mask) | 1);
    order->x = (uint16_t)((anp_random_next(&order->random) >> 16) & mask);
    order->mask = mask;
}

uint16_t order_next(struct order *order, uint16_t samples)
{
    do
        order->x = (uint16_t)((uint16_t)((uint32_t)order->a * order->x) + order->c) & order->mask;
    while (order->x >= samples);
    return order->x;
}
