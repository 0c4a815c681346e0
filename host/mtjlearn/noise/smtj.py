"""Physics of a superparamagnetic tunnel junction (sMTJ): rates, dwell times, and the codes a converter reads from it.

The junction is a continuous-time telegraph process: it leaves each of its two states at a constant rate. Rates are per
second, times in seconds, energies in joules, temperatures in kelvin, voltages in volts at the converter's pin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ohm = TypeVar("Ohm", float, NDArray[np.float64])
Volts = NDArray[np.float32] | NDArray[np.float64]

BOLTZMANN = 1.380649e-23
"""Boltzmann constant, J/K."""
RECORDED_SWITCHING_PROBABILITY = 0.0809
"""Probability that the recorded junction switches between two samples (appendix A)."""
RECORDED_RATE = 40_000.0
"""Samples per second of that recording (section III A)."""
RECORDED_LEVELS = (0.0362, 0.0480)
"""Low and high level of that recording, V (appendix A)."""
RECORDED_OBSERVATION = 0.001
"""Standard deviation of that recording's observation noise, V (appendix A)."""


def switching_rate(probability: float, sample_rate: float) -> float:
    """Switches per second of a symmetric junction that switches with ``probability`` from one sample to the next.

    ``lambda = -f ln(1 - 2p) / 2``; a sample sees an odd number of switches.

    Raises:
        ValueError: if the probability is outside 0 .. 0.5 (0.5 excluded: independent samples give no rate).
    """
    if not 0 <= probability < 0.5:
        raise ValueError(f"switching probability {probability} is outside 0 .. 0.5; sample faster to see a rate")
    return -sample_rate * math.log1p(-2 * probability) / 2


def switching_probability(rate: float, sample_rate: float) -> float:
    """Probability that a symmetric junction of this switching rate has switched from one sample to the next.

    ``p_f = (1 - exp(-2 lambda/f)) / 2``.
    """
    return -math.expm1(-2 * rate / sample_rate) / 2


def mean_dwell(rate: float) -> float:
    """Mean time in a state, seconds, at this switching rate per second."""
    return 1 / rate


def independent_samples(rate: float, sample_rate: float) -> float:
    """Independent samples per second worth the same as the correlated ones: f tanh(lambda / f)."""
    return sample_rate * math.tanh(rate / sample_rate)


def dwell_time(barrier: float, temperature: float = 300.0, attempt_time: float = 1e-9) -> float:
    """Mean dwell time, seconds, over an energy barrier (J) at a temperature (K): Néel-Arrhenius, eq. 5."""
    return attempt_time * math.exp(barrier / (BOLTZMANN * temperature))


def energy_barrier(dwell: float, temperature: float = 300.0, attempt_time: float = 1e-9) -> float:
    """Energy barrier, J, of a junction with this mean dwell time (seconds): eq. 5 solved for the barrier."""
    return BOLTZMANN * temperature * math.log(dwell / attempt_time)


def ensemble_rate(dwells: Sequence[float]) -> float:
    """Switches per second of junctions together, from their mean dwell times: the sum of 1 / tau_i (section II C)."""
    return sum(1 / dwell for dwell in dwells)


def divider(resistance: Ohm, supply: float = 3.3, series: float = 100_000.0) -> Ohm:
    """Voltage over a junction of this resistance (ohm, any shape) below a series resistor (section III D)."""
    return supply * resistance / (resistance + series)


def quantise(volts: Volts, bits: int, reference: float) -> NDArray[np.uint16]:
    """Codes of a converter, of the voltages' shape: rounded down, as converters do, and clipped to its scale.

    Args:
        volts: voltages at the pin.
        bits: resolution.
        reference: voltage of full scale, V.
    """
    codes: NDArray[np.uint16] = np.clip(volts * (2**bits / reference), 0, 2**bits - 1).astype(np.uint16)
    return codes


