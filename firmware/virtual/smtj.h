/* A virtual superparamagnetic tunnel junction at an ADC pin, in continuous time. Source: Koenders et al., "Noise-based Local
 * Learning using Stochastic Magnetic Tunnel Junctions". */
#ifndef SMTJ_H
#define SMTJ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "generator.h"

/* The paper's recording: a switching probability of 0.0809 a sample at 40 kHz. For a symmetric telegraph process of rate lambda
 * that is p = (1 - exp(-2 lambda / f)) / 2, hence lambda = -f ln(1 - 2 p) / 2 = 3,530 switches per second. */
#define SMTJ_RECORDED_RATE 40000.0
#define SMTJ_RECORDED_SWITCHING 0.0809

enum smtj_preset {
    SMTJ_RECORDING,               /* the levels of the paper's recording: 36.2 and 48.0 mV */
    SMTJ_BENCH,                   /* the divider of its text: 3.3 V over 100 kOhm, the junction 3 or 6 kOhm: 96 and 187 mV */
};

enum smtj_kind {
    SMTJ_TELEGRAPH,               /* a healthy junction */
    SMTJ_GAUSSIAN,                /* white Gaussian noise of the junction's mean and variance */
    SMTJ_BERNOULLI,               /* the junction's two levels, drawn again for every sample */
    SMTJ_STUCK,                   /* a junction that no longer switches: observation noise is left */
    SMTJ_OPEN,                    /* a broken wire: the divider pulls the pin to its supply */
    SMTJ_SHORT,                   /* a short circuit: 0 V */
    SMTJ_SATURATING,              /* too much gain: the levels scaled so that the high one is a fifth beyond full scale */
    SMTJ_SLOW,                    /* switches at a fiftieth of the rate */
    SMTJ_DRIFTING,                /* both levels rise by a tenth of their split per second */
    SMTJ_PLAYED,                  /* voltages from a list; see smtj_play() */
};

/* Another kind for a time, in the junction's own seconds from its start. */
struct smtj_fault {
    enum smtj_kind kind;          /* SMTJ_TELEGRAPH: nothing is planned */
    double after;
    double lasts;                 /* then the kind before is back; INFINITY */
};

/* Voltages in mV, one for each observation, the file repeats from its start. */
struct smtj_played {
    const float *voltages;
    size_t count;                 /* 0: none */
};

struct smtj {
    enum smtj_kind kind;
    double level[2];              /* mV, parallel and antiparallel state */
    double noise;                 /* standard deviation of the observation, mV */
    double rate;                  /* switches per second, of the present kind */
    double full_scale;            /* mV, of the converter at the pin; its owner sets it, 1100 else */
    double age;                   /* seconds since it is of this kind */
    uint8_t state;
    double dwell;                 /* seconds until the next switch */
    struct smtj_played played;    /* of SMTJ_PLAYED */
    size_t next;                  /* of them */
    struct generator switching;
    struct generator observation;
    double change;                /* seconds until the plan's next change */
    enum smtj_kind other;         /* what it is to become then */
    double lasts;                 /* and the seconds until the change after it */
};

void smtj_init(struct smtj *smtj, enum smtj_kind kind, enum smtj_preset preset, uint64_t seed);

/* Plans a fault. The junction is at its start. */
void smtj_plan(struct smtj *smtj, const struct smtj_fault *fault);

/* Becomes SMTJ_PLAYED: for sources that are not a junction, such as a pattern. */
void smtj_play(struct smtj *smtj, const struct smtj_played *played);

/* Changes the kind from now on. The junction keeps its state, and a slow one the rest of its dwell time, stretched. */
void smtj_become(struct smtj *smtj, enum smtj_kind kind);

/* Lets time pass. Exact for any span, and quick for long ones. */
void smtj_wait(struct smtj *smtj, double seconds);

/* The pin's voltage now, in mV; every call is a new observation. */
double smtj_voltage(struct smtj *smtj);

#endif
