/* CONFIGURE: a network at run time. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "device.h"

enum wire_result command_configure(struct device *device, const uint8_t *payload, uint8_t length);

#endif
