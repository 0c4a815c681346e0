"""Predictions in integers, equal to a board's to the last bit, and what they mean in the data's units.

Inputs become the device's numbers in single precision, in steps that every machine rounds alike, so that exported programs find
the same: ``v = (x - mean) * factor`` with ``factor = 4096 / std``, limited to +-32767 and rounded, halves away from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.board import Board
from mtjlearn.datasets import Scaling, dequantise, predicted_classes
from mtjlearn.fixedpoint import clean_outputs
from mtjlearn.fixedpoint.arithmetic import INT16_LIMIT
from mtjlearn.models.model import Model
from mtjlearn.network import FRACTION_BITS

_FARTHEST = 2.0**12
"""Deviations between 0 and an input's mean; single precision has 24 bits, of which 12 are then left for what varies."""
_CHUNK = 4096
"""Samples at once, so that many need little memory."""


@dataclass(frozen=True)
class Predictions:
    """What a model says of samples.

    Args:
        model: of which model.
        outputs: of its last layer, Q3.12, shape (samples, outputs), int16.
        clipped: inputs beyond +-8 standard deviations, which were limited to it.
    """

    model: Model
    outputs: NDArray[np.int16]
    clipped: int

    def __repr__(self) -> str:
        return f"<Predictions for {len(self.outputs):,} samples by {self.model!r}, {self.clipped:,} inputs clipped>"

    @property
    def classes(self) -> NDArray[np.int64]:
        """Class numbers, shape (samples,)."""
        return predicted_classes(self.outputs)

    @property
    def values(self) -> NDArray[Any]:
        """Names of the classes, shape (samples,); of a regression the targets in the data's units, (samples, targets)."""
        if self.model.classes is not None:
            return np.array(self.model.classes, dtype=object)[self.classes]
        assert self.model.target_scaling is not None
        return self.model.target_scaling.invert(dequantise(self.outputs))

    @property
    def scores(self) -> NDArray[np.float64]:
        """The outputs as real numbers, shape (samples, outputs).

        A single output for two classes is the second one's; its negative, for the first, stands before it.
        """
        outputs = dequantise(self.outputs)
        return np.hstack([-outputs, outputs]) if self.model.classes is not None and outputs.shape[1] == 1 else outputs


def predict(model: Model, x: NDArray[np.float64], board: Board | None = None) -> Predictions:
    """Predicts.

    Args:
        model: with this.
        x: inputs in the data's units, shape (samples, inputs), finite.
        board: computes them; None: NumPy, with the same result to the last bit.

    Raises:
        ValueError: the inputs do not fit.
        BoardError: the board refuses the network or does not answer.
    """
    if x.ndim != 2 or x.shape[1] != model.network.sizes[0]:
        wanted = f"(samples, {model.network.sizes[0]})"
        raise ValueError(f"inputs of shape {x.shape} do not fit {model.network.name}; they must be {wanted}")
    fixed, clipped = quantised_inputs(model.input_scaling, x)
    if board is None:
        outputs = outputs_of(model, fixed)
    else:
        load_onto(model, board)
        outputs = board.predict(fixed)
    return Predictions(model, outputs, clipped)


def load_onto(model: Model, board: Board) -> None:
    """Configures a board with the model's network, weights and matrices."""
    board.configure(model.network)
    board.set_weights(model.weights)
    if model.matrices:
        board.set_matrices(model.matrices)


def input_factors(scaling: Scaling) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and factor of each input in single precision, shape (inputs,); a constant input has the factor 0."""
    constant = scaling.std == 0
    with np.errstate(over="ignore"):
        factors = np.where(constant, 0.0, 2.0**FRACTION_BITS / np.where(constant, 1.0, scaling.std)).astype(np.float32)
    largest = np.finfo(np.float32).max
    return np.clip(scaling.mean, -largest, largest).astype(np.float32), np.minimum(factors, largest)


def imprecise_inputs(model: Model) -> list[str]:
    """Names of the inputs that single precision cannot tell apart within 1/4096 of a deviation, as they lie too far from 0."""
    mean, std = np.abs(model.input_scaling.mean), model.input_scaling.std
    return [name for name, far in zip(model.inputs, (std > 0) & (mean > std * _FARTHEST), strict=True) if far]


def quantised_inputs(scaling: Scaling, x: NDArray[np.float64]) -> tuple[NDArray[np.int16], int]:
    """Inputs as the device's numbers, Q3.12, shape (samples, inputs), and how many were beyond its range."""
    mean, factor = input_factors(scaling)
    fixed, clipped = np.empty(x.shape, dtype=np.int16), 0
    for start in range(0, len(x), _CHUNK):
        interruption.check()
        with np.errstate(over="ignore", invalid="ignore"):
            values = (x[start : start + _CHUNK].astype(np.float32) - mean) * factor
        values = np.where(factor == 0, np.float32(0), values)
        clipped += int(np.count_nonzero(~(np.abs(values) <= INT16_LIMIT)))
        values = np.clip(values, np.float32(-INT16_LIMIT), np.float32(INT16_LIMIT))
        fixed[start : start + _CHUNK] = np.trunc(values + np.copysign(np.float32(0.5), values))
    return fixed, clipped


def outputs_of(model: Model, fixed: NDArray[np.int16]) -> NDArray[np.int16]:
    """The outputs, Q3.12, shape (samples, outputs), for inputs in the device's numbers, shape (samples, inputs)."""
    weights = [rows.astype(np.int64) for rows in model.weights]
    matrices = [model.matrix_of(layer) for layer in range(model.network.layers)]
    wide = [None if matrix is None else matrix.astype(np.int64) for matrix in matrices]
    network = model.network
    outputs = np.empty((len(fixed), network.sizes[-1]), dtype=np.int16)
    for start in range(0, len(fixed), _CHUNK):
        interruption.check()
        part = fixed[start : start + _CHUNK].astype(np.int64)
        outputs[start : start + _CHUNK] = clean_outputs(weights, wide, network.weight_format, part, network.shift)
    return outputs
