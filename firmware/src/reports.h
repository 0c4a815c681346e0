/* The commands that ask: what the device tells of itself (shared/protocol.toml). */
#ifndef REPORTS_H
#define REPORTS_H

#include "device.h"

enum wire_result report_blob(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_metrics(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_status(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_progress(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_curve(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_health(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result report_checkpoints(struct device *device, const uint8_t *payload, uint8_t length);

#endif
