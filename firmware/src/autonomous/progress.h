/* The commands that ask what a device learned on its own and what it kept. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

#include "session.h"

struct device;

enum wire_result report_progress(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_curve(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_checkpoints(struct device *device, const uint8_t *payload, uint8_t length);

#endif
