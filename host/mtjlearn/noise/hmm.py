"""A hidden Markov model of a junction, fitted to a recording: levels, observation noise and switching, also where levels overlap.

A threshold counts noise that crosses it as switching; the model of appendix A (two states, Gaussian observation) does not.
:mod:`hmmlearn` maximises the likelihood, from a start that the moments of the samples give.
"""

from __future__ import annotations

import logging
import math
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
_LEAST = 1000
_ITERATIONS = 200
_TOLERANCE = 0.01
"""Gain in log-likelihood under which an iteration is the last."""
_FAR = 25.0
"""Standard deviations from both levels from which on likelihoods underflow."""


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


def fit_hmm(recording: Recording, most: int = MOST) -> HmmFit:
    """Fits the model to the first samples of a recording; nothing is assumed across its holes.

    Args:
        recording: volts or codes.
        most: samples that are fitted, at least 1,000.

    Raises:
        FitError: hmmlearn is not installed, the recording is too short, or shows no two states.
    """
    values, lengths = _first(recording, most)
    if values.size < _LEAST:
        raise FitError(f"a fit needs {_LEAST:,} samples, not {values.size:,}; record longer")
    scale = float(values.std())
    if scale == 0:
        raise FitError("the recording is constant: there is nothing to fit")
    centre = float(values.mean())
    scaled = (values - centre) / scale
    up, down, levels, sigma = _start(scaled, lengths)
    model = _model(scaled, up, down, levels, sigma)
    try:
        model.fit(scaled[:, None], lengths)
    except (ValueError, FloatingPointError) as error:
        raise FitError(f"the recording shows no two states: {error}") from None
    order = np.argsort(model.means_[:, 0])
    matrix, means = model.transmat_[np.ix_(order, order)], model.means_[order, 0]
    likelihood = float(model.monitor_.history[-1]) - values.size * math.log(scale)
    found = HmmFit(
        up=float(matrix[0, 1]),
        down=float(matrix[1, 0]),
        low=centre + scale * float(means[0]),
        high=centre + scale * float(means[1]),
        sigma=scale * math.sqrt(float(np.ravel(model.covars_)[0])),
        samples=values.size,
        iterations=model.monitor_.iter,
        converged=model.monitor_.iter < _ITERATIONS,
        log_likelihood=likelihood,
    )
    if not math.isfinite(likelihood) or min(found.up, found.down) <= 0:
        raise FitError("the recording shows no two states: one of them is never left")
    return found


def _first(recording: Recording, most: int) -> tuple[Array, list[int]]:
    """The first samples and the lengths of their stretches."""
    size = min(most, recording.values.size)
    ends = [*(start for start in recording.starts[1:] if start < size), size]
    return recording.values[:size], np.diff([0, *ends]).tolist()


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


def _model(values: Array, up: float, down: float, levels: tuple[float, float], sigma: float) -> Any:
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError:
        raise FitError(f"a fit needs hmmlearn; run: {install_extra('hmm')}") from None
    logging.getLogger(GaussianHMM.__module__.rpartition(".")[0]).setLevel(logging.ERROR)  # it warns of rounding at the maximum
    far = float(np.abs(values[:, None] - levels).min(axis=1).max()) > _FAR * sigma
    model = GaussianHMM(
        2,
        covariance_type="tied",
        n_iter=_ITERATIONS,
        tol=_TOLERANCE,
        init_params="",
        params="tmc",
        implementation="log" if far else "scaling",
    )
    model.startprob_ = np.array([0.5, 0.5])
    model.transmat_ = np.array([[1 - up, up], [down, 1 - down]])
    model.means_ = np.array([[level] for level in levels])
    model.covars_ = np.array([[sigma**2]])
    return model
