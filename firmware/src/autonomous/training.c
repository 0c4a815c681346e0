/* AUTONOMOUS, HALT, and some steps or one evaluated sample in a turn. The seam calls training_poll(), and restore.c training_resume(). */
#include "training.h"

#include "autonomous.h"
#include "checkpoint.h"
#include "dataset.h"
#include "device.h"
#include "fields.h"
#include "handlers.h"
#include "steps.h"
#include "tasks.h"

#define PAUSE 500                 /* units of 1,024 us */
#define XOR_SAMPLES 4
#define XOR_INPUTS 2
#define LIVE_PINS 7

uint32_t training_steps(const struct training *own)
{
    uint16_t position = own->activity == WIRE_ACTIVITY_EVALUATING ? 0 : own->position;
    return own->epoch * own->epoch_steps + position;
}

void training_pause(struct device *device, bool more)
{
    device->autonomous.training.paused = more;
    device->autonomous.training.paused_at = device_clock(device);
}

static bool is_paused(struct training *own, uint16_t now)
{
    if (own->paused && (uint16_t)(now - own->paused_at) >= PAUSE)
        own->paused = false;
    return own->paused;
}

/* Number of the field that does not go with the task, the network or the board; 0: all do. */
static uint8_t unfit(const struct device *device, const struct wire_autonomous *request)
{
    const struct anp_config *config = &device->net.config;
    uint16_t inputs = config->sizes[0], targets = config->sizes[config->layers];
    bool squared = config->loss == ANP_SQUARED, timed = request->task == WIRE_TASK_LIVE;
    switch (request->task) {
    case WIRE_TASK_DATASET:
        break;
    case WIRE_TASK_TEACHER:
        if (!TASKS_HAVE_TEACHER || !squared || config->decorrelate)
            return WIRE_FIELD_AUTONOMOUS_TASK;
        break;
    case WIRE_TASK_XOR:
        if (!squared || inputs != XOR_INPUTS || targets != 1)
            return WIRE_FIELD_AUTONOMOUS_TASK;
        break;
    case WIRE_TASK_LIVE:
        if (!squared || !BOARD_HAS(device->board, analog) || inputs + targets > LIVE_PINS)
            return WIRE_FIELD_AUTONOMOUS_TASK;
        break;
    default:
        return WIRE_FIELD_AUTONOMOUS_TASK;
    }
    bool counted = timed || is_teacher(request->task);
    if (counted != (request->epoch_steps != 0))
        return WIRE_FIELD_AUTONOMOUS_EPOCH_STEPS;
    if (timed && request->evaluate_every)
        return WIRE_FIELD_AUTONOMOUS_EVALUATE_EVERY;
    if (timed != (request->live_period != 0))
        return WIRE_FIELD_AUTONOMOUS_LIVE_PERIOD;
    return request->seed == 0 ? WIRE_FIELD_AUTONOMOUS_SEED : 0;
}

static const WIRE_FLASH struct field start_fields[] = {
    FIELD(training, task, wire_autonomous, task),
    FIELD(training, stop_steps, wire_autonomous, stop_steps),
    FIELD(training, stop_epochs, wire_autonomous, stop_epochs),
    FIELD(training, loss_target, wire_autonomous, loss_target),
    FIELD(training, epoch_steps, wire_autonomous, epoch_steps),
    FIELD(training, halve_every, wire_autonomous, halve_every),
    FIELD(training, evaluate_every, wire_autonomous, evaluate_every),
    FIELD(training, checkpoint_interval, wire_autonomous, checkpoint_interval),
    FIELD(training, live_period, wire_autonomous, live_period),
    FIELD(training, source, wire_autonomous, seed),
    FIELD(training, order.random, wire_autonomous, seed),
    FIELD(training, halve_left, wire_autonomous, halve_every),
};

