/* CONFIGURE: a network at run time. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "device.h"

enum wire_result command_configure(struct device *device, const uint8_t *payload, uint8_t length);

/* Whether messages of that size can carry one sample of such a network. */
bool configure_fits(const struct anp_config *config, uint8_t max_payload);

#endif
