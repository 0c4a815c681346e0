/* CONFIGURE: a network at run time. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "device.h"

/* Whether messages of that size can carry one sample of such a network. */
bool configure_fits(const struct anp_config *config, uint8_t max_payload);

/* Bytes of arena that it takes, with room for a sample behind it if one does not fit a message. */
uint32_t configure_arena_bytes(const struct anp_config *config, uint8_t max_payload);

#endif
