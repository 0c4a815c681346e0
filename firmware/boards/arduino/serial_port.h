/* The core's serial port, reduced to what never waits. */
#ifndef SERIAL_PORT_H
#define SERIAL_PORT_H

#include <stdbool.h>
#include <stdint.h>

void port_begin(void);

/* Takes up to `most` received bytes; returns how many. */
uint16_t port_read(uint8_t *bytes, uint16_t most);

/* Sends as many of the bytes as the port takes at once; returns how many. Up to 512 of them may still wait in it. */
uint16_t port_write(const uint8_t *bytes, uint16_t count);

/* Whether bytes were lost since the call before. Where the core does not report it: whether the receiver is as full as it can be, which with a
 * host that keeps to its credit it never is. */
bool port_overrun(void);

#endif
