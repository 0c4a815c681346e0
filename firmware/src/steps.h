/* Training steps, whoever delivers the samples. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stdint.h>

struct device;

enum step_state {
    STEP_READY,
    STEP_FILLING,                 /* the noise buffer: try again */
    STEP_REFUSED,                 /* there is no noise, or it is broken */
};

/* Takes the codes that a step may use. Whether it can be made now: the buffer is full, calibrated, and the source healthy. */
enum step_state step_prepare(struct device *device);

/* Why it was refused: WIRE_ERROR_..., with the error's detail. */
uint8_t step_refusal(const struct device *device, uint32_t *detail);

/* One step, after STEP_READY. */
void step_train(struct device *device, const int16_t *x, const int16_t *target);

#endif
