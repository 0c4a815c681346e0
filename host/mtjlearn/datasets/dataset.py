"""What a dataset is: a training and a test part, standardised, with everything needed to undo that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import UserError

Array = NDArray[np.float64]
Values = NDArray[np.float64] | NDArray[np.float32]
Task = Literal["classification", "regression"]
Scale = Literal["column", "global", "none", "floor"]
SCALES: tuple[Scale, ...] = get_args(Scale)
"""How inputs are scaled: each column by its own mean and deviation, all by one (images: one for each colour), or not at all; of
images also each pixel by its own mean and deviation, but at least :data:`FLOOR`."""
FLOOR = 0.1
"""Least deviation of a pixel with the scale ``floor``, of full scale: a pixel that hardly changes has not much to say."""


class DatasetError(UserError, ValueError):
    """Data that cannot be used; the text is one line that says where the trouble is and what to do."""


@dataclass(frozen=True)
class Scaling:
    """Standardisation of columns: ``z = (x - mean) / std``.

    Args:
        mean: mean of each column, shape (columns,), in its own unit.
        std: standard deviation of each column, shape (columns,); 0 marks a constant column, whose z is always 0.
    """

    mean: Array
    std: Array

    @classmethod
    def fit(cls, values: Array, scale: Scale = "column") -> Scaling:
        """Mean and (population) standard deviation of values of shape (samples, columns), as ``scale`` says."""
        if scale == "none":
            return cls(np.zeros(values.shape[1]), np.ones(values.shape[1]))
        if scale == "global":
            one = cls.fit(values.reshape(-1, 1))
            return cls(np.repeat(one.mean, values.shape[1]), np.repeat(one.std, values.shape[1]))
        constant = values.min(axis=0) == values.max(axis=0)
        mean = np.where(constant, values[0], values.mean(axis=0))
        # Scaled to 1 first: squares of very small numbers would all be 0.
        largest = np.abs(values).max(axis=0)
        std = largest * (values / np.where(constant, 1.0, largest)).std(axis=0)
        return cls(mean, np.where(constant, 0.0, std))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which columns are constant, shape (columns,)."""
        return np.asarray(self.std == 0)

    def apply(self, values: Array) -> Array:
        """Standardises values of shape (samples, columns)."""
        with np.errstate(over="ignore"):
            scaled = (values - self.mean) / np.where(self.constant, 1.0, self.std)
        return np.where(self.constant, 0.0, scaled)

    def invert(self, scaled: Array) -> Array:
        """Undoes :meth:`apply`, shape (samples, columns); a constant column comes back as its mean."""
        return np.asarray(self.mean + scaled * self.std)


@dataclass(frozen=True)
class Category:
    """A column of categories, each of which is an input: 1 where it is, 0 elsewhere.

    Args:
        column: its name in the file.
        values: the categories.
        first: index of the input of the first one; the others follow.
    """

    column: str
    values: tuple[str, ...]
    first: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(f"{self.column}={value}" for value in self.values)


@dataclass(frozen=True)
class Dataset:
    """Samples to learn and samples to test with.

    Args:
        name: short name, also part of the run directory's.
        task: classification or regression.
        x_train: scaled inputs, shape (samples, inputs): float64, and float32 of images, whose pixels are 8 bits.
        x_test: the same for the test part, with the scaling of the training part.
        y_train: classification: class numbers, int64, shape (samples,); regression: standardised targets, float64,
            shape (samples, targets).
        y_test: the same for the test part.
        train_rows: which sample of the source each training sample is, counted from 0, shape (samples,).
        test_rows: the same for the test part.
        feature_names: one for each input.
        target_names: the target column, or one name for each target.
        classes: name of each class; None for regression.
        input_scaling: fitted on the training part only.
        target_scaling: fitted on the training part only; None for classification.
        hidden: units of each hidden layer of a network that suits.
        seed: what the split depends on, alone.
        notes: what a person should know about the data, one sentence each.
        digest: of the data, their split and their scaling (:mod:`mtjlearn.datasets.digest`).
        scale: how the inputs are scaled.
        shape: of an image: channels, rows, columns; None where inputs are not pixels.
        categories: columns that were made one input for each of their values.
    """

    name: str
    task: Task
    x_train: Values
    x_test: Values
    y_train: NDArray[Any]
    y_test: NDArray[Any]
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    classes: tuple[str, ...] | None
    input_scaling: Scaling
    target_scaling: Scaling | None
    hidden: tuple[int, ...]
    seed: int
    notes: tuple[str, ...] = ()
    digest: str = ""
    scale: Scale = "column"
    shape: tuple[int, int, int] | None = None
    categories: tuple[Category, ...] = ()

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes is not None else f"{len(self.target_names)} targets"
        parts = f"{len(self.x_train):,} samples to learn and {len(self.x_test):,} to test with"
        return f"<Dataset {self.name!r}: {self.inputs} inputs, {kind}, {parts}>"

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.x_train.shape[1])


@dataclass(frozen=True)
class Table:
    """Data as a source has it, checked: every number finite, every row complete.

    Args:
        name: short name of the dataset.
        features: shape (samples, inputs).
        feature_names: one for each input.
        targets: text, shape (samples,), or float64, shape (samples, targets).
        target_names: one for each target.
        hidden: units of each hidden layer of a network that suits; None: taken from the number of inputs.
        written: each sample's target as the source writes it; None: float64 says it all.
        rows: what the source calls each sample; None: counted from 1.
        notes: what was read in another way than it is written, one sentence each.
        categories: columns that were made one input for each of their values.
    """

    name: str
    features: Array
    feature_names: tuple[str, ...]
    targets: NDArray[Any]
    target_names: tuple[str, ...]
    hidden: tuple[int, ...] | None = None
    written: tuple[str, ...] | None = None
    rows: Sequence[int] | None = None
    notes: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()

    def row(self, sample: int) -> int:
        """What the source calls a sample."""
        return sample + 1 if self.rows is None else self.rows[sample]

    @property
    def target(self) -> str:
        """The target's name, for messages."""
        return ", ".join(self.target_names)


def epoch_order(seed: int, epoch: int, samples: int) -> NDArray[np.int64]:
    """Order in which an epoch visits its samples: a permutation of 0 .. samples - 1.

    It depends on the arguments alone, so that a resumed run repeats it, and on any NumPy: raw PCG64 numbers, unlike
    NumPy's own shuffles, never change.
    """
    keys = np.random.PCG64([seed, epoch]).random_raw(samples)
    return np.argsort(keys, kind="stable")
