"""Noise that is generated: Gaussian, Bernoulli and simulated sMTJ. Measured noise is in playback.py and ring.py.

A source serves R replicas at once. One training step of a replica takes ``count`` values: N for each noisy pass of N
units, in order of pass, layer and unit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import Literal, Protocol, cast, get_args

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.smtj import RECORDED_LEVELS, RECORDED_OBSERVATION, RECORDED_SWITCHING_PROBABILITY, Junction, telegraph

Array = NDArray[np.float64]
Layout = Literal["per_node", "single"]

_SLICES = 2**16
"""Values of Gaussian noise in float32: as many as 16 random bits choose from."""


class NoiseSource(Protocol):
    """What the reference needs of a noise source."""

    @property
    def replicas(self) -> int:
        """Replicas R that are served."""
        ...

    def draw(self, count: int, steps: int = 1) -> Array:
        """The values of the next ``steps`` training steps, shape (steps, replicas, count).

        Drawing steps one by one or many at once gives the same process (not the same numbers).

        Raises:
            NoiseError: if the source has no more values.
        """
        ...


class Gaussian:
    """Independent normal noise of standard deviation ``sigma`` (eq. 2).

    Args:
        sigma: standard deviation of every value.
        replicas: replicas served.
        seed: of the generator, which all replicas share.
        dtype: of the values; ``float32`` is drawn faster, as one of 65,536 equally likely values, up to 4.4 sigma.
    """

    def __init__(self, sigma: float, replicas: int = 1, seed: int = 0, dtype: Literal["float64", "float32"] = "float64") -> None:
        self.sigma = sigma
        self.replicas = replicas
        self._values = (_quantiles() * sigma).astype(np.float32) if dtype == "float32" else None
        self._generator = np.random.default_rng(seed)

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`NoiseSource`."""
        shape = (steps, self.replicas, count)
        if self._values is not None:
            size = math.prod(shape)
            chosen = self._generator.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size]
            return cast(Array, self._values.take(chosen).reshape(shape))
        values: Array = self._generator.standard_normal(shape)
        values *= self.sigma
        return values


