"""A model as ONNX in integer operators: the same integers, and the same outputs to the last bit, as a board.

QDQ would quantise to 8 bits. Products of int16 weights and activities are products of int64 matrices here, which every sum fits
into; a shift to the right is a division without remainder, so that it does not matter how a runtime rounds.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import install_extra
from mtjlearn.fixedpoint.arithmetic import INT16_LIMIT, ONE
from mtjlearn.models.model import Model, ModelError
from mtjlearn.models.predict import input_factors
from mtjlearn.network import FRACTION_BITS, MATRIX_BITS

_OPSET, _IR = 17, 8
"""Of ONNX 1.12, which runtimes of the last years read."""


def onnx_model(model: Model) -> bytes:
    """The file's content.

    Its input is ``features``, float32, (rows, inputs), in the units of the data. Its outputs are ``outputs``, int16 Q3.12,
    (rows, outputs), which equal a board's, and ``prediction``: of a regression float32, (rows, targets), in the units of the data;
    of classes text, (rows,), with ``scores``, float32, (rows, classes).

    Raises:
        ModelError: the package onnx is missing, or the targets' unit is beyond float32.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError:
        raise ModelError(f"ONNX needs a package; run: {install_extra('onnx')}") from None
    units = model.target_scaling
    if units is not None and (abs(units.mean) + 8 * units.std > np.finfo(np.float32).max).any():
        raise ModelError("the targets are too large for ONNX, which has float32; train with targets in a larger unit")
    graph = _Graph()
    fixed = _scaled(graph, model)
    for layer, rows in enumerate(model.readable_weights()):
        matrix = model.matrix_of(layer)
        if matrix is not None:
            fixed = _product(graph, fixed, matrix.T, np.zeros(len(matrix)), MATRIX_BITS)
        fixed = _product(graph, fixed, rows[:, :-1].T, rows[:, -1].astype(np.int64) * ONE, FRACTION_BITS)
        if layer + 1 < model.network.layers:
            fixed = _leaky_relu(graph, fixed, 2**model.network.shift)
    graph.add("Cast", [fixed], "outputs", to=TensorProto.INT16)
    results = [helper.make_tensor_value_info("outputs", TensorProto.INT16, ["rows", model.network.sizes[-1]])]
    if model.classes is None:
        _values(graph, model, fixed)
        results.append(helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["rows", len(model.targets)]))
    else:
        _classes(graph, model, fixed)
        results.append(helper.make_tensor_value_info("prediction", TensorProto.STRING, ["rows"]))
        results.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["rows", len(model.classes)]))
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", model.network.sizes[0]])
    built = helper.make_graph(graph.nodes, "mtjlearn", [features], results, initializer=graph.constants)
    proto = helper.make_model(
        built, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="mtjlearn", doc_string=_about(model)
    )
    columns = [{"column": each.column, "values": each.values, "first": each.first} for each in model.categories]
    names = {"inputs": model.inputs, "targets": model.targets, "categories": columns}
    helper.set_model_props(proto, {name: json.dumps(value) for name, value in names.items()})
    checker.check_model(proto)
    content: bytes = proto.SerializeToString()
    return content


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """A node; the name of its output."""
        from onnx import helper

        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"node_{len(self.nodes)}", **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """A constant; its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def whole(self, value: int) -> str:
        """A whole number as a constant."""
        return self.constant(np.array(value, dtype=np.int64))

    def real(self, value: float) -> str:
        """A real number as a constant, in single precision."""
        return self.constant(np.array(value, dtype=np.float32))


def _scaled(graph: _Graph, model: Model) -> str:
    """The features as the network reads them, Q3.12: halves are rounded away from 0."""
    from onnx import TensorProto

    mean, factor = input_factors(model.input_scaling)
    distance = graph.add("Sub", ["features", graph.constant(mean)])
    value = graph.add("Mul", [distance, graph.constant(factor)])
    value = graph.add("Where", [graph.add("IsNaN", [value]), graph.real(INT16_LIMIT), value])
    value = graph.add("Where", [graph.constant(factor == 0), graph.real(0.0), value])
    value = graph.add("Clip", [value, graph.real(-INT16_LIMIT), graph.real(INT16_LIMIT)])
    size = graph.add("Floor", [graph.add("Add", [graph.add("Abs", [value]), graph.real(0.5)])])
    return graph.add("Cast", [graph.add("Mul", [graph.add("Sign", [value]), size])], to=TensorProto.INT64)


def _product(graph: _Graph, x: str, columns: NDArray[Any], added: NDArray[Any], shift: int) -> str:
    """``x W`` and what is added, rounded and shifted to the right, limited to 16 bits (shared/numerics.md, section 4)."""
    product = graph.add("MatMul", [x, graph.constant(columns.astype(np.int64))])
    total = graph.add("Add", [product, graph.constant(added.astype(np.int64) + (1 << (shift - 1)))])
    divisor = graph.whole(1 << shift)
    whole = graph.add("Sub", [total, graph.add("Mod", [total, divisor])])
    return graph.add("Clip", [graph.add("Div", [whole, divisor]), graph.whole(-INT16_LIMIT), graph.whole(INT16_LIMIT)])


def _leaky_relu(graph: _Graph, z: str, divisor: int) -> str:
    zero = graph.whole(0)
    below = graph.add("Max", [graph.add("Neg", [z]), zero])
    return graph.add("Sub", [graph.add("Max", [z, zero]), graph.add("Div", [below, graph.whole(divisor)])])


def _classes(graph: _Graph, model: Model, fixed: str) -> None:
    from onnx import TensorProto, helper

    assert model.classes is not None
    real = graph.add("Cast", [fixed], to=TensorProto.FLOAT)
    scores = graph.add("Mul", [real, graph.real(1 / ONE)], None if model.network.sizes[-1] > 1 else "second")
    if model.network.sizes[-1] == 1:
        graph.add("Concat", [graph.add("Neg", [scores]), scores], "scores", axis=1)
        positive = graph.add("GreaterOrEqual", [fixed, graph.whole(0)])
        number = graph.add("Cast", [graph.add("Squeeze", [positive, graph.constant(np.array([1]))])], to=TensorProto.INT64)
    else:
        graph.add("Identity", [scores], "scores")
        number = graph.add("ArgMax", [scores], axis=1, keepdims=0)
    names: Any = [name.encode("utf-8", "replace") for name in model.classes]
    graph.constants.append(helper.make_tensor("class_names", TensorProto.STRING, [len(names)], names))
    graph.add("Gather", ["class_names", number], "prediction")


def _values(graph: _Graph, model: Model, fixed: str) -> None:
    from onnx import TensorProto

    assert model.target_scaling is not None
    factor = graph.constant((model.target_scaling.std / ONE).astype(np.float32))
    scaled = graph.add("Mul", [graph.add("Cast", [fixed], to=TensorProto.FLOAT), factor])
    graph.add("Add", [graph.constant(model.target_scaling.mean.astype(np.float32)), scaled], "prediction")


def _about(model: Model) -> str:
    return json.dumps({"network": model.network.name, **model.origin})
