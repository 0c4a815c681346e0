"""What a recording says about its source: levels, switching, dwell times, correlation, entropy (section III A).

Nothing is computed across a hole. Values keep the recording's unit (codes or volts), lags and dwell times count
samples, and the summary gives seconds where the rate is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise import regularity
from mtjlearn.noise.entropy import estimates, transitions
from mtjlearn.noise.recording import Recording
from mtjlearn.noise.regularity import Periodic
from mtjlearn.noise.smtj import RECORDED_OBSERVATION, switching_rate

Array = NDArray[np.float64]
States = list[NDArray[np.bool_]]

_CALLED_PERIODIC = 0.5
"""Share of the variance from which on a signal is periodic with noise, not noise with hum; then nothing counts as entropy."""
_TRANSFORMED = 2**20
"""Samples whose spectrum is taken at once, if there are holes."""
_MENTIONED = 0.02
"""Share under which a periodic part does no harm."""
_CONTINUOUS = 3000 * RECORDED_OBSERVATION
"""Deviation in mV from which on one level is a source of continuous noise, and not a junction that is stuck."""


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
        estimates: of the state's min-entropy by estimator, bits per sample.
        min_entropy: the smallest of them, or 0 for a signal that is known to be predictable.
        periodic: the signal's periodic part, if there is one.
        register: stages of the shift register that produces the states, if a short one does.
        predictable: the signal is not noise, however random its states look.
        hints: what a person should know or do, one sentence each; empty when all is well.
        notes: what a person should know of a good source.
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
    estimates: dict[str, float]
    min_entropy: float
    periodic: Periodic | None
    register: int | None
    predictable: bool
    hints: tuple[str, ...]
    notes: tuple[str, ...]


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


def autocorrelation(recording: Recording, lags: int = 100) -> Array:
    """Autocorrelation of the samples at lags 0 .. ``lags``, shape (lags + 1,), from pairs within segments (fig. 2b).

    A lag that no segment is long enough for is NaN, and so is all of a constant recording.
    """
    return _correlate(recording.segments, lags)


def _correlate(segments: Sequence[Array], lags: int) -> Array:
    if min(float(segment.min()) for segment in segments) == max(float(segment.max()) for segment in segments):
        return np.full(lags + 1, np.nan)  # a mean that is rounded would make it vary
    mean = sum(float(segment.sum()) for segment in segments) / sum(segment.size for segment in segments)
    sizes, counts = np.unique([segment.size for segment in segments], return_counts=True)
    pairs = np.maximum(sizes[:, None] - np.arange(lags + 1), 0).T @ counts
    products = np.zeros(lags + 1)
    for joined in _spaced(segments, mean, lags):
        power = np.abs(np.fft.rfft(joined, 2 ** math.ceil(math.log2(joined.size)))) ** 2
        products += np.fft.irfft(power)[: lags + 1]
    covariance = np.divide(products, pairs, out=np.full(lags + 1, np.nan), where=pairs > 0)
    if not covariance[0] > 0:
        return np.full(lags + 1, np.nan)
    return np.asarray(covariance / covariance[0])


def _spaced(segments: Sequence[Array], mean: float, lags: int) -> Iterator[Array]:
    """Deviations from the mean, with as many zeros behind each segment as there are lags, in parts that memory can hold."""
    gap = np.zeros(lags + 1)
    parts: list[Array] = []
    size = 0
    for segment in segments:
        parts += [segment - mean, gap]
        size += segment.size + gap.size
        if size > _TRANSFORMED:
            yield np.concatenate(parts)
            parts, size = [], 0
    if parts:
        yield np.concatenate(parts)


@dataclass(frozen=True)
class _Regular:
    """What is regular in a recording."""

    periodic: Periodic | None
    register: int | None
    predictable: bool
    departure: tuple[int, float, float] | None
    """Lag, autocorrelation of the states and that of a junction."""
    white: bool
    """The samples are independent as far as one can see."""

    @classmethod
    def of(cls, recording: Recording, sequences: States, memory: float) -> _Regular:
        memory = min(max(memory, 0.0), 1 - 1e-6)
        lags = min(regularity.LAGS, max(sequence.size for sequence in sequences) - 1)
        binary = [sequence.astype(np.float64) for sequence in sequences]
        signals = [(signal, _correlate(signal, lags)) for signal in (recording.segments, binary)]
        found = [regularity.find_periodic(segments, correlation, memory) for segments, correlation in signals]
        (values, of_values), (_, of_states) = signals
        lag = regularity.departure(binary, of_states, memory)
        periodic = max((part for part in found if part is not None), key=lambda part: part.share, default=None)
        register = regularity.register_length(max(sequences, key=len))
        return cls(
            periodic=periodic,
            register=register,
            predictable=register is not None or (periodic is not None and periodic.share >= _CALLED_PERIODIC),
            departure=None if lag is None else (lag, float(of_states[lag]), memory**lag),
            white=regularity.departure(values, of_values, 0.0) is None,
        )


def characterise(recording: Recording, millivolts: float | None = None) -> Summary:
    """All characteristics of a recording; see :class:`Summary`.

    Args:
        recording: what is characterised.
        millivolts: of the recording's unit; None: not known. It tells noise that is continuous from a junction that is stuck.
    """
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
    regular = _Regular.of(recording, sequences, memory)
    found = estimates(sequences)
    wide = millivolts is not None and millivolts * float(recording.values.std()) >= _CONTINUOUS
    strange = _regular_hints(regular, rate)
    notes = () if strange else _notes(levels, probability, wide and regular.white)
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
        estimates=found,
        min_entropy=0.0 if regular.predictable else min(found.values()),
        periodic=regular.periodic,
        register=regular.register,
        predictable=regular.predictable,
        hints=(*strange, *_hints(recording, levels, sequences, probability, switches, bool(notes))),
        notes=notes,
    )


def _regular_hints(regular: _Regular, rate: float | None) -> list[str]:
    """What contradicts a junction, the plainest first; one explanation is enough."""
    periodic = regular.periodic
    if periodic is not None and periodic.share >= _MENTIONED:
        what = periodic.describe(rate)
        advice = "connect the grounds and keep mains wires away" if "hum" in what else "find what oscillates or generates it"
        if periodic.share < _CALLED_PERIODIC:
            return [f"{what} makes {periodic.share:.0%} of the signal's variance: {advice}"]
        part = "" if periodic.single else ", with its overtones,"
        return [f"the signal is periodic, not noise: {what}{part} makes {periodic.share:.0%} of its variance; {advice}"]
    if regular.register is not None:
        return [
            f"a shift register of {regular.register} stages produces these states: they are pseudo-random, not noise; "
            "connect the junction instead of the generator"
        ]
    if regular.departure is not None:
        lag, seen, expected = regular.departure
        return [
            f"the states' autocorrelation at {lag} samples is {seen:.2f}, that of a junction that switches as often "
            f"{expected:.2f}: a filter, an oscillation or several sources shape the signal"
        ]
    return []


def _notes(levels: Levels, probability: float, continuous: bool) -> tuple[str, ...]:
    if _one_level(levels):
        text = "no two separate levels, but independent samples: a source of continuous noise, not a junction"
        return (text,) if continuous else ()
    if probability > 0.4:
        return ("the source switches about as fast as it is sampled: its rate and dwell times are uncertain",)
    return ()


def _one_level(levels: Levels) -> bool:
    # The halves of a normal distribution lie 2.65 of their own deviations apart, so less than 4 is no two-level source.
    return levels.split < 4 * levels.spread


def _hints(
    recording: Recording, levels: Levels, sequences: States, probability: float, switches: int, explained: bool
) -> list[str]:
    hints: list[str] = []
    if levels.split == 0:
        return ["the source is constant: check the junction, its supply and its wiring"]
    if recording.codes and levels.split < 2:
        hints.append(
            f"the levels are {levels.split:.2g} codes apart, hard to separate from conversion noise: lower the converter's "
            "reference voltage or amplify the signal"
        )
    if _one_level(levels) and not explained:
        hints.append("no two separate levels: the source is not a single junction, or its signal is lost in other noise")
    duty = float(np.mean(np.concatenate(sequences)))
    if not 0.1 <= duty <= 0.9:
        side = "high" if duty > 0.5 else "low"
        hints.append(f"the source is {side} most of the time (duty {duty:.2f}): correct its bias")
    if switches < 100:
        hints.append(f"only {switches} switches were seen: record longer for reliable figures")
    elif probability < 0.01:
        hints.append("the source switches rarely: neighbouring samples are nearly equal, so learn at a slower pace")
    if recording.codes and min(recording.values.min(), levels.low) == 0:
        hints.append("some codes are 0: the signal may be clipped at the lower end")
    return hints
