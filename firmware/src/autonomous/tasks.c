/* The four tasks: dataset, teacher, XOR, live pins. training.c asks for one sample after the other. */
#include "tasks.h"

#include "dataset.h"
#include "device.h"
#include "long_samples.h"
#include "messages.h"

#define ONE (1 << ANP_FRACTION_BITS)
#define SCALE_BITS 13             /* full scale of a pin is 2 in Q3.12 */
#define TEACHER_SHIFT 3           /* 16 random bits become -1 .. 1 */

static size_t teacher_place(const struct anp_network *net)
{
    return (net->at.used + 3) & ~(size_t)3;
}

static size_t sample_place(const struct anp_network *net, uint8_t task)
{
    return teacher_place(net) + (is_teacher(task) ? net->at.weights_bytes : 0);
}

size_t task_arena_bytes(const struct device *device, uint8_t task)
{
    const struct anp_network *net = &device->net;
    return sample_place(net, task) + ((size_t)net->config.sizes[0] + anp_target_count(net)) * sizeof(int16_t);
}

static void *teacher_of(const struct device *device)
{
    return BOARD(device->board, arena) + teacher_place(&device->net);
}

static struct sample place_of(const struct device *device)
{
    const struct anp_network *net = &device->net;
    int16_t *x = (int16_t *)(void *)(BOARD(device->board, arena) + sample_place(net, device->autonomous.training.task));
    return (struct sample){x, x + net->config.sizes[0]};
}

void task_begin(struct device *device)
{
    long_samples_forget(device);
    if (is_teacher(device->autonomous.training.task))
        anp_draw_weights(&device->net, teacher_of(device), device->autonomous.training.source);
}

static bool is_ordered(const struct training *own)
{
    return own->task == WIRE_TASK_DATASET || own->task == WIRE_TASK_XOR;
}

void task_epoch(struct device *device)
{
    struct training *own = &device->autonomous.training;
    WIRE_NEAR(own);
    own->order.start = own->order.random;
    if (is_ordered(own))
        order_begin(&own->order, own->epoch_steps);
}

static void take_random(struct device *device, uint32_t *random, const struct sample *sample)
{
    for (uint16_t i = 0; i < device->net.config.sizes[0]; i++)
        sample->x[i] = (int16_t)((int16_t)(anp_random_next(random) >> 16) >> TEACHER_SHIFT);
}

static void take_indexed(struct device *device, uint16_t index, const struct sample *sample)
{
    if (device->autonomous.training.task == WIRE_TASK_DATASET) {
        dataset_sample(device, index, sample->x, sample->target);
        return;
    }
    bool one = index & 1, other = (index & 2) != 0;
    sample->x[0] = one ? ONE : -ONE;
    sample->x[1] = other ? ONE : -ONE;
    sample->target[0] = one != other ? ONE : -ONE;
}

/* Inputs from the first pins, targets from the next. */
static void take_live(struct device *device, const struct sample *sample)
{
    const BOARD_FLASH struct board *board = device->board;
    uint8_t bits = BOARD(board, adc_bits), count = (uint8_t)(device->net.config.sizes[0] + anp_target_count(&device->net));
    for (uint8_t pin = 1; pin <= count; pin++) {
        int32_t value = (int32_t)BOARD_CALL(board, analog, pin) - ((int32_t)1 << (bits - 1));
        sample->x[pin - 1] = (int16_t)(bits <= SCALE_BITS ? value * (1 << (SCALE_BITS - bits)) : value >> (bits - SCALE_BITS));
    }
}

void task_skip(struct device *device)
{
    struct training *own = &device->autonomous.training;
    if (is_ordered(own))
        order_next(&own->order, own->epoch_steps);
    else if (is_teacher(own->task))
        for (uint16_t i = device->net.config.sizes[0]; i; i--)
            anp_random_next(&own->order.random);
}

static void ask_teacher(struct device *device, const struct sample *sample)
{
    anp_predict_with(&device->net, teacher_of(device), sample->x, sample->target);
}

struct sample task_sample(struct device *device)
{
    struct training *own = &device->autonomous.training;
    struct sample sample = place_of(device);
    if (is_ordered(own)) {
        take_indexed(device, order_next(&own->order, own->epoch_steps), &sample);
    } else if (is_teacher(own->task)) {
        take_random(device, &own->order.random, &sample);
        ask_teacher(device, &sample);
    } else if (BOARD_HAS(device->board, analog)) {
        take_live(device, &sample);
    }
    return sample;
}

struct sample task_evaluation(struct device *device, uint16_t index)
{
    struct training *own = &device->autonomous.training;
    struct sample sample = place_of(device);
    if (is_ordered(own)) {
        take_indexed(device, index, &sample);
        return sample;
    }
    if (!TASKS_HAVE_TEACHER)
        return sample;
    if (index == 0)
        own->order.random = own->source;
    take_random(device, &own->order.random, &sample);
    ask_teacher(device, &sample);
    return sample;
}
