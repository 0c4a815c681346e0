"""What a network is: sizes, loss, number formats, learning rule options and rates, for a device or for the float reference.

Shared by the integer model, the in-process C learner, the float reference and the board client, so that one object describes
the same network to all of them. The description itself has no limits; :func:`check_device` checks those of a device, wherever
a network is meant for one.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

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
"""Layers of a device's network."""
MAX_WIDTH = 1024
"""Inputs of a device's network, and units of a layer."""

RuleName = Literal["bp", "np", "anp", "danp", "anp-exact", "feedback"]
RULES: tuple[RuleName, ...] = ("bp", "np", "anp", "danp", "anp-exact", "feedback")
"""Learning rules of the float reference."""
BOARD_RULES: tuple[RuleName, ...] = ("anp", "danp", "anp-exact", "feedback")
"""Learning rules of boards. An image may lack some of them; its features say which."""
BOARD_RULES_TEXT = f"{', '.join(BOARD_RULES[:-1])} and {BOARD_RULES[-1]}"
DeviceRule = Literal["anp", "anp-exact", "feedback"]
DEVICE_RULES: tuple[DeviceRule, ...] = ("anp", "anp-exact", "feedback")
"""What a network's ``rule`` can be (shared/numerics.md); a rule's place is its number on the wire. Decorrelation goes with each."""
DEFAULT_SLOPES: dict[DeviceRule, int] = {"anp": 7, "anp-exact": 3, "feedback": 3}
"""The slope of each rule's leaky ReLU, as the exponent s of 2^-s."""
MAX_SLOPE = 12
"""Largest s on a device."""


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
    """A network that cannot be, or that no device can learn; the text says what to change."""


EXACT_RATES: Mapping[RuleName, Mapping[Loss, float]] = {
    "anp-exact": {Loss.CROSS_ENTROPY: 1.0, Loss.SQUARED: 0.3},
    "feedback": {Loss.CROSS_ENTROPY: 2.0, Loss.SQUARED: 0.4},
}
"""Learning rates of the rules whose output layer learns from its error, which do not depend on the number of units."""


