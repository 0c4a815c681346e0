#include "telemetry.h"

#include "messages.h"

#define MICROS_PER_SECOND 1000000u

void telemetry_init(struct telemetry *telemetry)
{
    telemetry->interval = 0;
    telemetry->sequence = 0;
    telemetry->dropped = 0;
}

static void begin(struct telemetry *telemetry, uint32_t micros)
{
    telemetry->steps = 0;
    telemetry->loss_low = 0;
    telemetry->loss_high = 0;
    telemetry->micros = micros;
}

void telemetry_start(struct telemetry *telemetry, const struct board *board, uint32_t interval)
{
    telemetry->interval = interval;
    begin(telemetry, board->micros(board->context));
}

/* (high * 2^32 + low) / divisor, rounded down, at most UINT32_MAX; bit by bit, as the library's 64-bit division costs more code than
 * the time is worth. */
static __attribute__((noinline)) uint32_t divide(uint32_t high, uint32_t low, uint32_t divisor)
{
    if (high >= divisor)
        return UINT32_MAX;
    for (uint8_t bit = 0; bit < 32; bit++) {
        bool carry = (high & 0x80000000u) != 0;
        high <<= 1;
        if (low & 0x80000000u)
            high |= 1;
        low <<= 1;
        if (carry || high >= divisor) {
            high -= divisor;
            low |= 1;
        }
    }
    return low;
}

static uint32_t per_second(uint32_t steps, uint32_t micros)
{
    /* Beyond 32 bits in steps of half: within 1/2000. */
    for (; steps > UINT32_MAX / MICROS_PER_SECOND; steps /= 2)
        micros /= 2;
    return micros ? steps * MICROS_PER_SECOND / micros : 0;
}

/* Both apart from telemetry_step(), since a small chip has addresses for two structs at a time. */
static __attribute__((noinline)) void fill_interval(struct wire_telemetry *message, const struct telemetry *telemetry, uint32_t micros)
{
    message->sequence = telemetry->sequence;
    message->dropped = telemetry->dropped;
    message->loss = divide(telemetry->loss_high, telemetry->loss_low, telemetry->steps);
    message->steps_per_second = per_second(telemetry->steps, micros - telemetry->micros);
}

static __attribute__((noinline)) void fill_totals(struct wire_telemetry *message, const struct anp_network *net)
{
    message->step = net->steps;
    message->skipped = net->skipped;
    message->saturations = net->saturations;
}

void telemetry_step(struct telemetry *telemetry, const struct anp_network *net, struct wire_session *session,
                    const struct board *board)
{
    if (telemetry->interval == 0)
        return;
    uint32_t loss = net->last_loss;
    telemetry->loss_low += loss;
    if (telemetry->loss_low < loss)
        telemetry->loss_high++;
    if (++telemetry->steps < telemetry->interval)
        return;
    uint32_t micros = board->micros(board->context);
    if (wire_session_room(session, WIRE_SIZE_TELEMETRY)) {
        struct wire_telemetry *message = (void *)wire_session_payload(session);
        fill_interval(message, telemetry, micros);
        fill_totals(message, net);
        wire_session_send(session, WIRE_TYPE_TELEMETRY, 0, message, sizeof *message);
    } else {
        telemetry->dropped++;
    }
    telemetry->sequence++;
    begin(telemetry, micros);
}