enum wire_result command_autonomous(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)length;
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    const struct wire_autonomous *request = (const void *)payload;
    uint8_t field = unfit(device, request);
    if (field)
        return device_out_of_range(device, field);
    if (device->blobs.damaged || (request->task == WIRE_TASK_DATASET && !device->autonomous.dataset.complete))
        return device_refuse(device, WIRE_ERROR_NOT_LOADED, 0);
    size_t needed = task_arena_bytes(device, request->task);
    if (needed > BOARD(device->board, arena_bytes))
        return device_refuse(device, WIRE_ERROR_TOO_LARGE, (uint32_t)(needed - BOARD(device->board, arena_bytes)));

    training_forget(own);
    FIELDS_COPY(own, request, start_fields);
    own->order.start = own->order.random;
    if (own->task == WIRE_TASK_DATASET) {
        own->epoch_steps = device->autonomous.dataset.samples;
        own->source = device->autonomous.dataset.crc;
    } else if (own->task == WIRE_TASK_XOR) {
        own->epoch_steps = XOR_SAMPLES;
    }
    curve_init(&own->curve);
    task_begin(device);
    own->activity = WIRE_ACTIVITY_LEARNING;
    return checkpoint_wait(device);
}

static void stop(struct device *device, uint8_t reason)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    if (own->activity == WIRE_ACTIVITY_EVALUATING)
        own->position = 0;
    own->activity = reason == WIRE_STOP_REASON_HOST ? WIRE_ACTIVITY_HALTED : WIRE_ACTIVITY_FINISHED;
    own->stop_reason = reason;
    device->autonomous.checkpoint.wanted = true;
}

enum wire_result command_halt(struct device *device, const uint8_t *payload, uint8_t length)
{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    if (!training_learns(&device->autonomous.training))
        return WIRE_DONE;
    stop(device, WIRE_STOP_REASON_HOST);
    return checkpoint_wait(device);
}

/* The rest of what a checkpoint does not hold. */
bool training_resume(struct device *device)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    bool ordered = own->task == WIRE_TASK_DATASET || own->task == WIRE_TASK_XOR;
    own->order.random = own->order.start;
    if (own->activity == WIRE_ACTIVITY_EVALUATING)
        own->activity = WIRE_ACTIVITY_LEARNING; /* no checkpoint says so, unless somebody made it */
    own->halve_left = own->halve_every ? own->halve_every - training_steps(own) % own->halve_every : 0;
    own->partial = own->position != 0;
    curve_init(&own->curve);
    bool there = true;
    if (own->task == WIRE_TASK_DATASET) {
        struct dataset *dataset = &device->autonomous.dataset;
        dataset->samples = own->epoch_steps;
        dataset->crc = own->source;
        if (!dataset_fits(device))
            dataset->samples = 0;
        there = dataset->samples && dataset_check(device);
    }
    if (own->task == WIRE_TASK_NONE)
        own->activity = WIRE_ACTIVITY_IDLE;
    if (own->activity == WIRE_ACTIVITY_IDLE)
        return there;
    const struct wire_autonomous like = {.task = own->task,
                                         .epoch_steps = ordered ? 0 : own->epoch_steps,
                                         .evaluate_every = own->evaluate_every,
                                         .live_period = own->live_period,
                                         .seed = own->order.random};
    there = there && own->epoch_steps && own->position < own->epoch_steps && unfit(device, &like) == 0 &&
            task_arena_bytes(device, own->task) <= BOARD(device->board, arena_bytes);
    if (!there) {
        own->activity = WIRE_ACTIVITY_IDLE;
        return false;
    }
    task_begin(device);
    if (own->position) {
        task_epoch(device);
        for (uint16_t skipped = own->position; skipped; skipped--)
            task_skip(device);
    }
    return true;
}

/* --- a turn --- */

/* Out of line: most trainings end after epochs, and a small chip has few registers for 32 bits. */
static __attribute__((noinline)) bool steps_are_done(const struct training *own)
{
    return training_steps(own) >= own->stop_steps;
}

/* The limit that is reached, if one is. */
static uint8_t limit_of(const struct training *own)
{
    WIRE_NEAR(own);
    if (own->stop_epochs && own->epoch >= own->stop_epochs)
        return WIRE_STOP_REASON_EPOCHS;
    return own->stop_steps && steps_are_done(own) ? WIRE_STOP_REASON_STEPS : WIRE_STOP_REASON_NONE;
}