@dataclass(frozen=True)
class Network:
    """A fully connected network and how it learns (shared/numerics.md).

    The float reference trains any network. A device has limits, which are given in brackets; :meth:`for_device` checks them.

    Args:
        sizes: inputs, then units of each layer, e.g. ``(4, 8, 3)`` [at most 8 layers; 1,024 inputs or units in a layer; 100 units
            in all, 200 with antithetic passes].
        loss: squared error, or softmax cross-entropy (targets are then classes).
        weight_format: int16 or int32 storage, on a device.
        rounding: of the weight updates on a device; None uses stochastic for int16 and nearest for int32.
        normalised: divide each layer's step by 1 + ||x||^2, rounded up to a power of two.
        antithetic: the second pass uses the noise of the first, negated.
        decorrelate: one flag per layer, whether its input is decorrelated (DANP); empty means none.
        rule: "anp" (eq. 4), "anp-exact" or "feedback".
        slope: s of the hidden units' leaky ReLU, whose slope is 2^-s, 1 or more [at most 12]; None uses 7 with "anp", else 3.
        learning_rate: eta of eq. 4, not negative [below 16, resolution 2^-28].
        decorrelation_rate: eps of the R update, not negative [2^-21 .. 2^-6 when a layer decorrelates].
        sigma: standard deviation of a node's noise, not negative [2^-8 .. 0.9998, resolution 2^-12].
        noise_std: standard deviation of the source in ADC codes; 0 lets the device measure it [below 256].
        seed: first state of the random generator, not negative [1 .. 2^32 - 1].

    Raises:
        NetworkError: naming the value that makes no sense.
    """

    sizes: tuple[int, ...]
    loss: Loss = Loss.SQUARED
    weight_format: WeightFormat = WeightFormat.INT16
    rounding: Rounding | None = None
    normalised: bool = True
    antithetic: bool = False
    decorrelate: tuple[bool, ...] = ()
    rule: DeviceRule = "anp"
    slope: int | None = None
    learning_rate: float = 0.01
    decorrelation_rate: float = 0.0
    sigma: float = 1 / 32
    noise_std: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if len(self.sizes) < 2:
            raise NetworkError(f"a network has inputs and at least one layer, e.g. 4-8-3; {self.name or 'nothing'} has no layer")
        if min(self.sizes) < 1:
            raise NetworkError(f"every layer of {self.name} must have at least 1 unit")
        if self.loss is Loss.CROSS_ENTROPY and self.sizes[-1] < 2:
            raise NetworkError("cross-entropy needs at least two outputs; use the squared loss for one output")
        if self.rounding is None:
            default = Rounding.STOCHASTIC if self.weight_format is WeightFormat.INT16 else Rounding.NEAREST
            object.__setattr__(self, "rounding", default)
        if self.rule not in DEVICE_RULES:
            raise NetworkError(f"a network's rule is {', '.join(DEVICE_RULES[:-1])} or {DEVICE_RULES[-1]}, not {self.rule}")
        if self.slope is None:
            object.__setattr__(self, "slope", DEFAULT_SLOPES[self.rule])
        if self.shift < 1:
            raise NetworkError(f"slope {self.slope} is the exponent s of a slope 2^-s: use 1 or more, e.g. 3 for 1/8")
        if not self.decorrelate:
            object.__setattr__(self, "decorrelate", (False,) * self.layers)
        if len(self.decorrelate) != self.layers:
            raise NetworkError(f"decorrelate needs one flag for each of the {self.layers} layers")
        for name in ("learning_rate", "decorrelation_rate", "sigma", "noise_std", "seed"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise NetworkError(f"{name.replace('_', ' ')} {value} is not a number of 0 or more")

    def for_device(self) -> Self:
        """This network, if a device can learn it.

        Raises:
            NetworkError: as :func:`check_device`.
        """
        check_device(self)
        return self

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
    def noisy_units(self) -> int:
        """Units with noise in a training step: all with "anp", else the hidden ones, N_h."""
        return self.units if self.rule == "anp" else self.units - self.sizes[-1]

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((fan_in + 1) * units for fan_in, units in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def target_count(self) -> int:
        """Values in a sample's target: the outputs, or 1 (the class)."""
        return 1 if self.loss is Loss.CROSS_ENTROPY else self.sizes[-1]

    @property
    def rule_code(self) -> int:
        """The rule's number on the wire."""
        return DEVICE_RULES.index(self.rule)

    @property
    def shift(self) -> int:
        """The slope's exponent s: hidden units have the slope 2^-s below 0."""
        assert self.slope is not None
        return self.slope

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


def check_device(network: Network) -> None:
    """Checks the limits of a device, which the integer model and the in-process learner share (shared/numerics.md).

    Whether the network fits into a board's memory is not among them: the board says so when it is configured.

    Raises:
        NetworkError: naming the limit, and what to change.
    """
    name = network.name
    if network.layers > MAX_LAYERS:
        raise NetworkError(f"{name} has {network.layers} layers, and a device learns at most {MAX_LAYERS}: use fewer layers")
    if max(network.sizes) > MAX_WIDTH:
        raise NetworkError(
            f"{name} has {max(network.sizes)} inputs or units in a layer, and a device has at most {MAX_WIDTH}: use fewer"
        )
    antithetic = network.antithetic or network.rule == "feedback"
    limit = NOISE_BUFFER if antithetic else NOISE_BUFFER // 2
    if network.noisy_units > limit:
        more = "" if antithetic else f" ({NOISE_BUFFER} with --antithetic)"
        hidden = "" if network.rule == "anp" else "hidden "
        raise NetworkError(
            f"{name} has {network.noisy_units} {hidden}units; a device's step draws its noise from {NOISE_BUFFER} codes, "
            f"which serve {limit} units{more}: use fewer units"
        )
    if network.shift > MAX_SLOPE:
        raise NetworkError(f"slope {network.slope} is beyond a device's 2^-{MAX_SLOPE}: use {MAX_SLOPE} or less")
    if network.units > NOISE_BUFFER:
        raise NetworkError(f"{name} has {network.units} units, and a device has at most {NOISE_BUFFER}: use fewer units")
    if network.learning_rate >= 16 or network.learning_rate_q >= 2**32:
        raise NetworkError(f"learning rate {network.learning_rate} is outside a device's 0 .. 16: use a smaller one")
    if network.decorrelation_rate >= 16 or network.decorrelation_rate_q >= 2**32:
        raise NetworkError(f"decorrelation rate {network.decorrelation_rate} is outside a device's 0 .. 16: use a smaller one")
    if any(network.decorrelate) and not 128 <= network.decorrelation_rate_q <= 4194304:
        raise NetworkError(
            f"decorrelation rate {network.decorrelation_rate} is outside a device's 2^-21 .. 2^-6 (0.0156): "
            "use one in between, or do not decorrelate"
        )
    if network.sigma > 1 or not 16 <= network.sigma_q <= 4095:
        raise NetworkError(f"sigma {network.sigma} is outside a device's 0.0039 .. 0.9998: use one in between")
    if network.noise_std > 256 or network.noise_std_q > 65535:
        raise NetworkError(
            f"noise_std {network.noise_std} is outside a device's 0 .. 255.99 codes: amplify less, or use 0, which measures it"
        )
    if not 1 <= network.seed < 2**32:
        raise NetworkError(f"seed {network.seed} is outside a device's 1 .. 4294967295: use another seed")


def device_rule(rule: RuleName) -> DeviceRule:
    """A network's ``rule`` for that of a training: danp is anp with decorrelated inputs; a device has neither bp nor np."""
    return next((known for known in DEVICE_RULES if known == rule), "anp")


def slope_exponent(slope: float) -> int:
    """The s of a slope 2^-s, which a :class:`Network` has.

    Raises:
        NetworkError: the slope is not 1/2, 1/4, ... 1/4096.
    """
    for exponent in range(1, MAX_SLOPE + 1):
        if slope == 2.0**-exponent:
            return exponent
    raise NetworkError(f"a slope of {slope} is not possible; it is a power of two from 1/2 to 1/{2**MAX_SLOPE}, such as 1/8")


def parse_sizes(text: str) -> tuple[int, ...]:
    """Reads sizes such as ``4-8-3``.

    Raises:
        NetworkError: if the text is not numbers joined by dashes.
    """
    try:
        return tuple(int(part) for part in text.split("-"))
    except ValueError:
        raise NetworkError(f"{text!r} is not a network; write inputs and units joined by dashes, e.g. 4-8-3") from None
