"""Samples in the device's integers (Q3.12), packed for the wire."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mtjlearn.network import Loss, Network
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.messages import MAX_SAMPLES_VALUE, Evaluate, Predict, SamplePart, Train

Integers = npt.NDArray[np.integer]

VALUE_BYTES = 2
MAX_SCALE = 8
"""Of SAMPLE_PART and DEFINE_DATASET."""
_FRAME_COST = 14
"""Bytes on the line that a SAMPLE_PART takes besides its values."""
_QUANTISE = (
    "the board accepts integers, of which 4096 is 1.0: quantise the data first, scaled to mean 0 and deviation 1, with "
    "mtjlearn.datasets.quantise_values()"
)
_CLASSES = "classes are integers from 0 on: convert them with .astype(int)"
_TINY = 8
"""Values up to this are 0.002 for the board: nobody scales data so, but floats that were cast to integers are."""


def longest_targets(max_payload: int) -> int:
    """Values that an EVALUATE holds: a sample's targets, and where a board does not take parts its inputs too."""
    return (max_payload - Evaluate.LAYOUT.size) // VALUE_BYTES


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


def train_commands(samples: npt.NDArray[np.int16], max_payload: int, inputs: int = 0) -> Iterator[Command]:
    """TRAIN commands for checked samples, as many samples in each as it holds; one behind its parts where it does not hold one.

    Args:
        samples: shape (n, inputs + targets).
        max_payload: of the board, bytes.
        inputs: of a sample, which may come in parts; 0: the board does not take them.

    Raises:
        BoardError: a sample does not fit a message, and must.
    """
    width = VALUE_BYTES * samples.shape[1]
    if inputs and width > max_payload:
        for parts, rest in _in_parts(samples, inputs, max_payload, max_payload):
            yield Command(Train.TYPE, rest, samples=1, parts=parts)
        return
    for part in _whole(samples, max_payload):
        yield Command(Train.TYPE, part, samples=len(part) // width)


def evaluate_commands(samples: npt.NDArray[np.int16], max_payload: int, inputs: int = 0) -> Iterator[Command]:
    """EVALUATE commands that start a new evaluation with all these samples; arguments and errors as for train_commands()."""
    room = max_payload - Evaluate.LAYOUT.size
    yield Command(Evaluate.TYPE, b"\1")
    if inputs and VALUE_BYTES * samples.shape[1] > room:
        for parts, rest in _in_parts(samples, inputs, max_payload, room):
            yield Command(Evaluate.TYPE, b"\0" + rest, parts=parts)
        return
    for part in _whole(samples, room):
        yield Command(Evaluate.TYPE, b"\0" + part)


def predict_commands(inputs: npt.NDArray[np.int16], outputs: int, max_payload: int, in_parts: bool = False) -> Iterator[Command]:
    """PREDICT commands, none larger than its PREDICTION can answer at once.

    Args:
        inputs: shape (n, inputs).
        outputs: of the network.
        max_payload: of the board, bytes.
        in_parts: inputs that do not fit a message may come in parts.

    Raises:
        BoardError: inputs do not fit a message, and must, or outputs do not.
    """
    answerable = max_payload // (VALUE_BYTES * outputs)
    if answerable == 0:
        raise BoardError(f"a prediction of {outputs} outputs does not fit the board's messages of {max_payload} bytes")
    width = VALUE_BYTES * inputs.shape[1]
    if in_parts and width > max_payload:
        for parts, rest in _in_parts(inputs, inputs.shape[1], max_payload, max_payload):
            yield Command(Predict.TYPE, rest, parts=parts)
        return
    for part in _whole(inputs, min(max_payload, answerable * width)):
        yield Command(Predict.TYPE, part)


def _in_parts(rows: npt.NDArray[np.int16], inputs: int, max_payload: int, room: int) -> Iterator[tuple[tuple[Command, ...], bytes]]:
    """For each row its SAMPLE_PARTs, as int8 where that loses nothing, and what is missing then, in at most `room` bytes."""
    bits = int(np.bitwise_or.reduce(rows[:, :inputs], axis=None)) | 1 << MAX_SCALE
    scale = (bits & -bits).bit_length() - 1
    short = rows[:, :inputs] >> scale
    narrow = not short.size or (int(short.min()) >= -128 and int(short.max()) <= 127)
    value_bytes, scale = (1, scale) if narrow else (2, 0)
    values = short.astype(np.int8) if narrow else rows[:, :inputs].astype("<i2", copy=False)
    most = (max_payload - SamplePart.LAYOUT.size) // value_bytes
    left = inputs % most or most
    spare = room // VALUE_BYTES - (rows.shape[1] - inputs)
    # The last inputs go with the rest if a frame of their own would cost more than their second bytes.
    if left > spare or left * (VALUE_BYTES - value_bytes) > _FRAME_COST:
        left = 0
    heads = [(at, SamplePart(at, value_bytes, scale, b"").pack()) for at in range(0, inputs - left, most)]
    rest = rows[:, inputs - left :].astype("<i2", copy=False)
    for row, end in zip(values, rest, strict=True):
        parts = (Command(SamplePart.TYPE, head + row[at : min(at + most, inputs - left)].tobytes()) for at, head in heads)
        yield tuple(parts), end.tobytes()


def _whole(rows: npt.NDArray[np.int16], room: int) -> Iterator[bytes]:
    width = VALUE_BYTES * rows.shape[1]
    if width > room:
        raise BoardError(
            f"a sample of {rows.shape[1]} values does not fit the board's messages, which hold {room // VALUE_BYTES}, and its "
            "firmware does not take longer ones; use a network with fewer inputs, or another board"
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
