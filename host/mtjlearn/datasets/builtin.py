"""Built-in datasets: teacher-student and XOR, computed; the small classics that scikit-learn carries with it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.dataset import Array, DatasetError, Table

TEACHER_SAMPLES = 1250
"""Samples of the teacher: 1000 to learn from with the usual 20 % split."""
XOR_REPEATS = 25
"""How often XOR's four patterns appear in an epoch, so that an epoch is worth reporting."""

_LEAK = 1 / 128
_MIN_VARIANCE = 0.1
_MAX_DEVIATIONS = 7.5
_CLASSICS = {"iris": (8,), "wine": (8,), "breast-cancer": (8,), "digits": (32,)}

BUILTIN = ("teacher", "xor", *_CLASSICS)
"""Names that :func:`mtjlearn.datasets.load` knows."""


def table(name: str, seed: int, teacher_sizes: tuple[int, ...]) -> Table:
    """The built-in dataset of this name; the seed matters to the teacher only."""
    if name == "teacher":
        return teacher(seed, teacher_sizes)
    return xor() if name == "xor" else _classic(name)


def teacher(seed: int, sizes: tuple[int, ...]) -> Table:
    """Standard normal inputs and what a random network of ``sizes`` makes of them (section III D).

    Weights and biases are uniform with variance 1 / fan-in, hidden units leaky ReLU with the device's slope: a student
    of the same sizes can match it exactly. A teacher is drawn again if one of its outputs has a variance below 0.1, as
    the student would have only an output bias to learn, or a value more than 7.5 deviations from the mean, which the
    device's targets cannot hold.

    Raises:
        DatasetError: if the sizes are not a network.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise DatasetError("a teacher needs inputs and at least one layer, e.g. 2-2-2-1")
    generator = np.random.default_rng([seed, 0x7EAC])
    inputs = generator.standard_normal((TEACHER_SAMPLES, sizes[0]))
    outputs = _teach(generator, sizes, inputs)
    while not _learnable(outputs):
        outputs = _teach(generator, sizes, inputs)
    return Table("teacher", inputs, _numbered("x", sizes[0]), outputs, _numbered("y", sizes[-1]), sizes[1:-1])


def _learnable(outputs: Array) -> bool:
    distance = np.abs(outputs - outputs.mean(axis=0)).max(axis=0)
    return bool(outputs.var(axis=0).min() >= _MIN_VARIANCE and np.all(distance <= _MAX_DEVIATIONS * outputs.std(axis=0)))


def xor() -> Table:
    """The four patterns of exclusive or."""
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Table("xor", inputs, ("a", "b"), np.array([[0.0], [1.0], [1.0], [0.0]]), ("a xor b",), (4,))


def _teach(generator: np.random.Generator, sizes: tuple[int, ...], inputs: Array) -> Array:
    values = inputs
    for layer, (fan_in, units) in enumerate(itertools.pairwise(sizes), 2):
        limit = np.sqrt(3 / fan_in)
        weights = generator.uniform(-limit, limit, (fan_in, units))
        values = values @ weights + generator.uniform(-limit, limit, units)
        if layer < len(sizes):
            values = np.where(values >= 0, values, values * _LEAK)
    return values


def _classic(name: str) -> Table:
    from sklearn import datasets  # takes a second to import, which the other sources need not pay

    source: Any = getattr(datasets, f"load_{name.replace('-', '_')}")()
    classes: NDArray[np.str_] = np.asarray(source.target_names, dtype=np.str_)
    return Table(
        name,
        np.asarray(source.data, dtype=np.float64),
        tuple(str(feature) for feature in source.feature_names),
        classes[source.target],
        ("class",),
        _CLASSICS[name],
    )


def _numbered(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number + 1}" for number in range(count))
