"""The least that a training step can cost on a chip, counted from its operations (shared/numerics.md, sections 2 to 7).

Counted are arithmetic and memory traffic, each in the shortest sequence known for the chip. Not counted are loops, calls,
addresses (but for the noise ring's), registers that have to be saved and branches taken. So no program reaches the limit, and
none gets below it without another sequence for one of the operations. docs/benchmarks.md explains every number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mtjlearn.network import Loss, Network, WeightFormat


@dataclass(frozen=True)
class Costs:
    """What the operations of a step cost on a chip, in cycles or instructions.

    Args:
        load: an int16 from memory into registers.
        store: an int16 into memory.
        register_inputs: inputs of a layer that stay in registers from unit to unit.
        multiply_add: a product of two int16 onto a sum of more than 32 bits.
        square_add: a square of an int16 onto such a sum.
        finish: of a unit: bias, rounding by 12 bits and saturation of the sum.
        random: a step's word of the generator, its state loaded and stored, and what it is split into.
        draw: one noise value: its position in the ring, its code, centred, scaled, rounded.
        add_noise: onto a pre-activation, saturated.
        rectify: the leaky ReLU of one value.
        difference: of a unit's two activities, saturated, and whether it is the layer's largest.
        error: of an output: its target taken off, saturated.
        factor: the global factor from both losses and the norm: two bit lengths, two mantissas, one division, one product.
        block: of a layer: the step size's and the differences' bit lengths, the shift of the coefficients.
        coefficient: of a unit: product, dither, shift.
        update: of a weight: product, dither, rounding, sum, saturation; without its load and store.
        update_bias: the same with the constant input 1.
        count: steps and losses.
    """

    load: float
    store: float
    register_inputs: int
    multiply_add: float
    square_add: float
    finish: float
    random: float
    draw: float
    add_noise: float
    rectify: float
    difference: float
    error: float
    factor: float
    block: float
    coefficient: float
    update: float
    update_bias: float
    count: float


ATMEGA328P = Costs(
    load=4,
    store=4,
    register_inputs=4,
    multiply_add=20,
    square_add=15,
    finish=16,
    random=63,
    draw=37,
    add_noise=3,
    rectify=2,
    difference=7,
    error=3,
    factor=177,
    block=16,
    coefficient=31,
    update=26,
    update_bias=14,
    count=49,
)
"""Cycles of an AVR with hardware multiplication."""

CORTEX_M4 = Costs(
    load=0.25,
    store=0.25,
    register_inputs=8,
    multiply_add=0.5,
    square_add=0.5,
    finish=6,
    random=11,
    draw=7,
    add_noise=1,
    rectify=2,
    difference=1,
    error=0.5,
    factor=21,
    block=10,
    coefficient=5,
    update=3.5,
    update_bias=4,
    count=8,
)
"""Instructions of ARMv7E-M with its DSP extension."""

CORTEX_M0 = Costs(
    load=1,
    store=1,
    register_inputs=0,
    multiply_add=2,
    square_add=2,
    finish=5,
    random=18,
    draw=9,
    add_noise=2,
    rectify=2,
    difference=4,
    error=2,
    factor=92,
    block=34,
    coefficient=6,
    update=8,
    update_bias=8,
    count=9,
)
"""Instructions of ARMv6-M, that is of Cortex-M0 and Cortex-M0+."""

COSTS = {"uno": ATMEGA328P, "mps2": CORTEX_M4, "microbit": CORTEX_M0}
"""By the image for the chip (mtjlearn.firmware.build_firmware)."""


@dataclass(frozen=True)
class Limit:
    """The least that a step costs, by phase (mtjlearn.bench.phases.PHASES)."""

    draw: float
    forward: float
    normalise: float
    update: float

    @property
    def step(self) -> int:
        """Of the whole step, rounded up."""
        return math.ceil(self.draw + self.forward + self.normalise + self.update)


def step_limit(network: Network, costs: Costs) -> Limit | None:
    """Counts the operations of one training step that is not skipped.

    Args:
        network: sizes, normalised or not.
        costs: of the chip's operations.

    Returns:
        The limit, or None for networks that the count does not cover: int32 weights, decorrelation, cross-entropy.
    """
    if network.weight_format is not WeightFormat.INT16 or any(network.decorrelate) or network.loss is not Loss.SQUARED:
        return None
    draws = network.units if network.antithetic else 2 * network.units
    pairs = list(zip(network.sizes, network.sizes[1:], strict=False))
    outputs = network.sizes[-1]
    hidden = network.units - outputs
    forward = costs.random + costs.count
    forward += sum(_products(costs, inputs, units, passes=1 if layer == 0 else 2) for layer, (inputs, units) in enumerate(pairs))
    forward += 2 * network.units * costs.add_noise + hidden * (2 * costs.rectify + costs.store)
    forward += network.units * (costs.difference + costs.square_add + costs.store)
    forward += outputs * (costs.load + 2 * (costs.error + costs.square_add))
    update = sum(_update(costs, inputs, units, normalised=network.normalised) for inputs, units in pairs)
    return Limit(draw=draws * costs.draw, forward=forward, normalise=costs.factor, update=update)


def _products(costs: Costs, inputs: int, units: int, passes: int) -> float:
    """A layer's sums: one pass after the other, or both together with each weight loaded once; whichever is cheaper."""

    def traffic(at_once: int) -> float:
        resident = at_once * inputs <= costs.register_inputs
        per_turn = units * (inputs + 1) + at_once * inputs * (1 if resident else units)
        return passes / at_once * per_turn * costs.load

    sums = passes * units * (inputs * costs.multiply_add + costs.finish)
    return sums + min(traffic(1), traffic(passes))


def _update(costs: Costs, inputs: int, units: int, *, normalised: bool) -> float:
    """A layer's update: its inputs are loaded once for the norm, and again for each unit unless they stay in registers."""
    resident = inputs <= costs.register_inputs
    loads = inputs if resident else inputs * (units + normalised)
    norm = inputs * costs.square_add if normalised else 0.0
    row = inputs * costs.update + costs.update_bias + (inputs + 1) * (costs.load + costs.store)
    return costs.block + norm + loads * costs.load + units * (costs.load + costs.coefficient + row)
