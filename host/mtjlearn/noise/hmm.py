"""A hidden Markov model of a junction, fitted to a recording: levels, observation noise and switching, also where levels overlap.

A threshold counts noise that crosses it as switching; the model of appendix A (two states, Gaussian observation) does not.
:mod:`hmmlearn` maximises the likelihood, from a start that the moments of the samples give.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import UserError, install_extra
from mtjlearn.noise.recording import Recording
from mtjlearn.noise.smtj import Junction, switching_rate

Array = NDArray[np.float64]

MOST = 2**22
"""Samples that are fitted: at 40 kHz 105 s, which give p within 0.4 %."""
STRETCH = 2**17
"""Samples of the first fit."""
_STRETCHES = 4096
"""Stretches between holes that are fitted: each costs as much as some hundred samples."""
_LEAST = 1000
_FIRST, _ALL = 100, 30
"""Most iterations of the first fit and of that of all samples."""
_TOLERANCE = 0.01
"""Gain in log-likelihood under which an iteration is the last."""
_FAR = 25.0
"""Standard deviations from both levels from which on likelihoods underflow, so that logarithms are needed."""
_SPIKE = 3.5
"""Distance from the middle, in widths of the bulk of the samples, from which on a sample is a spike."""
_PRIOR = 1e-6
"""Keeps the variance of the observation noise off 0, in variances of the recording and samples."""


class FitError(UserError, ValueError):
    """A recording that no model of two states can be fitted to; the text says why."""


@dataclass(frozen=True)
class HmmFit:
    """A two-state hidden Markov model with Gaussian observation. Probabilities are per sample.

    Args:
        up: probability to go from the low to the high state.
        down: probability to go from the high to the low state.
        low: mean of the low state, in the recording's unit.
        high: mean of the high state.
        sigma: standard deviation of the observation noise, the same in both states.
        samples: that were fitted.
        ignored: spikes far outside of all other samples.
        iterations: of the maximisation.
        converged: whether it ended before the most iterations.
        log_likelihood: natural logarithm, of all samples.
    """

    up: float
    down: float
    low: float
    high: float
    sigma: float
    samples: int
    ignored: int
    iterations: int
    converged: bool
    log_likelihood: float

    @property
    def probability(self) -> float:
        """Mean of both directions' probabilities: p of a symmetric junction."""
        return (self.up + self.down) / 2

    @property
    def duty(self) -> float:
        """Share of time in the high state."""
        return self.up / (self.up + self.down)

    @property
    def error(self) -> float:
        """Standard error of :attr:`probability` if every state were seen; overlap makes it larger."""
        low, high = (1 - self.duty) * self.samples, self.duty * self.samples
        return math.sqrt(self.up * (1 - self.up) / low + self.down * (1 - self.down) / high) / 2

    def junction(self, rate: float, volts: float = 1.0) -> Junction:
        """The junction that this model describes.

        Args:
            rate: samples per second of the recording.
            volts: per unit of the recording.

        Raises:
            ValueError: it switches about as fast as it was sampled, so its rate is not known.
        """
        lambda_ = switching_rate(self.probability, rate)
        return Junction(self.low * volts, self.high * volts, self.sigma * volts, lambda_, self.duty)


def fit_hmm(recording: Recording, most: int = MOST, progress: Callable[[int], None] | None = None) -> HmmFit:
    """Fits the model to the first samples of a recording; nothing is assumed across its holes.

    A first fit of :data:`STRETCH` samples gives the start of the fit of all. If the first does not converge, it is the result:
    then there are hardly two states, or their levels cannot be told apart.

    Args:
        recording: volts or codes.
        most: samples that are fitted, at least 1,000; of a recording with holes, no more than 4,096 stretches.
        progress: called with the number of each iteration; it may raise.

    Raises:
        FitError: hmmlearn is not installed, the recording is too short, or shows no two states.
    """
    size = min(most, *recording.starts[_STRETCHES : _STRETCHES + 1], recording.values.size)
    if size < _LEAST:
        raise FitError(f"a fit needs {_LEAST:,} samples, not {size:,}; record longer")
    values, lengths = _without_spikes(recording, size)
    if max(lengths) < 2:
        raise FitError("no two samples are neighbours: there is nothing to see of switching")
    scale = float(values.std())
    if scale == 0:
        raise FitError("the recording is constant: there is nothing to fit")
    centre = float(values.mean())
    scaled = (values - centre) / scale
    model = _model(*_start(scaled, lengths))
    with _one_thread():
        iterations = _maximise(model, *_cut(scaled, lengths, STRETCH), _FIRST, 0, progress)
        fitted, converged = min(STRETCH, scaled.size), iterations < _FIRST
        if converged and fitted < scaled.size:
            fitted = scaled.size
            more = _maximise(model, scaled, lengths, _ALL, iterations, progress)
            iterations, converged = iterations + more, more < _ALL
    order = np.argsort(model.means_[:, 0])
    matrix, means = model.transmat_[np.ix_(order, order)], model.means_[order, 0]
    found = HmmFit(
        up=float(matrix[0, 1]),
        down=float(matrix[1, 0]),
        low=centre + scale * float(means[0]),
        high=centre + scale * float(means[1]),
        sigma=scale * math.sqrt(float(np.ravel(model.covars_)[0])),
        samples=fitted,
        ignored=size - values.size,
        iterations=iterations,
        converged=converged,
        log_likelihood=float(model.monitor_.history[-1]) - fitted * math.log(scale),
    )
    if not math.isfinite(found.log_likelihood) or min(found.up, found.down) <= 0:
        raise FitError("the recording shows no two states: one of them is never left")
    return found


