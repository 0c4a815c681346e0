/* Sums the losses between two messages. steps.c calls it after every step. */
#include "telemetry.h"

#include "fields.h"
#include "messages.h"

#define MICROS_PER_SECOND 1000000u

void telemetry_init(struct telemetry *telemetry)
{
    WIRE_NEAR(telemetry);
    telemetry->interval = 0;
    telemetry->sequence = 0;
    telemetry->dropped = 0;
}

static void begin(struct telemetry *telemetry, uint32_t micros)
{
    WIRE_NEAR(telemetry);
    telemetry->left = telemetry->interval;
    telemetry->loss = (struct mean){0};
    telemetry->micros = micros;
}

void telemetry_start(struct telemetry *telemetry, const BOARD_FLASH struct board *board, uint32_t interval)
{
    telemetry->interval = interval;
    begin(telemetry, BOARD_DO(board, micros));
}

static uint32_t per_second(uint32_t steps, uint32_t micros)
{
    /* Beyond 32 bits in steps of half: within 1/2000. */
    for (; steps > UINT32_MAX / MICROS_PER_SECOND; steps /= 2)
        micros /= 2;
    const struct mean whole = {steps * MICROS_PER_SECOND, 0};
    return mean_of(&whole, micros);
}

/* Apart from report(), since a small chip has addresses for two structs at a time. */
static __attribute__((noinline)) void fill_interval(struct wire_telemetry *message, const struct telemetry *telemetry, uint32_t micros)
{
    WIRE_NEAR(telemetry);
    message->sequence = telemetry->sequence;
    message->dropped = telemetry->dropped;
    message->loss = mean_of(&telemetry->loss, telemetry->interval);
    message->steps_per_second = per_second(telemetry->interval, micros - telemetry->micros);
}

static const WIRE_FLASH struct field totals[] = {
    FIELD(wire_telemetry, step, anp_network, steps),
    FIELD(wire_telemetry, skipped, anp_network, skipped),
    FIELD(wire_telemetry, saturations, anp_network, saturations),
};

static __attribute__((noinline)) void report(struct telemetry *telemetry, const struct anp_network *net, struct wire_session *session,
                                            const BOARD_FLASH struct board *board)
{
    uint32_t micros = BOARD_DO(board, micros);
    struct wire_telemetry *message = wire_session_reserve(session, sizeof *message);
    if (message) {
        fill_interval(message, telemetry, micros);
        FIELDS_COPY(message, net, totals);
        wire_session_send(session, WIRE_TYPE_TELEMETRY, sizeof *message);
    } else {
        telemetry->dropped++;
    }
    telemetry->sequence++;
    begin(telemetry, micros);
}

void telemetry_step(struct telemetry *telemetry, const struct anp_network *net, struct wire_session *session,
                    const BOARD_FLASH struct board *board)
{
    if (telemetry->interval == 0)
        return;
    mean_add(&telemetry->loss, net->last_loss);
    if (--telemetry->left == 0)
        report(telemetry, net, session, board);
}
