/* The session's line and handlers (firmware/lib/wire/src/session.h), which a small chip calls directly: no pointers in RAM. */
#ifndef SESSION_FIXED_H
#define SESSION_FIXED_H

#include "device.h"
#include "line.h"

#define SESSION_ROOM(session) ((void)(session), line_room(NULL))
#define SESSION_WRITE(session, bytes, count) ((void)(session), line_write(NULL, bytes, count))
#define SESSION_PLACE(session) ((void)(session), line_place(NULL))
#define SESSION_OVERRUNS(session) ((void)(session), line_overruns(NULL))
#define SESSION_HANDLE(session, type, payload, length) ((void)(session), device_handle(&uno_device, type, payload, length))
#define SESSION_WELCOME(session, message) ((void)(session), device_welcome(&uno_device, message))
#define SESSION_OPENED(session) ((void)(session), device_opened(&uno_device))

#endif