@cache
def _quantiles() -> NDArray[np.float64]:
    """Medians of 2^16 equally likely slices of the normal distribution, scaled to a standard deviation of 1."""
    inverse = NormalDist().inv_cdf
    half = np.array([inverse((k + 0.5) / _SLICES) for k in range(_SLICES // 2)])
    both: NDArray[np.float64] = np.concatenate([half, -half])
    both /= both.std()
    return both


class Bernoulli:
    """Approximated sMTJ noise: independent symmetric two-level values, ``sources`` of them summed (section II C).

    A sum of h samples ``+-alpha`` has h + 1 levels and standard deviation ``alpha sqrt(h)``, which is ``sigma`` here.

    Args:
        sigma: standard deviation of every value; ``alpha = sigma / sqrt(sources)``.
        sources: samples summed, h.
        replicas: replicas served.
        seed: of the generator, which all replicas share.
    """

    def __init__(self, sigma: float, sources: int = 1, replicas: int = 1, seed: int = 0) -> None:
        if sources < 1:
            raise ValueError(f"Bernoulli noise needs at least one source, not {sources}")
        self.sigma = sigma
        self.sources = sources
        self.replicas = replicas
        self._generator = np.random.default_rng(seed)

    @property
    def alpha(self) -> float:
        """Amplitude of one source."""
        return self.sigma / math.sqrt(self.sources)

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`NoiseSource`."""
        heads = self._generator.binomial(self.sources, 0.5, (steps, self.replicas, count))
        values: Array = heads.astype(np.float64)
        values *= 2 * self.alpha
        values -= self.alpha * self.sources
        return values


class SimulatedVoltage(ABC):
    """What simulated voltages share as noise: which chain serves which unit, and the scaling.

    Args:
        sigma: standard deviation that the noise is scaled to, its mean removed; None leaves the voltages as they are.
        layout: ``per_node``: every unit has its own chain, which advances by one sample per pass; ``single``: one chain
            serves all units in turn, unit i + 1 getting the sample after that of unit i, and so on through passes and steps.
        units: units N of the network; needed for ``per_node``.
        replicas: replicas served, each with its own chains.
        seed: of the generator, which all replicas share.
    """

    def __init__(self, sigma: float | None, layout: Layout, units: int | None, replicas: int, seed: int) -> None:
        if layout not in get_args(Layout):
            raise ValueError(f"noise layout {layout!r} is unknown; use per_node or single")
        if layout == "per_node" and units is None:
            raise ValueError("noise with junctions per node needs the network's number of units")
        self.sigma = sigma
        self.layout = layout
        self.units = units if layout == "per_node" and units is not None else 1
        self.replicas = replicas
        self._generator = np.random.default_rng(seed)

    @property
    @abstractmethod
    def mean(self) -> float:
        """Mean voltage of a chain, V."""

    @property
    @abstractmethod
    def deviation(self) -> float:
        """Standard deviation of that voltage, V."""

    @abstractmethod
    def volts(self, samples: int) -> Array:
        """The next samples of each chain, V, unscaled, shape (replicas, samples, units)."""

    def draw(self, count: int, steps: int = 1) -> Array:
        """See :class:`NoiseSource`; with ``per_node``, ``count`` is a multiple of the units.

        Raises:
            ValueError: if ``count`` is no such multiple.
        """
        if count % self.units:
            raise ValueError(f"{count} noise values are not a multiple of the {self.units} units the junctions belong to")
        volts = self.volts(steps * count // self.units)
        if self.sigma is not None:
            volts -= self.mean
            volts *= self.sigma / self.deviation
        return volts.reshape(self.replicas, steps, count).swapaxes(0, 1)


class SimulatedSmtj(SimulatedVoltage):
    """Simulated sMTJ noise: two-state hidden Markov chains with noisy observation (section II C, appendix A).

    Junctions in series add their voltages: n equal ones give n + 1 levels, n distinct ones 2^n. The observation noise
    is added once to the sum. :class:`mtjlearn.noise.SimulatedCircuit` has junctions as resistors in the read-out circuit.

    Args:
        sigma: standard deviation that the noise is scaled to, its mean removed; None leaves the voltages as they are,
            with their offset, as the paper injected them.
        layout: see :class:`SimulatedVoltage`.
        units: units N of the network; needed for ``per_node``.
        junctions: (low, high) levels in volts of each junction in series.
        probability: that a junction switches from one sample to the next, up to 0.5: the mean of both directions.
        observation: standard deviation of the observation noise, V.
        replicas: replicas served, each with its own junctions.
        seed: of the generator, which all replicas share.
        duty: share of time in the high state; it goes up with ``2 probability duty`` and down with the rest.
    """

    def __init__(
        self,
        sigma: float | None,
        layout: Layout = "per_node",
        units: int | None = None,
        junctions: Sequence[tuple[float, float]] = (RECORDED_LEVELS,),
        probability: float = RECORDED_SWITCHING_PROBABILITY,
        observation: float = RECORDED_OBSERVATION,
        replicas: int = 1,
        seed: int = 0,
        duty: float = 0.5,
    ) -> None:
        super().__init__(sigma, layout, units, replicas, seed)
        if not 0 < probability <= 0.5:
            raise ValueError(f"switching probability {probability} is outside 0 .. 0.5")
        if not 0 < duty < 1:
            raise ValueError(f"duty cycle {duty} is outside 0 .. 1")
        if not junctions:
            raise ValueError("simulated sMTJ noise needs at least one junction")
        self.probability = probability
        self.observation = observation
        self.duty = duty
        levels = np.array(junctions, dtype=np.float64)
        self._low = float(levels[:, 0].sum())
        self._split: list[float] = (levels[:, 1] - levels[:, 0]).tolist()
        self._state = self._generator.random((replicas, self.units, len(junctions))) < duty

    @classmethod
    def of_junction(
        cls,
        junction: Junction,
        rate: float,
        sigma: float | None = None,
        layout: Layout = "single",
        units: int | None = None,
        replicas: int = 1,
        seed: int = 0,
    ) -> SimulatedSmtj:
        """The noise of this junction, sampled ``rate`` times per second."""
        up, down = junction.probabilities(rate)
        levels = [(junction.low, junction.high)]
        return cls(sigma, layout, units, levels, (up + down) / 2, junction.observation, replicas, seed, junction.duty)

    @property
    def mean(self) -> float:
        """Mean voltage of the junctions in series, V."""
        return self._low + self.duty * sum(self._split)

    @property
    def deviation(self) -> float:
        """Standard deviation of that voltage, V."""
        share = self.duty * (1 - self.duty)
        return math.sqrt(sum(share * split**2 for split in self._split) + self.observation**2)

    def volts(self, samples: int) -> Array:
        """See :class:`SimulatedVoltage`."""
        up, down = 2 * self.probability * self.duty, 2 * self.probability * (1 - self.duty)
        states = telegraph(self._generator, self._state, up, down, samples)
        self._state = states[..., -1].copy()
        volts: Array = self._low + np.einsum("rujt,j->rtu", states, np.array(self._split))
        volts += self.observation * self._generator.standard_normal(volts.shape)
        return volts