static void end_epoch(struct device *device, uint32_t loss)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    own->position = 0;
    own->sum = (struct mean){0};
    own->order.start = own->order.random;
    own->activity = WIRE_ACTIVITY_LEARNING;
    uint8_t reason = own->loss_target && loss <= own->loss_target ? WIRE_STOP_REASON_LOSS : limit_of(own);
    if (reason != WIRE_STOP_REASON_NONE)
        stop(device, reason);
}

static void evaluate(struct device *device)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    bool correct;
    if (own->position == 0)
        own->correct = 0;
    struct sample sample = task_evaluation(device, own->position);
    mean_add(&own->sum, anp_evaluate(&device->net, sample.x, sample.target, &correct));
    own->correct = (uint16_t)(own->correct + correct);
    if (++own->position < own->epoch_steps)
        return;
    own->evaluated = own->epoch;
    own->evaluation_loss = mean_of(&own->sum, own->epoch_steps);
    own->order.random = own->order.start; /* a teacher's evaluation used the generator for itself */
    end_epoch(device, own->evaluation_loss);
}

static void count_step(struct device *device)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    uint32_t loss = device->net.last_loss;
    mean_add(&own->sum, loss);
    if (own->halve_left && --own->halve_left == 0) {
        const struct anp_config *config = &device->net.config;
        anp_set_rates(&device->net, config->learning_rate >> 1, config->decorrelation_rate);
        own->halve_left = own->halve_every;
    }
    bool whole = ++own->position >= own->epoch_steps;
    if (whole) {
        own->epoch++;
        own->position = 0;
    }
    uint8_t limit = limit_of(own);
    if (!whole) {
        if (limit != WIRE_STOP_REASON_NONE)
            stop(device, limit);
        return;
    }
    bool partial = own->partial;
    own->partial = false;
    if (!partial) {
        curve_add(&own->curve, own->epoch_steps, &own->sum);
        own->epoch_loss = mean_of(&own->sum, own->epoch_steps);
    }
    own->sum = (struct mean){0};
    if (own->evaluate_every && (limit != WIRE_STOP_REASON_NONE || own->epoch % own->evaluate_every == 0)) {
        own->order.start = own->order.random;
        own->activity = WIRE_ACTIVITY_EVALUATING;
    } else {
        end_epoch(device, own->evaluate_every || partial ? UINT32_MAX : own->epoch_loss);
    }
}

static bool is_due(struct device *device)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    if (!BOARD_HAS(device->board, analog) || own->task != WIRE_TASK_LIVE)
        return true;
    uint32_t now = BOARD_DO(device->board, micros);
    if (now - own->live.micros < own->live_period * UINT32_C(1000))
        return false;
    own->live.micros = now;
    return true;
}

static bool learn(struct device *device)
{
    struct training *own = &device->autonomous.training;
    /* Not before the noise is there and in order: a sample that was taken is trained. A frozen buffer has nothing new to teach, so that
     * a board faster than its converter waits for one code a step; a board that slept finds many at once. */
    if (step_prepare(device) != STEP_READY || (device->autonomous.fresh == 0 && device->intake.source == WIRE_NOISE_SOURCE_ADC) ||
        !is_due(device))
        return false;
    if (device->autonomous.fresh)
        device->autonomous.fresh--;
    if (own->position == 0)
        task_epoch(device);
    struct sample sample = task_sample(device);
    step_train(device, sample.x, sample.target);
    count_step(device);
    return true;
}

/* Whether a turn ends after this step: what it was asked to do comes first, and the next step may not be a training's. */
static bool is_interrupted(const struct device *device)
{
#if TRAINING_STEPS > 1
    return device->autonomous.training.activity != WIRE_ACTIVITY_LEARNING || BOARD_DO(device->board, input_waits);
#else
    (void)device;
    return true;
#endif
}

bool training_poll(struct device *device, uint16_t now)
{
    struct training *own = &device->autonomous.training;
    if (!training_learns(own) || is_paused(own, now))
        return false;
    if (own->activity == WIRE_ACTIVITY_EVALUATING) {
        evaluate(device);
        return true;
    }
    uint8_t left = TRAINING_STEPS;
    while (learn(device))
        if (--left == 0 || is_interrupted(device))
            return true;
    return left != TRAINING_STEPS;
}