@dataclass(frozen=True)
class Junction:
    """A junction as the converter sees it.

    Args:
        low: voltage of the parallel state, V.
        high: voltage of the antiparallel state, V.
        observation: standard deviation of the observation noise, V.
        rate: switches per second, the mean of both directions' rates for duty 0.5.
        duty: fraction of time in the high state, 0 .. 1 exclusive; the correlation time does not depend on it.
    """

    low: float
    high: float
    observation: float
    rate: float
    duty: float = 0.5

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"the low level {self.low} V must be under the high level {self.high} V")
        if not 0 < self.duty < 1:
            raise ValueError(f"duty cycle {self.duty} is outside 0 .. 1")
        if not (self.rate > 0 and self.observation >= 0):
            raise ValueError("the switching rate must be positive and the observation noise not negative")

    def probabilities(self, sample_rate: float) -> tuple[float, float]:
        """Probabilities from one sample to the next to go up (low to high) and to go down."""
        change = -math.expm1(-2 * self.rate / sample_rate)
        return self.duty * change, (1 - self.duty) * change

    @property
    def deviation(self) -> float:
        """Standard deviation of the voltage, V."""
        spread = (self.high - self.low) ** 2 * self.duty * (1 - self.duty)
        return math.sqrt(spread + self.observation**2)


_RATE = switching_rate(RECORDED_SWITCHING_PROBABILITY, RECORDED_RATE)

PRESETS = {
    "recording": Junction(*RECORDED_LEVELS, RECORDED_OBSERVATION, _RATE),
    "bench": Junction(divider(3_000.0), divider(6_000.0), RECORDED_OBSERVATION, _RATE),
}
"""``recording``: the levels of appendix A at the pin. ``bench``: 3 to 6 kOhm in the divider of section III D."""


def telegraph(
    generator: np.random.Generator, state: NDArray[np.bool_], up: ArrayLike, down: ArrayLike, count: int
) -> NDArray[np.bool_]:
    """The next ``count`` states of independent two-state Markov chains.

    Args:
        generator: random numbers.
        state: present state of each chain, any shape.
        up: probability to go from low to high in one sample, of all chains or of each (broadcast to the state's shape).
        down: probability to go from high to low; ``up + down <= 1``, as in any sampled telegraph process.
        count: samples, at least 1.

    Returns:
        States after each sample, shape ``(*state.shape, count)``; the last one is the state to continue from.
    """
    rises, falls = np.asarray(up, dtype=np.float64), np.asarray(down, dtype=np.float64)
    if not np.all((rises >= 0) & (falls >= 0) & (rises + falls <= 1)):
        raise ValueError(f"switching probabilities {up!r} and {down!r} must not be negative nor exceed 1 together")
    # One uniform number either forces the high state, forces the low one, or changes nothing, so that each sample
    # equals the last forced one before it: a running maximum over (time, forced state) finds it without a Python loop.
    uniform = generator.random((*state.shape, count), dtype=np.float32)
    rise = uniform < rises.astype(np.float32)[..., None]
    forced = rise | (uniform >= (1 - falls).astype(np.float32)[..., None])
    key = np.where(forced, np.arange(2, 2 * count + 2, 2, dtype=np.int32) + rise, state[..., None])
    np.maximum.accumulate(key, axis=-1, out=key)
    return (key & 1).astype(np.bool_)


class SimulatedAdc:
    """Codes that a converter reads from simulated junctions, one junction per replica, without holes.

    Args:
        junction: what is at the pin.
        replicas: independent junctions.
        rate: samples per second.
        bits: resolution of the converter.
        reference: voltage of full scale, V.
        seed: of all random numbers.
    """

    def __init__(
        self,
        junction: Junction,
        replicas: int = 1,
        rate: float = 9615.0,
        bits: int = 10,
        reference: float = 5.0,
        seed: int = 0,
    ) -> None:
        if not 1 <= bits <= 16:
            raise ValueError(f"a converter has 1 to 16 bits, not {bits}")
        self.junction = junction
        self.replicas = replicas
        self.rate = rate
        self.bits = bits
        self.reference = reference
        self._generator = np.random.default_rng(seed)
        self._state = self._generator.random(replicas) < junction.duty

    def read(self, count: int) -> NDArray[np.uint16]:
        """The next ``count`` codes of each replica, shape (replicas, count)."""
        if count == 0:
            return np.zeros((self.replicas, 0), dtype=np.uint16)
        up, down = self.junction.probabilities(self.rate)
        states = telegraph(self._generator, self._state, up, down, count)
        self._state = states[:, -1].copy()
        levels = np.array([self.junction.low, self.junction.high], dtype=np.float32)
        volts = self._generator.standard_normal(states.shape, dtype=np.float32)
        volts *= self.junction.observation
        volts += levels[states.view(np.uint8)]
        return quantise(volts, self.bits, self.reference)
