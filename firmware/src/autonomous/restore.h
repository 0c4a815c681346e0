/* Checkpoints back into the device: at the start, and after an upload. */
#ifndef RESTORE_H
#define RESTORE_H

#include "session.h"

struct device;

/* At the start: loads the newest complete checkpoint, if there is one, into the device. */
void checkpoint_restore(struct device *device);

/* All bytes of an uploaded checkpoint stand in the next slot: loads it and saves it as the device's own. */
enum wire_result checkpoint_import(struct device *device);

#endif
