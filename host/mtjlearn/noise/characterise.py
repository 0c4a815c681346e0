"""What a recording says about its source: levels, switching, dwell times, correlation, entropy (section III A).

Nothing is computed across a hole. Values keep the recording's unit (codes or volts), lags and dwell times count
samples, and the summary gives seconds where the rate is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.recording import Recording
from mtjlearn.noise.smtj import switching_rate

Array = NDArray[np.float64]
States = list[NDArray[np.bool_]]

_CONFIDENCE = 2.576
"""Standard errors of a one-sided 99.5 % bound, as NIST SP 800-90B uses for its estimates."""


@dataclass(frozen=True)
class Levels:
    """The two levels of a recording, in its unit.

    ``low`` and ``high`` are the means on either side of ``threshold``, halfway between them; ``spread`` is the standard
    deviation within a level (its observation noise and quantisation).
    """

    low: float
    high: float
    threshold: float
    spread: float

    @property
    def split(self) -> float:
        """Distance of the levels."""
        return self.high - self.low


@dataclass(frozen=True)
class Summary:
    """Characteristics of a source. Probabilities are per sample; times are None without a rate.

    Args:
        samples: all samples.
        segments: contiguous stretches, one more than holes.
        rate: samples per second.
        mean: of all samples, in the recording's unit.
        deviation: standard deviation of all samples, in the recording's unit.
        levels: the two levels.
        duty: fraction of samples in the high state.
        probability: that the state differs from one sample to the next.
        up: that a low state is followed by a high one.
        down: that a high state is followed by a low one.
        switches: state changes seen.
        dwell_low: mean dwell time in the low state, s.
        dwell_high: mean dwell time in the high state, s.
        switching_rate: switches per second of the underlying continuous process.
        correlation_time: time in which the state's autocorrelation falls to 1/e, s.
        independent_rate: independent samples per second worth as much as the correlated ones.
        min_entropy: lower bound of the state's min-entropy, bits per sample.
        hints: what a person should know or do, one sentence each; empty when all is well.
    """

    samples: int
    segments: int
    rate: float | None
    mean: float
    deviation: float
    levels: Levels
    duty: float
    probability: float
    up: float
    down: float
    switches: int
    dwell_low: float | None
    dwell_high: float | None
    switching_rate: float | None
    correlation_time: float | None
    independent_rate: float | None
    min_entropy: float
    hints: tuple[str, ...]


def split_levels(values: Array) -> Levels:
    """Splits samples, shape (samples,), into two levels: the split of the histogram that explains most variance (Otsu).

    A constant recording has both levels at its value.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Levels(low, low, low, 0.0)
    centres, counts = _bins(values, 1024)
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = values.size - below
    sums = np.cumsum(counts * centres)
    between = (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2 * below * above
    best = int(np.argmax(between))
    upper = values > (centres[best] + centres[best + 1]) / 2
    low, high = float(values[~upper].mean()), float(values[upper].mean())
    spread = float((values - np.where(upper, high, low)).std())
    return Levels(low, high, (low + high) / 2, spread)


def histogram(values: Array, bins: int = 64) -> tuple[Array, NDArray[np.int64]]:
    """Histogram for plotting: centres and counts, both (bins,).

    Codes get one bin for each whole number as long as that makes at most ``bins``.
    """
    whole = bool(np.all(values == np.rint(values)))
    low, high = float(values.min()), float(values.max())
    if whole and high - low < bins:
        counts = np.bincount((values - low).astype(np.int64))
        return low + np.arange(counts.size, dtype=np.float64), counts.astype(np.int64)
    counts, edges = np.histogram(values, bins=bins)
    return (edges[1:] + edges[:-1]) / 2, counts.astype(np.int64)


def _bins(values: Array, bins: int) -> tuple[Array, NDArray[np.int64]]:
    centres, counts = histogram(values, bins)
    used = counts > 0
    return centres[used], counts[used]


def states(recording: Recording, levels: Levels) -> States:
    """Low or high for each sample, one array per segment.

    The threshold has a hysteresis of a quarter of the split, so that observation noise does not count as switching.
    Until a segment's first sample outside that band, the plain threshold decides.
    """
    margin = levels.split / 8
    result: States = []
    for segment in recording.segments:
        sure = np.abs(segment - levels.threshold) > margin
        sure[0] = True
        last = np.maximum.accumulate(np.where(sure, np.arange(segment.size), 0))
        result.append((segment > levels.threshold)[last])
    return result


def transitions(sequences: States) -> NDArray[np.int64]:
    """Counts of state pairs in neighbouring samples, shape (2, 2): [from, to], 0 low and 1 high."""
    counts = np.zeros(4, dtype=np.int64)
    for sequence in sequences:
        counts += np.bincount(2 * sequence[:-1].astype(np.int64) + sequence[1:], minlength=4)
    return counts.reshape(2, 2)


def autocorrelation(recording: Recording, lags: int = 100) -> Array:
    """Autocorrelation of the samples at lags 0 .. ``lags``, shape (lags + 1,), from pairs within segments (fig. 2b).

    A lag that no segment is long enough for is NaN, and so is all of a constant recording.
    """
    mean = recording.values.mean()
    products = np.zeros(lags + 1)
    pairs = np.zeros(lags + 1)
    for segment in recording.segments:
        centred = segment - mean
        for lag in range(min(lags + 1, centred.size)):
            products[lag] += np.dot(centred[: centred.size - lag], centred[lag:])
            pairs[lag] += centred.size - lag
    covariance = np.divide(products, pairs, out=np.full(lags + 1, np.nan), where=pairs > 0)
    if covariance[0] == 0:
        return np.full(lags + 1, np.nan)
    return np.asarray(covariance / covariance[0])


def min_entropy(counts: NDArray[np.int64]) -> float:
    """Lower bound of the min-entropy, bits per sample, of a two-state Markov source with these :func:`transitions`.

    The likeliest long sequence stays low, stays high or alternates; its probability per sample, with transition
    probabilities at their upper 99.5 % bounds, gives the bound (after the Markov estimate of NIST SP 800-90B, 6.3.3).
    """
    totals = counts.sum(axis=1, keepdims=True)
    if np.any(totals < 2):
        return 0.0
    share = counts / totals
    bound = np.minimum(1.0, share + _CONFIDENCE * np.sqrt(share * (1 - share) / (totals - 1)))
    if np.any(counts.diagonal() == totals[:, 0]):
        return 0.0
    best = max(bound[0, 0], bound[1, 1], math.sqrt(bound[0, 1] * bound[1, 0]))
    return max(0.0, -math.log2(best))


def characterise(recording: Recording) -> Summary:
    """All characteristics of a recording; see :class:`Summary`."""
    levels = split_levels(recording.values)
    sequences = states(recording, levels)
    counts = transitions(sequences)
    pairs = int(counts.sum())
    switches = int(counts[0, 1] + counts[1, 0])
    probability = switches / pairs if pairs else 0.0
    up, down = (float(counts[row, 1 - row] / counts[row].sum()) if counts[row].any() else 0.0 for row in (0, 1))
    rate = recording.rate
    memory = 1 - up - down
    tau = -1 / (rate * math.log(memory)) if rate is not None and 0 < memory < 1 else None
    # Stays unseen between two samples shorten the dwell times: in continuous time the rates out of the states add up to
    # 1 / tau and share it as the probabilities do.
    dwell_low = tau * (up + down) / up if tau is not None and up > 0 else None
    dwell_high = tau * (up + down) / down if tau is not None and down > 0 else None
    return Summary(
        samples=recording.values.size,
        segments=len(recording.starts),
        rate=rate,
        mean=float(recording.values.mean()),
        deviation=float(recording.values.std()),
        levels=levels,
        duty=float(np.mean(np.concatenate(sequences))),
        probability=probability,
        up=up,
        down=down,
        switches=switches,
        dwell_low=dwell_low,
        dwell_high=dwell_high,
        switching_rate=switching_rate((up + down) / 2, rate) if rate is not None and 0 < memory < 1 else None,
        correlation_time=tau,
        independent_rate=rate * (1 - memory) / (1 + memory) if rate is not None and 0 < memory < 1 else None,
        min_entropy=min_entropy(counts),
        hints=tuple(_hints(recording, levels, sequences, probability, switches)),
    )


def _hints(recording: Recording, levels: Levels, sequences: States, probability: float, switches: int) -> list[str]:
    hints: list[str] = []
    if levels.split == 0:
        return ["the source is constant: check the junction, its supply and its wiring"]
    if recording.codes and levels.split < 2:
        hints.append(
            f"the levels are {levels.split:.2g} codes apart, hard to tell from conversion noise: lower the converter's "
            "reference voltage or amplify the signal"
        )
    # The halves of a normal distribution lie 2.65 of their own deviations apart, so less than 4 is no two-level source.
    if levels.split < 4 * levels.spread:
        hints.append("no two separate levels: the source is not a single junction, or its signal drowns in other noise")
    duty = float(np.mean(np.concatenate(sequences)))
    if not 0.1 <= duty <= 0.9:
        side = "high" if duty > 0.5 else "low"
        hints.append(f"the source is {side} most of the time (duty {duty:.2f}): correct its bias")
    if switches < 100:
        hints.append(f"only {switches} switches were seen: record longer for reliable figures")
    elif probability > 0.4:
        hints.append("the source switches about as fast as it is sampled: its rate and dwell times are uncertain")
    elif probability < 0.01:
        hints.append("the source switches rarely: neighbouring samples are nearly equal, so learn at a slower pace")
    if recording.codes and min(recording.values.min(), levels.low) == 0:
        hints.append("some codes are 0: the signal may be clipped at the lower end")
    return hints