def _one_thread() -> AbstractContextManager[Any]:
    """Products of matrices this small lose time on several threads: up to 12 times on a busy computer."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _maximise(model: Any, values: Array, lengths: list[int], most: int, done: int, progress: Callable[[int], None] | None) -> int:
    """Iterates until the likelihood hardly grows. Returns how often."""
    level = model.means_[:, 0]
    far = float(np.abs(values[:, None] - level).min(axis=1).max()) > _FAR * math.sqrt(float(np.ravel(model.covars_)[0]))
    model.implementation = "log" if far else "scaling"
    before = -math.inf
    for iteration in range(1, most + 1):
        if progress is not None:
            progress(done + iteration)
        try:
            model.fit(values[:, None], lengths)
        except (ValueError, FloatingPointError) as error:
            raise FitError(f"the recording shows no two states: {error}") from None
        likelihood = float(model.monitor_.history[-1])
        if likelihood - before < _TOLERANCE:
            return iteration
        before = likelihood
    return most


def _without_spikes(recording: Recording, size: int) -> tuple[Array, list[int]]:
    """The first samples without a few that lie far outside of all others, and the lengths of their stretches.

    A spike is so unlikely that the likelihood would give it a state of its own. Where one was there is a hole.
    """
    values = recording.values[:size]
    few = 3 + size // 2**15
    low, high = (float(np.partition(values, place)[place]) for place in (few, size - 1 - few))
    inside = np.abs(values - (low + high) / 2) <= _SPIKE * (high - low) if high > low else np.ones(size, dtype=np.bool_)
    begins = np.zeros(size, dtype=np.bool_)
    begins[[start for start in recording.starts if start < size]] = True
    begins[1:] |= ~inside[:-1]
    kept = values[inside]
    starts = np.union1d([0], np.flatnonzero(begins[inside]))
    return kept, np.diff([*starts, kept.size]).tolist()


def _cut(values: Array, lengths: list[int], most: int) -> tuple[Array, list[int]]:
    """The first samples, and the lengths of their stretches."""
    if values.size <= most:
        return values, lengths
    ends = np.cumsum(lengths)
    return values[:most], np.diff([0, *ends[ends < most], most]).tolist()


def _start(values: Array, lengths: list[int]) -> tuple[float, float, tuple[float, float], float]:
    """Probabilities, levels and observation noise by the method of moments.

    The autocovariance of a telegraph process at lags 1 and 2 gives its memory and, since observation noise does not
    reach beyond lag 0, its variance; with the third moment that gives duty and levels (values have mean 0, deviation 1).
    """
    segments = np.split(values, np.cumsum(lengths)[:-1])
    first, second = (
        sum(float(part[lag:] @ part[:-lag]) for part in segments if part.size > lag)
        / max(1, sum(part.size - lag for part in segments if part.size > lag))
        for lag in (1, 2)
    )
    memory = min(max(second / first, 0.0), 0.999) if first > 0 else 0.0
    variance = min(max(first / memory if memory > 0.01 else 0.9, 0.05), 0.999)
    skew = float(np.mean(values**3)) / variance
    split = math.sqrt(skew**2 + 4 * variance)
    duty = min(max((1 - skew / split) / 2, 0.02), 0.98)
    change = min(max(1 - memory, 1e-4), 0.98)
    return duty * change, (1 - duty) * change, (-duty * split, (1 - duty) * split), math.sqrt(1 - variance)


def _model(up: float, down: float, levels: tuple[float, float], sigma: float) -> Any:
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError:
        raise FitError(f"a fit needs hmmlearn; run: {install_extra('hmm')}") from None
    model = GaussianHMM(2, covariance_type="tied", covars_prior=_PRIOR, n_iter=1, init_params="", params="tmc")
    model.n_features = 1
    model.startprob_ = np.array([0.5, 0.5])
    model.transmat_ = np.array([[1 - up, up], [down, 1 - down]])
    model.means_ = np.array([[level] for level in levels])
    model.covars_ = np.array([[sigma**2]])
    return model
