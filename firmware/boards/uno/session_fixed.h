/* The session's line and handlers (firmware/lib/wire/src/session.h), which a small chip calls directly: no pointers in RAM. */
#ifndef SESSION_FIXED_H
#define SESSION_FIXED_H

#include "line.h"
#include "session.h"

/* As in device.h, which a library cannot include. */
struct device;
extern struct device uno_device;
enum wire_result device_handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length);
void device_welcome(void *context, struct wire_welcome *message);
void device_opened(void *context);

#define SESSION_ROOM(session) ((void)(session), line_room(NULL))
#define SESSION_WRITE(session, bytes, count) ((void)(session), line_write(NULL, bytes, count))
#define SESSION_PLACE(session) ((void)(session), line_place(NULL))
#define SESSION_OVERRUNS(session) ((void)(session), line_overruns(NULL))
#define SESSION_HANDLE(session, type, payload, length) ((void)(session), device_handle(&uno_device, type, payload, length))
#define SESSION_WELCOME(session, message) ((void)(session), device_welcome(&uno_device, message))
#define SESSION_OPENED(session) ((void)(session), device_opened(&uno_device))

#endif
