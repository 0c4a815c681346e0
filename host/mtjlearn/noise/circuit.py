"""The read-out circuit of section III D, from resistance to codes, and the noise of an ensemble behind it.

A divider turns the ensemble's resistance into a voltage, a buffer and the wires pass what is below their corner frequency,
and a converter makes codes of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.ensemble import Ensemble
from mtjlearn.noise.smtj import RECORDED_OBSERVATION, divider, quantise, telegraph
from mtjlearn.noise.sources import Array, Layout, SimulatedVoltage

_STEPS = 20
"""Steps that a low-pass is simulated with per radian of its corner frequency."""
_MOST_STEPS = 256
_AT_ONCE = 2**22
"""States that are simulated at once."""


@dataclass(frozen=True)
class ReadOut:
    """Divider, buffer, low-pass and converter. Where nothing is said, the paper's rig with an Uno R3.

    Args:
        supply: voltage of the divider, V.
        series: its resistor above the junctions, ohm.
        gain: of the buffer; 1 follows the voltage.
        cutoff: corner frequency of the first-order low-pass before the converter, Hz; None: no low-pass.
        observation: standard deviation of the noise that is added to each sample, V.
        bits: resolution of the converter, 1 to 16.
        reference: voltage of its full scale, V.

    Raises:
        ValueError: if a value is outside what it can be.
    """

    supply: float = 3.3
    series: float = 100_000.0
    gain: float = 1.0
    cutoff: float | None = None
    observation: float = RECORDED_OBSERVATION
    bits: int = 10
    reference: float = 5.0

    def __post_init__(self) -> None:
        positive = (self.supply, self.series, self.gain, self.reference, self.cutoff if self.cutoff is not None else 1.0)
        if not all(math.isfinite(value) and value > 0 for value in positive):
            raise ValueError("supply, series resistor, gain, reference and cutoff of a read-out must be positive")
        if not 0 <= self.observation < math.inf:
            raise ValueError("the observation noise must not be negative")
        if not 1 <= self.bits <= 16:
            raise ValueError(f"a converter has 1 to 16 bits, not {self.bits}")

    def volts(self, resistance: Array) -> Array:
        """Voltages at the converter, V, from resistances in ohm, both of one shape; without low-pass and noise."""
        return self.gain * divider(resistance, self.supply, self.series)

    def codes(self, volts: Array) -> NDArray[np.uint16]:
        """Codes of these voltages, of their shape."""
        return quantise(volts, self.bits, self.reference)


class SimulatedCircuit(SimulatedVoltage):
    """An ensemble of junctions behind a read-out circuit: a noise source, a stream of volts, and a stream of codes.

    A low-pass is simulated in steps much shorter than its time constant, and costs that many times more.

    Args:
        ensemble: the junctions.
        readout: the circuit.
        rate: samples per second.
        sigma: standard deviation that the noise is scaled to, its mean removed; None leaves the voltages as they are.
        layout: see :class:`mtjlearn.noise.sources.SimulatedVoltage`; each chain is an ensemble of its own.
        units: units N of the network; needed for ``per_node``.
        replicas: replicas served, each with its own ensembles.
        seed: of the generator, which all replicas share.

    Raises:
        ValueError: the low-pass is too fast for the rate to be simulated; omit it then.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        readout: ReadOut,
        rate: float,
        sigma: float | None = None,
        layout: Layout = "single",
        units: int | None = None,
        replicas: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(sigma, layout, units, replicas, seed)
        self.ensemble = ensemble
        self.readout = readout
        self.rate = rate
        self._corner = 0.0 if readout.cutoff is None else 2 * math.pi * readout.cutoff
        self._steps = max(1, math.ceil(_STEPS * self._corner / rate))
        if self._steps > _MOST_STEPS:
            most = _MOST_STEPS * rate / _STEPS / (2 * math.pi)
            raise ValueError(
                f"a low-pass of {readout.cutoff:g} Hz hardly filters {rate:g} samples per second; omit it above {most:,.0f} Hz"
            )
        duties = np.array([element.duty for element in ensemble.elements])
        self._state = self._generator.random((replicas, self.units, duties.size)) < duties
        self._filtered = readout.volts(ensemble.resistance(self._state))

    @property
    def mean(self) -> float:
        """Mean voltage at the converter, V."""
        resistances, shares = self.ensemble.levels()
        return float(self.readout.volts(resistances) @ shares)

    @property
    def deviation(self) -> float:
        """Standard deviation of that voltage, V; with a low-pass and several junctions, of the circuit made linear."""
        resistances, shares = self.ensemble.levels()
        variance = float((self.readout.volts(resistances) - self.mean) ** 2 @ shares)
        return math.sqrt(variance * self._passed() + self.readout.observation**2)

    def _passed(self) -> float:
        """Share of the variance that the low-pass leaves."""
        if self._corner == 0:
            return 1.0
        elements = self.ensemble.elements
        alone = np.diag(np.ones(len(elements), dtype=np.bool_))
        splits = self.ensemble.resistance(alone) - self.ensemble.resistance(np.zeros(len(elements)))
        weights = splits**2 * [element.duty * (1 - element.duty) for element in elements]
        decay = np.array([1 / element.dwell_parallel + 1 / element.dwell_antiparallel for element in elements])
        return float(np.average(self._corner / (self._corner + decay), weights=weights))

    def volts(self, samples: int) -> Array:
        """See :class:`mtjlearn.noise.sources.SimulatedVoltage`."""
        part = max(1, _AT_ONCE // (self._state.size * self._steps))
        parts = [self._volts(min(part, samples - start)) for start in range(0, samples, part)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _volts(self, samples: int) -> Array:
        up, down = self.ensemble.probabilities(self.rate * self._steps)
        states = telegraph(self._generator, self._state, up, down, samples * self._steps)
        self._state = states[..., -1].copy()
        volts = self.readout.volts(self.ensemble.resistance(np.moveaxis(states, -2, -1)))
        if self._corner:
            volts = self._low_pass(volts)[..., self._steps - 1 :: self._steps]
        volts = np.ascontiguousarray(volts.swapaxes(1, 2))
        volts += self.readout.observation * self._generator.standard_normal(volts.shape)
        return volts

    def _low_pass(self, volts: Array) -> Array:
        from scipy.signal import lfilter

        keep = math.exp(-self._corner / (self.rate * self._steps))
        filtered, state = lfilter([1 - keep], [1, -keep], volts, zi=keep * self._filtered[..., None])
        self._filtered = state[..., 0] / keep
        return np.asarray(filtered)

    def read(self, count: int) -> NDArray[np.uint16]:
        """The next ``count`` codes of each replica's first ensemble, shape (replicas, count), as a ring of codes reads them."""
        if count == 0:
            return np.zeros((self.replicas, 0), dtype=np.uint16)
        return self.readout.codes(self.volts(count)[..., 0])
