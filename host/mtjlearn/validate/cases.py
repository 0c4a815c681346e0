"""The configurations that a board is compared with the integer model in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import FRACTION_BITS, Loss, Network, WeightFormat
from mtjlearn.wire.messages import Features

NETWORKS = ((2, 2, 2, 1), (2, 4, 1), (4, 8, 3), (64, 32, 10))
_LEVELS = (34, 45)
"""Codes of the two states: the paper's levels on a 10-bit converter with 1.1 V reference."""


@dataclass(frozen=True)
class Case:
    """A network and what it is trained on.

    Args:
        network: the configuration.
        seed: of samples and noise codes.
        full_scale: inputs and targets over the whole range, so that everything saturates now and then; else standard normal.
    """

    network: Network
    seed: int
    full_scale: bool

    @property
    def name(self) -> str:
        """One line that tells the case from the others."""
        network = self.network
        parts = [
            network.name,
            "danp" if any(network.decorrelate) else "anp",
            network.weight_format.name.lower(),
            network.loss.name.lower().replace("_", "-"),
            "antithetic" if network.antithetic else "plain",
            "normalised" if network.normalised else "unnormalised",
        ]
        return " ".join([*parts, "full-scale"] if self.full_scale else parts)

    @property
    def needs(self) -> Features:
        """What a board's firmware must have."""
        network, needs = self.network, Features(0)
        needs |= Features.DECORRELATION if any(network.decorrelate) else Features(0)
        needs |= Features.CROSS_ENTROPY if network.loss is Loss.CROSS_ENTROPY else Features(0)
        return needs | (Features.INT32_WEIGHTS if network.weight_format is WeightFormat.INT32 else Features(0))

    def samples(self, count: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Inputs (count, inputs) and targets (count, target values) in the device's integers."""
        generator = np.random.default_rng([self.seed, 1])
        network = self.network
        x = self._values(generator, (count, network.sizes[0]))
        if network.loss is Loss.CROSS_ENTROPY:
            return x, generator.integers(0, network.sizes[-1], (count, 1)).astype(np.int16)
        return x, self._values(generator, (count, network.sizes[-1]))

    def codes(self, count: int) -> NDArray[np.uint16]:
        """Noise codes of two levels with a code of observation noise, shape (count,)."""
        generator = np.random.default_rng([self.seed, 2])
        level = np.asarray(_LEVELS)[generator.integers(0, 2, count)]
        codes: NDArray[np.float64] = np.clip(level + np.rint(generator.standard_normal(count)), 0, 1023)
        return codes.astype(np.uint16)

    def _values(self, generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int16]:
        if self.full_scale:
            return generator.integers(-32767, 32768, shape).astype(np.int16)
        values: NDArray[np.float64] = np.clip(np.rint(generator.standard_normal(shape) * 2**FRACTION_BITS), -32767, 32767)
        return values.astype(np.int16)


def cases(seed: int, features: Features) -> list[Case]:
    """All combinations of network, rule, weight format, loss and antithetic pass; step size and range of the samples alternate.

    Args:
        seed: from which each case gets its own.
        features: what the board's firmware can do.
    """
    found = []
    combinations = itertools.product(NETWORKS, (False, True), WeightFormat, Loss, (False, True))
    for number, (sizes, decorrelated, weight_format, loss, antithetic) in enumerate(combinations):
        if loss is Loss.CROSS_ENTROPY and sizes[-1] < 2:
            continue
        network = Network(
            sizes,
            loss=loss,
            weight_format=weight_format,
            antithetic=antithetic,
            normalised=number % 4 != 3,
            decorrelate=(decorrelated,) * (len(sizes) - 1),
            decorrelation_rate=2**-10 if decorrelated else 0.0,
            learning_rate=0.4 / sum(sizes[1:]),
            seed=1 + seed * 1000 + number,
        )
        found.append(Case(network, 1000 * seed + number, full_scale=number % 5 == 4))
    return [case for case in found if case.needs in features]
