"""Turns a dataset into the device's numbers (shared/numerics.md, section 1) for a given network, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.datasets.dataset import Array, Dataset, DatasetError, Values
from mtjlearn.network import FRACTION_BITS, Loss, Network

LIMIT = 32767
"""Largest magnitude of an int16 on the device; in Q3.12 that is 7.9998."""

_Fixed = NDArray[np.int16]
_CHUNK = 4096
"""Samples quantised at once, so that a large set needs little memory besides itself."""


@dataclass(frozen=True)
class ClippingReport:
    """Values beyond the range of Q3.12, which were limited to it.

    Args:
        clipped: how many.
        values: of how many.
        worst: largest magnitude, in standard deviations.
        column: the column it is in.
    """

    clipped: int
    values: int
    worst: float
    column: str

    @property
    def fraction(self) -> float:
        """Share of values clipped, 0 .. 1."""
        return self.clipped / max(self.values, 1)

    def __str__(self) -> str:
        return (
            f"{self.clipped} of {self.values} values ({self.fraction:.2%}) clipped to +-8; "
            f"the largest magnitude is {self.worst:.4g}, in {self.column}"
        )


@dataclass(frozen=True)
class Quantised:
    """A dataset in the device's numbers.

    Args:
        x_train: inputs, Q3.12, shape (samples, inputs).
        t_train: targets, Q3.12, shape (samples, outputs), or classes, shape (samples, 1), for cross-entropy.
        x_test: the same for the test part.
        t_test: the same for the test part.
        inputs: what was clipped of both parts' inputs.
        targets: what was clipped of both parts' targets.
    """

    x_train: _Fixed
    t_train: _Fixed
    x_test: _Fixed
    t_test: _Fixed
    inputs: ClippingReport
    targets: ClippingReport

    def __repr__(self) -> str:
        parts = f"{len(self.x_train):,} samples to learn and {len(self.x_test):,} to test with"
        return (
            f"<Quantised: {self.x_train.shape[1]} inputs, {parts}, {self.inputs.clipped + self.targets.clipped:,} values clipped>"
        )


def default_network_sizes(dataset: Dataset, loss: Loss = Loss.SQUARED) -> tuple[int, ...]:
    """Sizes of a network that suits: two classes take one output, or two with cross-entropy."""
    outputs = _output_choices(dataset, loss)
    return (dataset.inputs, *dataset.hidden, outputs[0])


def quantise(dataset: Dataset, network: Network, *, inputs: bool = True) -> Quantised:
    """Quantises both parts, rounding to nearest.

    Targets for the squared loss: a class is 1 at its output and 0 at the others; two classes on a single output are -1
    and +1, since the device decides by the output's sign; a regression has its standardised targets. For cross-entropy:
    the class number.

    Args:
        dataset: what to quantise.
        network: what it is for.
        inputs: False leaves the inputs out, shape (0, inputs), for who learns from real numbers.

    Raises:
        DatasetError: if the network's inputs, outputs or loss do not fit the data; it names a network that does.
    """
    choices = _output_choices(dataset, network.loss)
    sizes = network.sizes
    if sizes[0] != dataset.inputs or sizes[-1] not in choices:
        outputs = sizes[-1] if sizes[-1] in choices else choices[0]
        fitting = "-".join(str(size) for size in (dataset.inputs, *sizes[1:-1], outputs))
        has = f"{len(dataset.classes)} classes" if dataset.classes is not None else f"{choices[0]} target(s)"
        problem = f"{dataset.name} has {dataset.inputs} inputs and {has}, which {network.name} does not fit"
        raise DatasetError(f"{problem}; use --net {fitting}")
    parts = (dataset.x_train, dataset.x_test) if inputs else (dataset.x_train[:0], dataset.x_test[:0])
    x_train, x_test, clipped = _fix(*parts, dataset.feature_names)
    if network.loss is Loss.CROSS_ENTROPY:
        none_clipped = ClippingReport(0, dataset.y_train.size + dataset.y_test.size, 0.0, dataset.target_names[0])
        t_train, t_test = (part[:, None].astype(np.int16) for part in (dataset.y_train, dataset.y_test))
        return Quantised(x_train, t_train, x_test, t_test, clipped, none_clipped)
    encoded = [_encode(dataset, part, sizes[-1]) for part in (dataset.y_train, dataset.y_test)]
    names = dataset.classes if dataset.classes is not None and sizes[-1] > 1 else dataset.target_names
    t_train, t_test, targets = _fix(encoded[0], encoded[1], names)
    return Quantised(x_train, t_train, x_test, t_test, clipped, targets)


def quantise_values(values: ArrayLike) -> _Fixed:
    """Real numbers in Q3.12, rounded to nearest and limited to the device's range; any shape."""
    rounded = np.rint(np.asarray(values, dtype=np.float64) * 2**FRACTION_BITS)
    limited: _Fixed = np.clip(rounded, -LIMIT, LIMIT).astype(np.int16)
    return limited


def dequantise(values: ArrayLike) -> Array:
    """The real numbers that Q3.12 values stand for, any shape."""
    return np.ldexp(np.asarray(values, dtype=np.float64), -FRACTION_BITS)


def predicted_classes(outputs: ArrayLike) -> NDArray[np.int64]:
    """Class numbers, shape (samples,), from a network's outputs, shape (samples, outputs), in any unit.

    The first largest output, or the sign of a single one, 0 counting as positive: as the device evaluates
    (shared/numerics.md, section 5).
    """
    values = np.asarray(outputs)
    if values.shape[1] == 1:
        return (values[:, 0] >= 0).astype(np.int64)
    return np.asarray(np.argmax(values, axis=1))


def _output_choices(dataset: Dataset, loss: Loss) -> tuple[int, ...]:
    """Numbers of outputs that fit, the usual one first."""
    if dataset.classes is None:
        if loss is Loss.CROSS_ENTROPY:
            raise DatasetError(f"{dataset.name} is a regression; cross-entropy needs classes: use the squared loss")
        return (dataset.y_train.shape[1],)
    if len(dataset.classes) == 2 and loss is Loss.SQUARED:
        return (1, 2)
    return (len(dataset.classes),)


def _encode(dataset: Dataset, targets: NDArray[Any], outputs: int) -> Array:
    if dataset.classes is None:
        return np.asarray(targets, dtype=np.float64)
    if outputs == 1:
        return np.asarray(2.0 * targets[:, None] - 1.0)
    return np.asarray(np.eye(outputs)[targets])


def _fix(train: Values, test: Values, names: tuple[str, ...]) -> tuple[_Fixed, _Fixed, ClippingReport]:
    clipped, worst, column = 0, 0.0, 0
    parts = []
    for part in (train, test):
        fixed = np.empty(part.shape, dtype=np.int16)
        for start in range(0, len(part), _CHUNK):
            values = np.asarray(part[start : start + _CHUNK], dtype=np.float64)
            rounded = np.rint(values * 2**FRACTION_BITS)
            fixed[start : start + _CHUNK] = np.clip(rounded, -LIMIT, LIMIT)
            clipped += int(np.count_nonzero(np.abs(rounded) > LIMIT))
            at = np.unravel_index(int(np.argmax(np.abs(values))), values.shape)
            if abs(values[at]) > worst:
                worst, column = float(abs(values[at])), int(at[1])
        parts.append(fixed)
    return parts[0], parts[1], ClippingReport(clipped, train.size + test.size, worst, names[column])
