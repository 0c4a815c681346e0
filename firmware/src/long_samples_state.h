/* What the device keeps of a sample that comes in parts (long_samples.h). Plain data, which struct device contains. */
#ifndef LONG_SAMPLES_STATE_H
#define LONG_SAMPLES_STATE_H

#include <stdint.h>

#ifdef DEVICE_SHORT_SAMPLES
struct long_samples {};           /* an extension of GNU C: it takes no byte */
#else
struct long_samples {
    uint16_t filled;              /* inputs of the next sample that parts have brought */
};
#endif

#endif
