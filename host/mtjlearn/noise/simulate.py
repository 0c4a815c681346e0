"""Simulated recordings, in parts that memory can hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mtjlearn.noise.recording import Recording
from mtjlearn.noise.sources import Array, SimulatedVoltage

PART = 2**18
"""Samples that are simulated at once."""


def simulated_parts(source: SimulatedVoltage, samples: int) -> Iterator[Array]:
    """Voltages of a source's first chain, V, each part of shape (samples,).

    Args:
        source: :class:`SimulatedSmtj` or :class:`SimulatedCircuit`; it advances.
        samples: of all parts together.
    """
    for start in range(0, samples, PART):
        yield source.volts(min(PART, samples - start))[0, :, 0]


def simulated_recording(source: SimulatedVoltage, samples: int, rate: float) -> Recording:
    """A recording of a source's first chain, in volts.

    Args:
        source: :class:`SimulatedSmtj` or :class:`SimulatedCircuit`; it advances.
        samples: how long, at least 1.
        rate: samples per second, which the recording states.
    """
    return Recording(np.concatenate(list(simulated_parts(source, samples))), rate=rate)
