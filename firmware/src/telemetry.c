#include "telemetry.h"

#include "messages.h"

#define MICROS_PER_SECOND 1000000u

void telemetry_init(struct telemetry *telemetry)
{
    telemetry->interval = 0;
    telemetry->sequence = 0;
    telemetry->dropped = 0;
}

static void mark(struct telemetry *telemetry, const struct anp_network *net, uint32_t micros)
{
    telemetry->last_step = net->steps;
    telemetry->last_loss_sum = net->loss_sum;
    telemetry->last_micros = micros;
}

void telemetry_start(struct telemetry *telemetry, const struct anp_network *net, const struct board *board, uint32_t interval)
{
    telemetry->interval = interval;
    mark(telemetry, net, board->micros(board->context));
}

static uint32_t per_second(uint32_t steps, uint32_t micros)
{
    if (micros == 0)
        return 0;
    uint64_t rate = (uint64_t)steps * MICROS_PER_SECOND / micros;
    return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

void telemetry_step(struct telemetry *telemetry, const struct anp_network *net, struct wire_session *session,
                    const struct board *board)
{
    uint32_t steps = net->steps - telemetry->last_step;
    if (telemetry->interval == 0 || steps < telemetry->interval)
        return;
    uint32_t micros = board->micros(board->context);
    struct wire_telemetry message = {
        .sequence = telemetry->sequence++,
        .dropped = telemetry->dropped,
        .step = net->steps,
        .loss = (uint32_t)((net->loss_sum - telemetry->last_loss_sum) / steps),
        .skipped = net->skipped,
        .saturations = net->saturations,
        .steps_per_second = per_second(steps, micros - telemetry->last_micros),
    };
    mark(telemetry, net, micros);
    if (!wire_session_send(session, WIRE_TYPE_TELEMETRY, 0, &message, sizeof message))
        telemetry->dropped++;
}
