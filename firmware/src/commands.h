/* What the device does with each command (shared/protocol.toml). */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdint.h>

#include "device.h"
#include "session.h"

/* Executes or refuses the command of the session's current frame. */
enum wire_result command_execute(struct device *device, uint8_t type, const uint8_t *payload, uint8_t length);

#endif
