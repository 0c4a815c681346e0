"""A model as one module for MicroPython, which runs in Python too: the same outputs, to the last bit, as a board."""

from __future__ import annotations

import numpy as np

from mtjlearn.fixedpoint.arithmetic import ONE
from mtjlearn.models.model import Model
from mtjlearn.models.names import input_list, origin_lines, python_literal
from mtjlearn.models.predict import input_factors


def micropython_module(model: Model) -> str:
    """The module's text."""
    mean, factor = input_factors(model.input_scaling)
    layers = []
    for layer, rows in enumerate(model.readable_weights()):
        matrix = model.matrix_of(layer)
        if matrix is not None:
            layers.append(f"    ({matrix.ravel().tolist()}, {len(matrix)}, 14, False, False),")
        layers.append(f"    ({rows.ravel().tolist()}, {len(rows)}, 12, True, {layer < model.network.layers - 1}),")
    return _MODULE.format(
        about="\n".join(origin_lines(model)),
        inputs=input_list(model),
        sizes=model.network.sizes,
        mean=[float(value) for value in mean],
        factor=[float(value) for value in factor],
        layers="\n".join(layers),
        shift=model.network.shift,
        result=_CLASSES.format(names=", ".join(python_literal(text) for text in model.classes), choice=_choice(model))
        if model.classes is not None
        else _values(model),
    )


def _choice(model: Model) -> str:
    return "int(values[0] >= 0)" if model.network.sizes[-1] == 1 else "values.index(max(values))"


def _values(model: Model) -> str:
    assert model.target_scaling is not None
    mean = [float(value) for value in model.target_scaling.mean.astype(np.float32)]
    factor = [float(value) for value in (model.target_scaling.std / ONE).astype(np.float32)]
    return _VALUES.format(mean=mean, factor=factor, targets=", ".join(python_literal(text) for text in model.targets))


_CLASSES = '''CLASSES = ({names})


def predict(features):
    """The name of the class that fits the features best."""
    values = outputs(features)
    return CLASSES[{choice}]
'''
_VALUES = '''TARGETS = ({targets},)
_TARGET_MEAN = {mean}
_TARGET_FACTOR = {factor}


def predict(features):
    """The targets, in the units of the data."""
    return [mean + value * factor for mean, value, factor in zip(_TARGET_MEAN, outputs(features), _TARGET_FACTOR)]
'''
_MODULE = '''"""A network that was trained with mtjlearn, as one module for MicroPython and Python.

{about}

The features, in the units of the data: {inputs}.
predict() says what they mean; outputs() has the outputs of the network, which equal those of a board to the last bit.
"""

import struct

SIZES = {sizes}
_MEAN = {mean}
_FACTOR = {factor}
_LAYERS = (
{layers}
)
"""Rows of weights, units, bits behind the point, whether a bias ends each row, and whether a leaky ReLU follows."""


def _single(value):
    """Rounded to single precision, which some ports have alone."""
    return struct.unpack("f", struct.pack("f", value))[0]


def _scaled(feature, mean, factor):
    """A feature as the network reads it: in standard deviations, times 4096."""
    if factor == 0:
        return 0
    try:
        value = _single(_single(_single(feature) - mean) * factor)
    except OverflowError:
        return 32767 if feature > mean else -32767
    if not value < 32767:
        return 32767
    if not value > -32767:
        return -32767
    return int(_single(value - 0.5 if value < 0 else value + 0.5))


def outputs(features):
    """The outputs of the network, 4096 for 1."""
    if len(features) != SIZES[0]:
        raise ValueError("need %d features" % SIZES[0])
    x = [_scaled(feature, mean, factor) for feature, mean, factor in zip(features, _MEAN, _FACTOR)]
    for rows, units, shift, bias, leaky in _LAYERS:
        width = len(x) + bias
        z = []
        for unit in range(units):
            start = unit * width
            total = 1 << (shift - 1)
            for j in range(len(x)):
                total += rows[start + j] * x[j]
            if bias:
                total += rows[start + len(x)] * 4096
            total >>= shift
            z.append(32767 if total > 32767 else -32767 if total < -32767 else total)
        x = [value if value >= 0 else -(-value >> {shift}) for value in z] if leaky else z
    return x


{result}'''
