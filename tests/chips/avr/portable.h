/* The learner in portable C under names of its own, next to the one that the chip has. */
#ifndef PORTABLE_H
#define PORTABLE_H

#include "anp.h"

uint32_t portable_train(struct anp_network *net, const struct anp_noise *noise, const int16_t *x, const int16_t *target);
uint32_t portable_evaluate(struct anp_network *net, const int16_t *x, const int16_t *target, bool *correct);

#endif
