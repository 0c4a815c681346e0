/* The handlers of all commands, declared from the protocol's own lists: command_ and the message's name in small letters. Each is defined in
 * the module that it belongs to; commands.c calls it. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include <stdint.h>

#include "messages.h"
#include "session.h"

struct device;

/* Executes or refuses a command that has the length of its type and what it needs. */
#define DECLARE(NAME, name, needs) enum wire_result command_##name(struct device *device, const uint8_t *payload, uint8_t length);
WIRE_COMMANDS(DECLARE)
WIRE_COMMANDS_AUTONOMOUS(DECLARE)
WIRE_COMMANDS_LONG_SAMPLES(DECLARE)
#undef DECLARE

#endif
