"""Limits for the tests of the noise source that a board runs on every code: shared/numerics.md, section 12.

The source is a two-state Markov chain: it goes up with probability ``p01`` and down with ``p10`` from one code to the
next. All limits are exact for that chain. The model of the tests themselves is in health_monitor.py.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.smtj import RECORDED_RATE, RECORDED_SWITCHING_PROBABILITY, switching_probability, switching_rate

FALSE_ALARM = 2.0**-40
"""Probability that a healthy source fails a test: one run, one count of a window."""
SWITCHES_PER_WINDOW = 256
LEAST_WINDOW = 256
MOST_WINDOW = 32768
MOST_REPETITIONS = 65535
RECORDED_SWITCHES = switching_rate(RECORDED_SWITCHING_PROBABILITY, RECORDED_RATE)
"""Switches per second of the paper's junction."""
TABLE_RATES = (4808, 9615, 19231, 38462, 40000, 76924, 100_000, 1_000_000)
"""The ADC rates whose limits a board knows (firmware/src/health_limits.h)."""

LAGS = 16
"""A board compares a code's state with those of 1, 2, ... 16 codes before, another lag in every window."""
_LEAST_SLACK = 80

Counted = Literal["ones", "switches"]


def _check(p01: float, p10: float) -> None:
    if not (0 < p01 < 1 and 0 < p10 < 1):
        raise ValueError(f"a source with switching probabilities {p01} and {p10} is not a source: both must be between 0 and 1")


@functools.lru_cache(maxsize=64)
def count_distribution(p01: float, p10: float, window: int, counted: Counted, most: int | None = None) -> NDArray[np.float64]:
    """Probabilities of 0, 1, ... ``most`` codes of the high state (``ones``), or switches, in a window.

    Exact but for rounding: positive numbers are added up, so that tails are as exact, relatively, as the middle. A
    window has as many chances to switch as codes; the first is the switch from the code before it.

    Args:
        p01: probability to go from low to high from one code to the next.
        p10: probability to go from high to low.
        window: codes.
        counted: what is counted.
        most: largest count wanted; None: ``window``.

    Returns:
        Shape (most + 1,); the chain is in its stationary state.

    Raises:
        ValueError: if a probability is not between 0 and 1.
    """
    _check(p01, p10)
    places = (window if most is None else min(most, window)) + 1
    chain = np.zeros((2, places))
    chain[:, 0] = p10 / (p01 + p10), p01 / (p01 + p10)
    for code in range(window):
        low, high = chain[:, : code + 2]  # counts that have a probability by then
        up, down = low * p01, high * p10
        low *= 1 - p01
        high *= 1 - p10
        if counted == "switches":
            high[1:] += up[:-1]
            low[1:] += down[:-1]
        else:
            low += down
            high += up
            high[1:] = high[:-1].copy()
            high[0] = 0.0
    return np.asarray(chain.sum(axis=0))


def _lower_limit(p01: float, p10: float, window: int, counted: Counted) -> int:
    """The largest count for which fewer are seen with at most FALSE_ALARM."""
    share = p01 / (p01 + p10) * (1 if counted == "ones" else 2 * p10)
    below = np.cumsum(count_distribution(p01, p10, window, counted, math.ceil(share * window)))
    return int(np.searchsorted(below, FALSE_ALARM, side="right"))


@dataclass(frozen=True)
class HealthLimits:
    """Limits of the tests, as SET_HEALTH has them; in codes, ``switches_min`` in switches.

    Args:
        repetitions: this many codes of one state are a fault.
        window: length of the count tests, and of healthy codes after which a fault ends; 0: no tests.
        ones_min: fewer codes of the high state in a window are a fault.
        ones_max: more of them are one.
        switches_min: fewer switches in a window are one.
    """

    repetitions: int
    window: int
    ones_min: int
    ones_max: int
    switches_min: int

    @classmethod
    def of_source(cls, p01: float, p10: float, window: int | None = None) -> HealthLimits:
        """The limits of a source, e.g. as :func:`mtjlearn.noise.characterise` measured it (``up``, ``down``).

        Args:
            p01: probability to go from low to high from one code to the next.
            p10: probability to go from high to low.
            window: codes; None: the power of two from 256 to 32,768 in which 256 switches are expected.

        Raises:
            ValueError: if a probability is not between 0 and 1, or the source is too slow for the tests at this rate.
        """
        _check(p01, p10)
        slower = min(p01, p10)
        repetitions = 1 + math.ceil(math.log(FALSE_ALARM) / math.log1p(-slower))
        if repetitions > MOST_REPETITIONS:
            raise ValueError(
                f"a state that is left with probability {slower:.2g} a code lasts too long for the tests: "
                "sample more slowly, or switch the tests off (window 0)"
            )
        if window is None:
            wanted = SWITCHES_PER_WINDOW * (p01 + p10) / (2 * p01 * p10)
            window = min(max(LEAST_WINDOW, 2 ** math.ceil(math.log2(wanted))), MOST_WINDOW)
        return cls(
            repetitions=max(2, repetitions),
            window=window,
            ones_min=_lower_limit(p01, p10, window, "ones"),
            ones_max=window - _lower_limit(p10, p01, window, "ones"),
            switches_min=_lower_limit(p01, p10, window, "switches"),
        )

    @classmethod
    def of_junction(cls, adc_rate: float, rate: float = RECORDED_SWITCHES, duty: float = 0.5) -> HealthLimits:
        """The limits of a junction, by default the paper's, at a converter's rate.

        Args:
            adc_rate: codes per second.
            rate: switches per second, the mean of both directions' rates for duty 0.5.
            duty: fraction of time in the high state.

        Raises:
            ValueError: as :meth:`of_source`.
        """
        change = 2 * switching_probability(rate, adc_rate)
        return cls.of_source(duty * change, (1 - duty) * change)


def most_different(window: int) -> int:
    """Codes of a window that may be in another state than the code one lag before: 21 of 32.

    Of independent codes a window has more of them with a probability of 2^-40 at most, whatever the lag. For the correlated
    codes of a junction that is an estimate, not a bound. A square wave of 2 to 48 codes has two thirds or more at one of the lags.

    Args:
        window: codes.
    """
    return (window >> 1) + max((window >> 3) + (window >> 5), _LEAST_SLACK)


def periodic_lag(states: NDArray[np.bool_], limits: HealthLimits) -> int | None:
    """The first lag at which a window of the source repeats or alternates, so that a board would report PERIODIC.

    Args:
        states: low or high for each code, oldest first.
        limits: of the tests.
    """
    for lag in range(1, LAGS + 1):
        different = states[lag:] != states[:-lag]
        windows = different.size // limits.window
        counts = different[: windows * limits.window].reshape(windows, limits.window).sum(axis=1)
        if np.any((counts < limits.switches_min) | (counts > most_different(limits.window))):
            return lag
    return None


NO_TESTS = HealthLimits(repetitions=2, window=0, ones_min=0, ones_max=0, switches_min=0)
"""For a source without two levels, e.g. Gaussian noise."""
