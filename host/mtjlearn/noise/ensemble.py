"""Several junctions in series or in parallel: levels, their probabilities, and the rate of the whole (section II C)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.noise.barrier import BarrierModel
from mtjlearn.noise.smtj import ensemble_rate, mean_dwell

Array = NDArray[np.float64]
Wiring = Literal["series", "parallel"]

_MOST_LEVELS = 2**20
_SAME = 1e-9
"""Relative distance up to which two levels are one."""


@dataclass(frozen=True)
class Element:
    """One junction as a fluctuating resistor.

    Args:
        parallel: resistance R_P of the parallel state, ohm.
        antiparallel: resistance R_AP of the antiparallel state, ohm, above R_P.
        dwell_parallel: mean dwell time in the parallel state, s.
        dwell_antiparallel: mean dwell time in the antiparallel state, s.

    Raises:
        ValueError: if one is not positive and finite, or R_AP not above R_P.
    """

    parallel: float
    antiparallel: float
    dwell_parallel: float
    dwell_antiparallel: float

    def __post_init__(self) -> None:
        if not 0 < self.parallel < self.antiparallel < math.inf:
            raise ValueError(f"R_P must be positive and below R_AP, not {self.parallel:g} and {self.antiparallel:g} ohm")
        if not (0 < self.dwell_parallel < math.inf and 0 < self.dwell_antiparallel < math.inf):
            raise ValueError("dwell times must be positive and finite: a barrier is too low or too high for the temperature")

    @classmethod
    def of_rate(cls, parallel: float, antiparallel: float, rate: float) -> Element:
        """A symmetric junction that leaves each state ``rate`` times per second."""
        return cls(parallel, antiparallel, mean_dwell(rate), mean_dwell(rate))

    @classmethod
    def of_barrier(cls, model: BarrierModel, drive: float, parallel: float, antiparallel: float) -> Element:
        """A junction with the dwell times of a barrier model at this field or current."""
        dwells = model.dwells(drive)
        return cls(parallel, antiparallel, float(dwells[0]), float(dwells[1]))

    @property
    def duty(self) -> float:
        """Probability of the antiparallel state."""
        return self.dwell_antiparallel / (self.dwell_parallel + self.dwell_antiparallel)

    @property
    def dwell(self) -> float:
        """Mean of both dwell times, s; its inverse counts the switches per second."""
        return (self.dwell_parallel + self.dwell_antiparallel) / 2

    def probabilities(self, sample_rate: float) -> tuple[float, float]:
        """Probabilities from one sample to the next to go up (to antiparallel) and to go down."""
        change = -math.expm1(-(1 / self.dwell_parallel + 1 / self.dwell_antiparallel) / sample_rate)
        return self.duty * change, (1 - self.duty) * change


@dataclass(frozen=True)
class Ensemble:
    """Junctions in series or in parallel: n equal ones have n + 1 levels, n distinct ones 2^n.

    Args:
        elements: the junctions, at least one.
        wiring: ``series`` adds resistances, ``parallel`` adds conductances.

    Raises:
        ValueError: no junction, or an unknown wiring.
    """

    elements: tuple[Element, ...]
    wiring: Wiring = "series"

    def __post_init__(self) -> None:
        if not self.elements:
            raise ValueError("an ensemble needs at least one junction")
        if self.wiring not in get_args(Wiring):
            raise ValueError(f"wiring {self.wiring!r} is unknown; use series or parallel")

    @classmethod
    def of_equal(cls, element: Element, count: int, wiring: Wiring = "series") -> Ensemble:
        """``count`` equal junctions."""
        return cls((element,) * count, wiring)

    @property
    def rate(self) -> float:
        """Switches per second of the whole: the sum of 1 / tau_i."""
        return ensemble_rate([element.dwell for element in self.elements])

    def probabilities(self, sample_rate: float) -> tuple[Array, Array]:
        """Probabilities of each junction to go up and to go down from one sample to the next, each of shape (junctions,)."""
        up, down = np.array([element.probabilities(sample_rate) for element in self.elements]).T
        return up, down

    def resistance(self, states: ArrayLike) -> Array:
        """Resistance of the whole, ohm, shape (...), from the states (true: antiparallel), shape (..., junctions)."""
        low, high = np.array(self._parts()).T
        return self._resistance(float(low.sum()) + np.asarray(states, dtype=np.float64) @ (high - low))

    def levels(self) -> tuple[Array, Array]:
        """The distinct resistances, ohm, ascending, and the probability of each, both of shape (levels,).

        Raises:
            ValueError: more than a million of them.
        """
        values, shares = np.zeros(1), np.ones(1)
        for element, (low, high) in zip(self.elements, self._parts(), strict=True):
            values = np.concatenate([values + low, values + high])
            shares = np.concatenate([shares * (1 - element.duty), shares * element.duty])
            order = np.argsort(values, kind="stable")
            values, shares = values[order], shares[order]
            new = np.append(True, np.diff(values) > _SAME * values[1:])
            shares = np.add.reduceat(shares, np.flatnonzero(new))
            values = values[new]
            if values.size > _MOST_LEVELS:
                raise ValueError(f"{len(self.elements)} distinct junctions have more than {_MOST_LEVELS:,} levels")
        found = self._resistance(values)
        order = np.argsort(found)
        return found[order], shares[order]

    def _parts(self) -> Sequence[tuple[float, float]]:
        """What each junction adds in its parallel and in its antiparallel state: ohm or siemens."""
        pairs = [(element.parallel, element.antiparallel) for element in self.elements]
        return pairs if self.wiring == "series" else [(1 / low, 1 / high) for low, high in pairs]

    def _resistance(self, total: Array) -> Array:
        return np.asarray(total if self.wiring == "series" else 1 / total)
