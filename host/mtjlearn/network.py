"""What a network is: sizes, loss, number formats, learning rule options and rates, as the device is configured with them.

Shared by the integer model, the in-process C learner, the float reference and the board client, so that one object describes
the same network to all of them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from mtjlearn.errors import UserError

FRACTION_BITS = 12
"""Fraction bits of activations, inputs, targets, noise and int16 weights (Q3.12)."""
WEIGHT32_BITS = 28
"""Fraction bits of int32 weights (Q3.28)."""
MATRIX_BITS = 14
"""Fraction bits of decorrelation matrices (Q1.14)."""
LOSS_BITS = 24
"""Fraction bits of losses (Q7.24)."""
RATE_BITS = 28
"""Fraction bits of learning rates (Q4.28)."""
NOISE_BUFFER = 200
"""ADC codes in the device's noise buffer."""
MAX_LAYERS = 8
MAX_WIDTH = 1024

RuleName = Literal["bp", "np", "anp", "danp"]
RULES: tuple[RuleName, ...] = ("bp", "np", "anp", "danp")
"""Learning rules of the float reference."""
BOARD_RULES: tuple[RuleName, ...] = ("anp", "danp")
"""Learning rules of boards."""


class Loss(enum.IntEnum):
    """Loss function; the values are those of the wire."""

    SQUARED = 0
    CROSS_ENTROPY = 1


class WeightFormat(enum.IntEnum):
    """Storage of weights: int16 Q3.12 or int32 Q3.28."""

    INT16 = 0
    INT32 = 1


class Rounding(enum.IntEnum):
    """Rounding of weight updates."""

    NEAREST = 0
    STOCHASTIC = 1


class NetworkError(UserError, ValueError):
    """A network description that no board can accept; the text says what to change."""


@dataclass(frozen=True)
class Network:
    """A fully connected network and how it learns (shared/numerics.md).

    Args:
        sizes: inputs, then units of each layer, e.g. ``(4, 8, 3)``.
        loss: squared error, or softmax cross-entropy (targets are then classes).
        weight_format: int16 or int32 storage.
        rounding: of the weight updates; None uses stochastic for int16 and nearest for int32.
        normalised: divide each layer's step by 1 + ||x||^2, rounded up to a power of two.
        antithetic: the second pass uses the noise of the first, negated.
        decorrelate: one flag per layer, whether its input is decorrelated (DANP); empty means none.
        learning_rate: eta of eq. 4; 0 <= eta < 16, resolution 2^-28.
        decorrelation_rate: eps of the R update; 2^-21 .. 2^-6 when a layer decorrelates.
        sigma: standard deviation of a node's noise; 2^-8 .. 0.9998, resolution 2^-12.
        noise_std: standard deviation of the source in ADC codes, below 256; 0 lets the device measure it.
        seed: first state of the random generator, 1 .. 2^32 - 1.

    Raises:
        NetworkError: naming the value that is out of range.
    """

    sizes: tuple[int, ...]
    loss: Loss = Loss.SQUARED
    weight_format: WeightFormat = WeightFormat.INT16
    rounding: Rounding | None = None
    normalised: bool = True
    antithetic: bool = False
    decorrelate: tuple[bool, ...] = ()
    learning_rate: float = 0.01
    decorrelation_rate: float = 0.0
    sigma: float = 1 / 32
    noise_std: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 2 <= len(self.sizes) <= MAX_LAYERS + 1:
            raise NetworkError(f"a network has 1 to {MAX_LAYERS} layers; {self.name} has {len(self.sizes) - 1}")
        if not all(1 <= size <= MAX_WIDTH for size in self.sizes):
            raise NetworkError(f"every layer of {self.name} must have 1 to {MAX_WIDTH} units")
        if self.loss is Loss.CROSS_ENTROPY and self.sizes[-1] < 2:
            raise NetworkError("cross-entropy needs at least two outputs; use the squared loss for one output")
        limit = NOISE_BUFFER if self.antithetic else NOISE_BUFFER // 2
        if self.units > limit:
            raise NetworkError(
                f"{self.name} has {self.units} units; a step draws its noise from {NOISE_BUFFER} codes, "
                f"which serve {limit} units{'' if self.antithetic else ' (200 with --antithetic)'}"
            )
        if self.rounding is None:
            default = Rounding.STOCHASTIC if self.weight_format is WeightFormat.INT16 else Rounding.NEAREST
            object.__setattr__(self, "rounding", default)
        if not self.decorrelate:
            object.__setattr__(self, "decorrelate", (False,) * self.layers)
        if len(self.decorrelate) != self.layers:
            raise NetworkError(f"decorrelate needs one flag for each of the {self.layers} layers")
        if not 0 <= self.learning_rate_q < 2**32:
            raise NetworkError(f"learning rate {self.learning_rate} is outside 0 .. 16")
        if not 0 <= self.decorrelation_rate_q < 2**32:
            raise NetworkError(f"decorrelation rate {self.decorrelation_rate} is outside 0 .. 16")
        if any(self.decorrelate) and not 128 <= self.decorrelation_rate_q <= 4194304:
            raise NetworkError(f"decorrelation rate {self.decorrelation_rate} is outside 2^-21 .. 2^-6 (0.0156)")
        if not 16 <= self.sigma_q <= 4095:
            raise NetworkError(f"sigma {self.sigma} is outside 0.0039 .. 0.9998")
        if not 0 <= self.noise_std_q <= 65535:
            raise NetworkError(f"noise_std {self.noise_std} is outside 0 .. 255.99 codes")
        if not 1 <= self.seed < 2**32:
            raise NetworkError(f"seed {self.seed} is outside 1 .. 4294967295")

    @property
    def name(self) -> str:
        """The sizes as one writes them, e.g. ``4-8-3``."""
        return "-".join(str(size) for size in self.sizes)

    @property
    def layers(self) -> int:
        """Number of layers L."""
        return len(self.sizes) - 1

    @property
    def units(self) -> int:
        """Number of units in all layers, N of eq. 4."""
        return sum(self.sizes[1:])

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((fan_in + 1) * units for fan_in, units in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def target_count(self) -> int:
        """Values in a sample's target: the outputs, or 1 (the class)."""
        return 1 if self.loss is Loss.CROSS_ENTROPY else self.sizes[-1]

    @property
    def learning_rate_q(self) -> int:
        """Learning rate in Q4.28, rounded to nearest."""
        return round(self.learning_rate * 2.0**RATE_BITS)

    @property
    def decorrelation_rate_q(self) -> int:
        """Decorrelation rate in Q4.28, rounded to nearest."""
        return round(self.decorrelation_rate * 2.0**RATE_BITS)

    @property
    def sigma_q(self) -> int:
        """Sigma in Q4.12, rounded to nearest."""
        return round(self.sigma * 2.0**FRACTION_BITS)

    @property
    def noise_std_q(self) -> int:
        """Standard deviation of the source in Q8.8 codes."""
        return round(self.noise_std * 256)


def parse_sizes(text: str) -> tuple[int, ...]:
    """Reads sizes such as ``4-8-3``.

    Raises:
        NetworkError: if the text is not numbers joined by dashes.
    """
    try:
        return tuple(int(part) for part in text.split("-"))
    except ValueError:
        raise NetworkError(f"{text!r} is not a network; write inputs and units joined by dashes, e.g. 4-8-3") from None
