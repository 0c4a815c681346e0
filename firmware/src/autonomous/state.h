/* What the device keeps for autonomous learning: dataset, checkpoint and training. Plain data, which struct device contains; the modules
 * next to this file work on it. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "curve.h"
#include "mean.h"
#include "order.h"

/* As DEFINE_DATASET. */
struct dataset {
    uint16_t samples;             /* 0: none was defined */
    uint8_t value_bytes;
    uint8_t scale;
    uint8_t target_kind;
    uint8_t class_bits;
    bool complete;                /* all bytes are there and right */
    uint32_t crc;
};

enum checkpoint_phase {
    CHECKPOINT_IDLE,
    CHECKPOINT_BEGIN,
    CHECKPOINT_BODY,
    CHECKPOINT_CRC,
    CHECKPOINT_COMMIT_WORD,
    CHECKPOINT_ERASE,
    CHECKPOINT_FLUSH,
};

struct checkpoint {
    uint8_t phase;                /* enum checkpoint_phase */
    uint8_t restored;             /* WIRE_RESTORED_... */
    bool wanted;                  /* by HALT, SAVE or AUTONOMOUS */
    bool dirty;                   /* something was learned since the last save */
    uint8_t noise_position;       /* of the noise buffer, when the save began */
    uint16_t offset;              /* of the byte to write */
    uint16_t age;                 /* s, since the last save or the start */
    uint16_t second;              /* device_clock() when `age` last changed */
    uint32_t generation;          /* of the newest checkpoint, the one being written included */
    uint32_t crc;                 /* of the one being written */
};

struct training {
    uint8_t activity;             /* WIRE_ACTIVITY_... */
    uint8_t task;                 /* WIRE_TASK_... */
    uint8_t stop_reason;          /* WIRE_STOP_REASON_... */
    uint8_t evaluate_every;       /* epochs */
    bool partial;                 /* the epoch began before a checkpoint was restored, and its first losses are lost */
    bool paused;                  /* a host reads the weights */
    uint16_t paused_at;           /* units of 1,024 us, mod 2^16 */
    uint16_t epoch_steps;
    uint16_t position;            /* steps done of this epoch, or samples of the evaluation */
    uint16_t stop_epochs;
    uint16_t checkpoint_interval; /* s */
    uint16_t live_period;         /* ms */
    uint16_t correct;             /* in the last or running evaluation */
    uint32_t source;              /* CRC-32 of the dataset, or seed of the teacher */
    uint32_t epoch;               /* done */
    uint32_t stop_steps;
    uint32_t loss_target;
    uint32_t halve_every;
    uint32_t halve_left;          /* steps until the rate is halved; 0 without a schedule */
    uint32_t epoch_loss;
    uint32_t evaluated;           /* epochs done at the last evaluation */
    uint32_t evaluation_loss;
    struct mean sum;              /* of the losses of the epoch, or of the evaluation */
    union {
        struct order order;
        struct {
            uint32_t random[2];   /* as order's */
            uint32_t micros;      /* when the last sample was taken */
        } live;
    };
    struct curve curve;
};

/* No task, default interval of checkpoints. */
void training_forget(struct training *own);

struct autonomous {
    uint8_t fresh;                /* codes that arrived together and that steps may still count on */
    bool waits;                   /* the command that is executed waits for a checkpoint */
    struct dataset dataset;
    struct checkpoint checkpoint;
    struct training training;
};

#endif
