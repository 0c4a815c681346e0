#include "smtj.h"

#include <math.h>

#define SUPPLY_MV 3300.0
#define DIVIDER_KOHM 100.0
#define MANY_SWITCHES 64.0        /* expected switches beyond which they are no longer followed one by one */

static double divider(double junction_kohm)
{
    return SUPPLY_MV * junction_kohm / (DIVIDER_KOHM + junction_kohm);
}

static double draw_dwell(struct smtj *smtj)
{
    return generator_exponential(&smtj->switching) / smtj->rate;
}

void smtj_init(struct smtj *smtj, enum smtj_kind kind, enum smtj_preset preset, uint64_t seed)
{
    smtj->kind = kind;
    smtj->level[0] = preset == SMTJ_RECORDING ? 36.2 : divider(3.0);
    smtj->level[1] = preset == SMTJ_RECORDING ? 48.0 : divider(6.0);
    smtj->noise = 1.0;
    smtj->rate = -SMTJ_RECORDED_RATE * log(1.0 - 2.0 * SMTJ_RECORDED_SWITCHING) / 2.0;
    generator_init(&smtj->switching, seed, 0);
    generator_init(&smtj->observation, seed, 1);
    smtj->state = (uint8_t)(generator_bits(&smtj->switching) >> 63);
    smtj->dwell = draw_dwell(smtj);
}

void smtj_wait(struct smtj *smtj, double seconds)
{
    if (seconds * smtj->rate > MANY_SWITCHES) {
        /* The process has no memory: the state after the span is one draw, the dwell from there on another. */
        double switched = -expm1(-2.0 * smtj->rate * seconds) / 2.0;
        smtj->state ^= generator_uniform(&smtj->switching) < switched;
        smtj->dwell = draw_dwell(smtj);
        return;
    }
    while (smtj->dwell <= seconds) {
        seconds -= smtj->dwell;
        smtj->state ^= 1;
        smtj->dwell = draw_dwell(smtj);
    }
    smtj->dwell -= seconds;
}

double smtj_voltage(struct smtj *smtj)
{
    double low = smtj->level[0], high = smtj->level[1];
    double level;
    switch (smtj->kind) {
    case SMTJ_OPEN:
        return SUPPLY_MV;
    case SMTJ_SHORT:
        return 0.0;
    case SMTJ_GAUSSIAN:
        level = (low + high) / 2.0 + (high - low) / 2.0 * generator_gaussian(&smtj->switching);
        break;
    case SMTJ_BERNOULLI:
        level = smtj->level[generator_bits(&smtj->switching) >> 63];
        break;
    case SMTJ_STUCK:
        level = high;
        break;
    case SMTJ_TELEGRAPH:
    default:
        level = smtj->level[smtj->state];
        break;
    }
    return level + smtj->noise * generator_gaussian(&smtj->observation);
}
