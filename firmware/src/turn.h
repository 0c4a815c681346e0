/* The device as a board runs it: one start, then turn after turn. Commands are executed in between (commands.h). */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "device.h"
#include "session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Both must stay where they are. The features are those of the board; the device adds its own. */
void device_init(struct device *device, const BOARD_FLASH struct board *board, const struct board_start *start);

/* The session's handlers (session.h). */
enum wire_result device_handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length);
void device_welcome(void *context, struct wire_welcome *message);
void device_opened(void *context);

/* One turn of the main loop: received bytes up to the end of a frame, noise codes, the noise stream, acknowledgements. Returns whether
 * there may be more to do at once; after false a board may sleep until a byte arrives, the line has room, or codes are due. */
bool device_poll(struct device *device);

#ifdef __cplusplus
}
#endif
#endif
