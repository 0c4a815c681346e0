"""What is measured: networks, samples and noise codes, the same to the last bit on every machine and in every version of NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import FRACTION_BITS, Loss, Network, WeightFormat

STEP_SIZES = ((2, 2, 2, 1), (2, 3, 1), (2, 4, 1), (4, 8, 3), (16, 16, 10), (64, 32, 10))
"""Networks whose training steps are measured: int16 weights, stochastic rounding, squared error."""
VARIANT_SIZES = ((2, 3, 1), (4, 8, 3))
"""Networks that are measured with int32 weights and with decorrelation besides."""
STREAM_SIZES = (4, 8, 3)
"""Network whose samples are streamed: iris."""
STEPS = 1000
SEED = 1
TASK = (
    "teacher-student: inputs uniform in -1 .. 1, targets of a network of the same sizes from another seed, 256 samples in turn; "
    "eta N = 0.2, normalised steps; injected codes of two levels, 116 fresh ones every 40 steps"
)
"""What the networks learn while they are measured."""

SAMPLES = 256
_FACTOR = 0.2
_DECORRELATION_RATE = 2.0**-10
_LEVELS = (34, 45)
"""Codes of the two states: the paper's levels on a 10-bit converter with 1.1 V reference."""
_TEACHER_SEED = 1001

Samples = tuple[NDArray[np.int16], NDArray[np.int16]]


@dataclass(frozen=True)
class Workload:
    """One network and what it is fed.

    Args:
        network: the configuration.
        seed: of samples and noise codes.
    """

    network: Network
    seed: int = SEED

    @property
    def name(self) -> str:
        """The sizes, then what differs from int16 ANP."""
        network = self.network
        parts = ["int32"] * (network.weight_format is WeightFormat.INT32) + ["danp"] * any(network.decorrelate)
        return " ".join([network.name, *parts])

    def samples(self, count: int = SAMPLES) -> Samples:
        """Inputs, shape (count, inputs), and targets, shape (count, outputs), or (count, 1) classes; Q3.12."""
        network = self.network
        x = _uniform(self.seed, 1, (count, network.sizes[0]))
        # The targets come from the integer network, so that no float's last bit matters.
        teacher = FixedNetwork(Network(network.sizes, seed=_TEACHER_SEED + self.seed))
        y = np.stack([teacher.predict(row)[0] for row in x])
        if network.loss is Loss.CROSS_ENTROPY:
            return x, y.argmax(axis=1).astype(np.int16)[:, np.newaxis]
        return x, y.astype(np.int16)

    def codes(self, count: int) -> NDArray[np.uint16]:
        """Noise codes of two levels with a code of observation noise, shape (count,)."""
        raw = np.random.PCG64([self.seed, 2]).random_raw(count)
        levels: NDArray[np.uint16] = np.asarray(_LEVELS)[(raw >> np.uint64(63)).astype(np.int64)].astype(np.uint16)
        return (levels + (raw >> np.uint64(32)) % np.uint64(3) - np.uint64(1)).astype(np.uint16)


def workload(
    sizes: tuple[int, ...],
    *,
    weight_format: WeightFormat = WeightFormat.INT16,
    decorrelated: bool = False,
    loss: Loss = Loss.SQUARED,
) -> Workload:
    """The workload of a network of these sizes."""
    return Workload(
        Network(
            sizes,
            loss=loss,
            weight_format=weight_format,
            learning_rate=_FACTOR / sum(sizes[1:]),
            decorrelate=(decorrelated,) * (len(sizes) - 1),
            decorrelation_rate=_DECORRELATION_RATE if decorrelated else 0.0,
            seed=SEED,
        )
    )


def _uniform(seed: int, stream: int, shape: tuple[int, int]) -> NDArray[np.int16]:
    """Q3.12 values in -1 .. 1. NumPy promises the raw output of a bit generator, not what Generator makes of it."""
    raw = np.random.PCG64([seed, stream]).random_raw(shape[0] * shape[1])
    span = 2 * 2**FRACTION_BITS + 1
    return ((raw >> np.uint64(32)) % np.uint64(span)).astype(np.int64).reshape(shape).astype(np.int16) - np.int16(2**FRACTION_BITS)
