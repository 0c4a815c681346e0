/* CONFIGURE: a network at run time. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "device.h"

/* Whether messages of that size can carry one sample of such a network. */
bool configure_fits(const struct anp_config *config, uint8_t max_payload);

#endif
