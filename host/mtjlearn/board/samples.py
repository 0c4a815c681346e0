"""Samples in the device's integers (Q3.12), packed for the wire."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mtjlearn.network import Loss, Network
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.messages import MAX_SAMPLES_VALUE, Evaluate, Predict, Train

Integers = npt.NDArray[np.integer]

VALUE_BYTES = 2
_QUANTISE = (
    "the board accepts integers, of which 4096 is 1.0: quantise the data first, scaled to mean 0 and deviation 1, with "
    "mtjlearn.datasets.quantise_values()"
)
_CLASSES = "classes are integers from 0 on: convert them with .astype(int)"
_TINY = 8
"""Values up to this are 0.002 for the board: nobody scales data so, but floats that were cast to integers are."""


def sample_bytes(network: Network) -> int:
    """Bytes of a training sample."""
    return VALUE_BYTES * (network.sizes[0] + network.target_count)


def checked_inputs(network: Network, x: Integers) -> npt.NDArray[np.int16]:
    """Inputs as int16, shape (n, inputs).

    Raises:
        ValueError: naming what does not fit; a value by row and column, counted from 0.
    """
    return _checked(x, network.sizes[0], "x", -MAX_SAMPLES_VALUE, MAX_SAMPLES_VALUE)


def checked_samples(network: Network, x: Integers, target: Integers) -> npt.NDArray[np.int16]:
    """Inputs and targets side by side as int16, shape (n, inputs + targets).

    Args:
        network: gives the number of inputs and targets, and the range of classes.
        x: inputs, shape (n, inputs).
        target: shape (n, targets), or (n,) when there is one target or a class.

    Raises:
        ValueError: naming what does not fit; a value by row and column, counted from 0.
    """
    inputs = checked_inputs(network, x)
    targets = np.asarray(target)
    if targets.ndim == 1:
        targets = targets[:, np.newaxis]
    classes = network.loss is Loss.CROSS_ENTROPY
    low, high = (0, network.sizes[-1] - 1) if classes else (-MAX_SAMPLES_VALUE, MAX_SAMPLES_VALUE)
    checked = _checked(targets, network.target_count, "target", low, high, _CLASSES if classes else _QUANTISE)
    if len(checked) != len(inputs):
        raise ValueError(f"x has {len(inputs)} rows, but target has {len(checked)}")
    return np.ascontiguousarray(np.concatenate([inputs, checked], axis=1))


def warn_of_tiny(network: Network, samples: npt.NDArray[np.int16]) -> None:
    """Warns of inputs, or targets that are not classes, which all are next to nothing: +-1 that was meant as 1.0, for example.

    Args:
        network: gives the number of inputs.
        samples: inputs and targets side by side, as checked_samples() returns them.
    """
    parts = {"x": samples[:, : network.sizes[0]]}
    if network.loss is not Loss.CROSS_ENTROPY:
        parts["target"] = samples[:, network.sizes[0] :]
    for name, values in parts.items():
        largest = int(np.abs(values.astype(np.int32)).max(initial=0))
        if 0 < largest <= _TINY:
            warnings.warn(
                f"{name} is at most {largest}, which the board reads as {largest / 4096:.4f}, since 4096 is 1.0: quantise real "
                "numbers with mtjlearn.datasets.quantise_values()",
                stacklevel=3,
            )


def train_commands(samples: npt.NDArray[np.int16], max_payload: int) -> Iterator[Command]:
    """TRAIN commands for checked samples, as many samples in each as it holds."""
    for part in _parts(samples, max_payload):
        yield Command(Train.TYPE, part)


def evaluate_commands(samples: npt.NDArray[np.int16], max_payload: int) -> Iterator[Command]:
    """EVALUATE commands that start a new evaluation with all these samples."""
    yield Command(Evaluate.TYPE, b"\1")
    for part in _parts(samples, max_payload - Evaluate.LAYOUT.size):
        yield Command(Evaluate.TYPE, b"\0" + part)


def predict_commands(inputs: npt.NDArray[np.int16], outputs: int, max_payload: int) -> Iterator[Command]:
    """PREDICT commands, none larger than its PREDICTION can answer at once."""
    answerable = max_payload // (VALUE_BYTES * outputs)
    if answerable == 0:
        raise BoardError(f"a prediction of {outputs} outputs does not fit the board's messages of {max_payload} bytes")
    width = VALUE_BYTES * inputs.shape[1]
    for part in _parts(inputs, min(max_payload, answerable * width)):
        yield Command(Predict.TYPE, part)


def _parts(rows: npt.NDArray[np.int16], room: int) -> Iterator[bytes]:
    width = VALUE_BYTES * rows.shape[1]
    if width > room:
        raise BoardError(
            f"a sample of {rows.shape[1]} values does not fit the board's messages, which hold {room // VALUE_BYTES}; "
            "use a network with fewer inputs, or another board"
        )
    data = rows.astype("<i2", copy=False).tobytes()
    step = room // width * width
    for start in range(0, len(data), step):
        yield data[start : start + step]


def _checked(values: Integers, columns: int, name: str, low: int, high: int, advice: str = _QUANTISE) -> npt.NDArray[np.int16]:
    array = np.asarray(values)
    if array.dtype.kind == "f":
        raise ValueError(f"{name} has type {array.dtype}; {advice}")
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{name} has shape {array.shape}; the network accepts (n, {columns})")
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} has type {array.dtype}; the board accepts integers")
    if array.size and (array.min() < low or array.max() > high):
        row, column = np.argwhere((array < low) | (array > high))[0]
        raise ValueError(f"{name}[{row}, {column}] is {array[row, column]}, outside {low} .. {high}")
    return array.astype(np.int16)
