"""What is worth knowing of a model: its layers, and how well it does next to somebody who learned nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Dataset, dequantise, predicted_classes, quantise
from mtjlearn.fixedpoint.arithmetic import INT16_LIMIT, INT32_LIMIT
from mtjlearn.models.model import Model
from mtjlearn.models.predict import outputs_of
from mtjlearn.network import FRACTION_BITS, WEIGHT32_BITS, WeightFormat


@dataclass(frozen=True)
class Layer:
    """A layer's parameters as real numbers.

    Args:
        inputs: fan-in.
        units: of the layer.
        smallest: smallest weight or bias.
        largest: largest one.
        rms: root of the weights' mean square, biases aside.
        saturated: weights and biases at the limit of their format.
        decorrelated: whether its input is.
    """

    inputs: int
    units: int
    smallest: float
    largest: float
    rms: float
    saturated: int
    decorrelated: bool


@dataclass(frozen=True)
class Score:
    """How a model does on samples that it has not learned from.

    Args:
        samples: how many.
        confusion: rows the classes, columns what was predicted; None for a regression.
        accuracy: share of right predictions; None for a regression.
        baseline_accuracy: of always the class that is most frequent in the training part.
        r2: coefficient of determination; None for classes, or if all targets are equal.
        rms_error: root mean square error of each target, in its unit; empty for classes.
        baseline_rms_error: of always the mean of the training part.
        error_quantiles: 5, 25, 50, 75 and 95 % quantiles of prediction minus target, in its unit, for each target.
    """

    samples: int
    confusion: NDArray[np.int64] | None = None
    accuracy: float | None = None
    baseline_accuracy: float | None = None
    r2: float | None = None
    rms_error: tuple[float, ...] = ()
    baseline_rms_error: tuple[float, ...] = ()
    error_quantiles: tuple[tuple[float, ...], ...] = ()


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def layers(model: Model) -> list[Layer]:
    """Each layer of a model."""
    wide = model.network.weight_format is WeightFormat.INT32
    bits, limit = (WEIGHT32_BITS, INT32_LIMIT) if wide else (FRACTION_BITS, INT16_LIMIT)
    found = []
    for rows, flag in zip(model.weights, model.network.decorrelate, strict=True):
        real = np.ldexp(rows.astype(np.float64), -bits)
        found.append(
            Layer(
                inputs=rows.shape[1] - 1,
                units=rows.shape[0],
                smallest=float(real.min()),
                largest=float(real.max()),
                rms=float(np.sqrt(np.mean(real[:, :-1] ** 2))),
                saturated=int(np.count_nonzero(np.abs(rows.astype(np.int64)) == limit)),
                decorrelated=flag,
            )
        )
    return found


def score(model: Model, dataset: Dataset) -> Score:
    """How a model does on the test part of the data that it learned.

    Raises:
        DatasetError: the data do not fit the network.
    """
    outputs = outputs_of(model, quantise(dataset, model.network).x_test)
    if dataset.classes is not None:
        labels, predicted = dataset.y_test, predicted_classes(outputs)
        confusion = np.zeros((len(dataset.classes),) * 2, dtype=np.int64)
        np.add.at(confusion, (labels, predicted), 1)
        majority = np.bincount(dataset.y_train).argmax()
        return Score(len(labels), confusion, float(np.mean(labels == predicted)), float(np.mean(labels == majority)))
    assert dataset.target_scaling is not None
    predicted_values, targets = dequantise(outputs), np.asarray(dataset.y_test, dtype=np.float64)
    errors = (predicted_values - targets) * dataset.target_scaling.std
    away = (targets - dataset.y_train.mean(axis=0)) * dataset.target_scaling.std
    spread = np.sum((targets - targets.mean(axis=0)) ** 2)
    return Score(
        len(targets),
        r2=float(1 - np.sum((predicted_values - targets) ** 2) / spread) if spread else None,
        rms_error=tuple(np.sqrt(np.mean(errors**2, axis=0)).tolist()),
        baseline_rms_error=tuple(np.sqrt(np.mean(away**2, axis=0)).tolist()),
        error_quantiles=tuple(tuple(row) for row in np.quantile(errors, QUANTILES, axis=0).T.tolist()),
    )
