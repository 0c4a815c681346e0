"""A trained network with all that predictions need: scaling of the inputs, names of the classes, where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import CheckpointContent
from mtjlearn.datasets import Category, Dataset, Scaling
from mtjlearn.errors import UserError
from mtjlearn.fixedpoint.arithmetic import INT16_LIMIT, INT32_LIMIT
from mtjlearn.network import FRACTION_BITS, MATRIX_BITS, Loss, Network, NetworkError, WeightFormat

Integers = NDArray[np.integer[Any]]

_LONGEST_NAME = 200


class ModelError(UserError, ValueError):
    """A model that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Model:
    """A trained network in the device's numbers, and what its inputs and outputs stand for.

    Args:
        network: sizes, loss, format of the weights, decorrelated layers; its rates do not matter here.
        weights: of each layer, shape (units, fan-in + 1), the bias last; int16 Q3.12 or int32 Q3.28.
        matrices: decorrelation matrix of each decorrelated layer's input, shape (fan-in, fan-in), int16 Q1.14.
        inputs: name of each input.
        input_scaling: of the inputs, in the data's units.
        targets: name of each target.
        classes: name of each class; None for a regression.
        target_scaling: of a regression's targets; None for classes.
        categories: columns of the data that were made one input for each of their values.
        origin: where it came from: texts and whole numbers by name, such as run, board, build, data, digest, seed, steps.

    Raises:
        ModelError: the parts do not fit together.
    """

    network: Network
    weights: tuple[Integers, ...]
    matrices: tuple[Integers, ...]
    inputs: tuple[str, ...]
    input_scaling: Scaling
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    target_scaling: Scaling | None
    origin: Mapping[str, str | int] = field(default_factory=dict)
    categories: tuple[Category, ...] = ()

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes is not None else f"{len(self.targets)} targets"
        return f"<Model {self.network.name} of {self.name!r}, {kind}, {self.network.weight_format.name.lower()} weights>"

    def __post_init__(self) -> None:
        try:
            self.network.for_device()
        except NetworkError as error:
            raise ModelError(f"no device can run this network: {error}") from None
        sizes = self.network.sizes
        kind, most = (np.int32, INT32_LIMIT) if self.network.weight_format is WeightFormat.INT32 else (np.int16, INT16_LIMIT)
        shapes = [(units, fan_in + 1) for fan_in, units in pairwise(sizes)]
        _check_arrays("weights", self.weights, shapes, np.dtype(kind), most)
        decorrelated = [size for size, flag in zip(sizes, self.network.decorrelate, strict=False) if flag]
        _check_arrays("matrices", self.matrices, [(size, size) for size in decorrelated], np.dtype(np.int16), INT16_LIMIT)
        _check_names("inputs", self.inputs, sizes[0])
        _check_categories(self.categories, self.inputs)
        _check_scaling("input", self.input_scaling, sizes[0])
        if self.classes is None:
            _check_names("targets", self.targets, sizes[-1])
            if self.target_scaling is None or self.network.loss is Loss.CROSS_ENTROPY:
                raise ModelError("a regression has scaled targets and the squared loss, and this model does not")
            _check_scaling("target", self.target_scaling, sizes[-1])
        else:
            _check_names("targets", self.targets, 1)
            single = sizes[-1] == 1 and len(self.classes) == 2
            _check_names("classes", self.classes, 2 if single else sizes[-1])

    @classmethod
    def of(
        cls,
        network: Network,
        weights: Sequence[Integers],
        matrices: Sequence[Integers],
        dataset: Dataset,
        origin: Mapping[str, str | int],
    ) -> Self:
        """The model of a network that learned a dataset, in the device's numbers.

        Raises:
            ModelError: the network does not fit the data.
        """
        return cls(
            network,
            tuple(weights),
            tuple(matrices),
            dataset.feature_names,
            dataset.input_scaling,
            dataset.target_names,
            dataset.classes,
            dataset.target_scaling,
            {"data": dataset.name, "data_digest": dataset.digest, "seed": dataset.seed, **origin},
            dataset.categories,
        )

    @classmethod
    def of_checkpoint(cls, content: CheckpointContent, origin: Mapping[str, str | int], dataset: Dataset | None = None) -> Self:
        """The model of a checkpoint. Without the data that it learned, inputs and outputs are numbers in the network's own units.

        Raises:
            ModelError: the network does not fit the data.
        """
        origin = {"steps": content.record.steps, **origin}
        if dataset is not None:
            return cls.of(content.network, content.weights, content.matrices, dataset, origin)
        sizes, classes = content.network.sizes, content.network.loss is Loss.CROSS_ENTROPY
        return cls(
            content.network,
            tuple(content.weights),
            tuple(content.matrices),
            _numbered("x", sizes[0]),
            _unscaled(sizes[0]),
            ("class",) if classes else _numbered("y", sizes[-1]),
            tuple(map(str, range(sizes[-1]))) if classes else None,
            None if classes else _unscaled(sizes[-1]),
            origin,
        )

    @property
    def name(self) -> str:
        """Short name of the data that it learned."""
        return str(self.origin.get("data", "model"))

    def readable_weights(self) -> tuple[NDArray[np.int16], ...]:
        """The weights as a forward pass reads them, Q3.12 (shared/numerics.md, section 1)."""
        shift = 16 if self.network.weight_format is WeightFormat.INT32 else 0
        return tuple((rows >> shift).astype(np.int16) for rows in self.weights)

    def matrix_of(self, layer: int) -> Integers | None:
        """The decorrelation matrix of a layer's input, the layers counted from 0; None if it is not decorrelated."""
        flags = self.network.decorrelate
        return self.matrices[sum(flags[:layer])] if flags[layer] else None


