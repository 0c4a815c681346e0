/* The commands that carry samples: TRAIN, PREDICT, EVALUATE. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "device.h"

enum wire_result command_train(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result command_predict(struct device *device, const uint8_t *payload, uint8_t length);
enum wire_result command_evaluate(struct device *device, const uint8_t *payload, uint8_t length);

#endif
