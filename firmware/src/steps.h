/* Training steps, whoever delivers the samples. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stdint.h>

struct device;

/* Takes the codes that a step may use. Whether a step can be made now: the buffer is full, calibrated, and the source healthy. */
bool step_ready(struct device *device);

/* Why step_ready() said no: WIRE_ERROR_..., with the error's detail. 0: the noise buffer is filling. */
uint8_t step_refusal(const struct device *device, uint32_t *detail);

/* One step, after step_ready(). */
void step_train(struct device *device, const int16_t *x, const int16_t *target);

#endif