def rounded_weights(network: Network, weights: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.int16], ...]:
    """Weights of the float reference in Q3.12, each (units, fan-in + 1).

    Raises:
        ModelError: one is beyond +-8, which a device cannot hold.
    """
    return tuple(_rounded(rows, FRACTION_BITS, f"a weight of {network.name}") for rows in weights)


def rounded_matrices(network: Network, matrices: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.int16], ...]:
    """Decorrelation matrices of the float reference in Q1.14.

    Raises:
        ModelError: an element is beyond +-2, which a device cannot hold.
    """
    return tuple(_rounded(matrix, MATRIX_BITS, f"a decorrelation matrix of {network.name}") for matrix in matrices)


def _rounded(values: NDArray[np.float64], bits: int, what: str) -> NDArray[np.int16]:
    rounded = np.rint(values * 2.0**bits)
    if not (np.abs(rounded) <= INT16_LIMIT).all():
        limit = 2 ** (15 - bits)
        raise ModelError(f"{what} is beyond +-{limit}, which a device cannot hold; train on a board, or with a smaller --eta")
    return rounded.astype(np.int16)


def _numbered(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number}" for number in range(1, count + 1))


def _unscaled(columns: int) -> Scaling:
    return Scaling(np.zeros(columns), np.ones(columns))


def _check_arrays(what: str, arrays: tuple[Integers, ...], shapes: list[tuple[int, int]], kind: np.dtype[Any], most: int) -> None:
    found = [array.shape for array in arrays]
    if found != shapes:
        raise ModelError(f"{what} have the shapes {found}, and the network needs {shapes}")
    if any(array.dtype != kind for array in arrays):
        raise ModelError(f"{what} must be {kind}")
    if any(int(np.abs(array.astype(np.int64)).max()) > most for array in arrays):
        raise ModelError(f"{what} must be -{most} .. {most}")


def _check_names(what: str, names: tuple[str, ...], count: int) -> None:
    if len(names) != count:
        raise ModelError(f"{len(names)} {what} are named, and the network has {count}")
    if len(set(names)) != count:
        raise ModelError(f"two {what} have the same name")
    if any(len(name) > _LONGEST_NAME for name in names):
        raise ModelError(f"a name of {what} has more than {_LONGEST_NAME} characters")


def _check_categories(categories: tuple[Category, ...], inputs: tuple[str, ...]) -> None:
    free = 0
    for category in categories:
        last = category.first + len(category.values)
        if category.first < free or not category.values or category.inputs != inputs[category.first : last]:
            raise ModelError(f"the categories of {category.column!r} are not those of its inputs")
        free = last


def _check_scaling(what: str, scaling: Scaling, columns: int) -> None:
    if scaling.mean.shape != (columns,) or scaling.std.shape != (columns,):
        found = f"{scaling.mean.size} means and {scaling.std.size} deviations"
        raise ModelError(f"the {what} scaling has {found} for {columns} columns")
    if not (np.isfinite(scaling.mean).all() and np.isfinite(scaling.std).all() and (scaling.std >= 0).all()):
        raise ModelError(f"the {what} scaling holds a number that is infinite, undefined, or a negative deviation")
