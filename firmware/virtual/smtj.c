/* The telegraph process, its faults and its observation noise. The virtual converters call it before each sample. */
#include "smtj.h"

#include <math.h>

#define SUPPLY_MV 3300.0
#define DIVIDER_KOHM 100.0
#define MANY_SWITCHES 64.0        /* expected switches beyond which they are no longer followed one by one */
#define EXCESS 1.2                /* of a saturating junction's high level over full scale */
#define SLOWNESS 50.0
#define DRIFT 0.1                 /* of the split, per second */

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
    smtj->kind = SMTJ_TELEGRAPH;
    smtj->full_scale = 1100.0;
    smtj->change = INFINITY;
    smtj->level[0] = preset == SMTJ_RECORDING ? 36.2 : divider(3.0);
    smtj->level[1] = preset == SMTJ_RECORDING ? 48.0 : divider(6.0);
    smtj->noise = 1.0;
    smtj->rate = -SMTJ_RECORDED_RATE * log(1.0 - 2.0 * SMTJ_RECORDED_SWITCHING) / 2.0;
    generator_init(&smtj->switching, seed, 0);
    generator_init(&smtj->observation, seed, 1);
    smtj->state = (uint8_t)(generator_bits(&smtj->switching) >> 63);
    smtj->dwell = draw_dwell(smtj);
    smtj_become(smtj, kind);
}

void smtj_plan(struct smtj *smtj, const struct smtj_fault *fault)
{
    if (fault->kind == SMTJ_TELEGRAPH)
        return;
    smtj->change = fault->after;
    smtj->other = fault->kind;
    smtj->lasts = fault->lasts;
}

void smtj_play(struct smtj *smtj, const struct smtj_played *played)
{
    smtj->kind = SMTJ_PLAYED;
    smtj->played = *played;
    smtj->next = 0;
}

static double slowness(enum smtj_kind kind)
{
    return kind == SMTJ_SLOW ? SLOWNESS : 1.0;
}

void smtj_become(struct smtj *smtj, enum smtj_kind kind)
{
    double stretch = slowness(kind) / slowness(smtj->kind);
    smtj->rate /= stretch;
    smtj->dwell *= stretch;
    smtj->kind = kind;
    smtj->age = 0.0;
}

static void pass(struct smtj *smtj, double seconds)
{
    smtj->age += seconds;
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

void smtj_wait(struct smtj *smtj, double seconds)
{
    while (smtj->change <= seconds) {
        enum smtj_kind before = smtj->kind;
        pass(smtj, smtj->change);
        seconds -= smtj->change;
        smtj_become(smtj, smtj->other);
        smtj->change = smtj->lasts;
        smtj->other = before;
        smtj->lasts = INFINITY;
    }
    smtj->change -= seconds;
    pass(smtj, seconds);
}

static double play(struct smtj *smtj)
{
    double voltage = (double)smtj->played.voltages[smtj->next];
    smtj->next = (smtj->next + 1) % smtj->played.count;
    return voltage;
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
    case SMTJ_PLAYED:
        return play(smtj);
    case SMTJ_GAUSSIAN:
        level = (low + high) / 2.0 + (high - low) / 2.0 * generator_gaussian(&smtj->switching);
        break;
    case SMTJ_BERNOULLI:
        level = smtj->level[generator_bits(&smtj->switching) >> 63];
        break;
    case SMTJ_STUCK:
        level = high;
        break;
    case SMTJ_SATURATING:
        level = smtj->level[smtj->state] * EXCESS * smtj->full_scale / high;
        break;
    case SMTJ_DRIFTING:
        level = smtj->level[smtj->state] + DRIFT * smtj->age * (high - low);
        break;
    case SMTJ_TELEGRAPH:
    case SMTJ_SLOW:
    default:
        level = smtj->level[smtj->state];
        break;
    }
    return level + smtj->noise * generator_gaussian(&smtj->observation);
}
