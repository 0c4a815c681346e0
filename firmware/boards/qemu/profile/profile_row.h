/* What the profiling image tells about each training step: instructions, except where said. */
#ifndef PROFILE_ROW_H
#define PROFILE_ROW_H

#include <stdint.h>

struct profile_row {
    uint32_t step;                /* anp_train() and all that it calls; interrupts are excluded here and in the next four */
    uint32_t draw;                /* of these in anp_noise_draw() */
    uint32_t normalise;           /* in anp_global_factor() */
    uint32_t update;              /* in anp_update_layer(), anp_update_layers() or anp_update_wide(), and anp_update_matrix() */
    uint32_t interrupts;          /* during the step */
    uint32_t receive_calls;       /* interrupts since the start */
    uint32_t receive;
    uint32_t transmit_calls;
    uint32_t transmit;
    uint32_t overruns;            /* bytes lost in the receiver since the start */
    uint32_t stack;               /* bytes, the deepest so far */
    uint32_t untouched;           /* bytes between static data and stack that nobody has written */
    uint32_t total_low;           /* all instructions since the start */
    uint32_t total_high;
};

#endif
