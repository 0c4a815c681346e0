"""The configurations that a board is compared with the integer model in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import DEFAULT_SLOPES, EXACT_RATES, FRACTION_BITS, DeviceRule, Loss, Network, WeightFormat
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
            ("danp" if any(network.decorrelate) else "anp") if network.rule == "anp" else network.rule,
            network.weight_format.name.lower(),
            network.loss.name.lower().replace("_", "-"),
            "antithetic" if network.antithetic else "plain",
            "normalised" if network.normalised else "unnormalised",
        ]
        if network.rule != "anp":
            parts += ["decorrelated"] * any(network.decorrelate) + [f"slope 1/{2**network.shift}"]
        return " ".join([*parts, "full-scale"] if self.full_scale else parts)

    @property
    def needs(self) -> Features:
        """What a board's firmware must have."""
        network, needs = self.network, Features(0)
        needs |= Features.DECORRELATION if any(network.decorrelate) else Features(0)
        needs |= Features.CROSS_ENTROPY if network.loss is Loss.CROSS_ENTROPY else Features(0)
        needs |= Features.FEEDBACK if network.rule == "feedback" else Features(0)
        needs |= Features.ANP_EXACT if network.rule == "anp-exact" or network.shift != DEFAULT_SLOPES["anp"] else Features(0)
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
    """All combinations of network, anp or danp, weight format, loss and antithetic pass; step size and range of the samples
    alternate. Then the other rules.

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
    found += _other_rules(1000 * seed + 500)
    return [case for case in found if case.needs in features]


def _other_rules(first: int) -> list[Case]:
    """Those of anp-exact and feedback: all networks and losses; the other options alternate."""
    found = []
    rules: tuple[DeviceRule, ...] = ("anp-exact", "feedback")
    combinations = itertools.product(rules, Loss, ((4, 3), *NETWORKS))
    for number, (rule, loss, sizes) in enumerate(combinations):
        if loss is Loss.CROSS_ENTROPY and sizes[-1] < 2:
            continue
        decorrelated = number % 3 == 2
        network = Network(
            sizes,
            loss=loss,
            weight_format=WeightFormat(number % 2),
            antithetic=number % 4 < 2,
            normalised=number % 5 != 4,
            decorrelate=(decorrelated,) * (len(sizes) - 1),
            decorrelation_rate=2**-10 if decorrelated else 0.0,
            learning_rate=EXACT_RATES[rule][loss] / 4,
            seed=1 + first + number,
            rule=rule,
            slope=(None, 7, 1, 12)[number % 4],
        )
        found.append(Case(network, first + number, full_scale=number % 6 == 5))
    return found
