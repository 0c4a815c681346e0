"""ONNX Runtime finds the outputs of a board, to the last bit, and the same names and values."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from model_support import random_model, rows_for, trained_model
from numpy.typing import NDArray

from mtjlearn.cli import main
from mtjlearn.datasets import Scaling, read_features
from mtjlearn.models import Model, ModelError, predict, write_model
from mtjlearn.models.export import export
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.virtual.native import start_native

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

MODELS = {
    "classes": random_model((4, 8, 3)),
    "digits": random_model((64, 32, 10), largest=3000),
    "one output": random_model((3, 5, 1)),
    "regression": random_model((5, 4, 2), classes=False),
    "decorrelated int32": random_model((4, 6, 3), decorrelated=True, weight_format=WeightFormat.INT32),
    "sums of 64 bits": random_model((40, 30, 3), largest=32767),
    "single layer": random_model((7, 4)),
    "slope 1/8": random_model((4, 8, 6, 3), slope=3),
}


def session(model: Model, folder: Path, optimised: bool = True):
    (path,) = export(model, "onnx", folder / "model.onnx", None)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def run(model: Model, x: NDArray[np.float64], folder: Path, optimised: bool = True) -> dict[str, NDArray]:
    opened = session(model, folder, optimised)
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {"features": x.astype(np.float32)}), strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("optimised", [True, False])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_outputs_names_and_values(model: Model, optimised: bool, tmp_path: Path) -> None:
    x = rows_for(model, 1000)
    expected = predict(model, x)
    found = run(model, x, tmp_path, optimised)
    assert found["outputs"].dtype == np.int16
    assert np.array_equal(found["outputs"], expected.outputs)
    if model.classes is None:
        np.testing.assert_allclose(found["prediction"], expected.values, rtol=1e-6, atol=1e-6)
    else:
        assert found["prediction"].tolist() == expected.values.tolist()
        assert np.array_equal(found["scores"], expected.scores.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_what_was_learned_is_what_a_board_predicts(name: str, tmp_path: Path) -> None:
    """1,000 rows of the data, moved a little: equal bit for bit."""
    model = trained_model(name, tmp_path)
    table = read_features(name, model.inputs).values
    rng = np.random.default_rng(0)
    x = table[rng.integers(0, len(table), 1000)] + rng.normal(0, 0.1, (1000, table.shape[1]))
    x = x.astype(np.float32).astype(np.float64)
    from mtjlearn.board import Board

    with start_native() as process, Board.open(process.url) as board:
        expected = predict(model, x, board)
    found = run(model, x, tmp_path)
    assert np.unique(expected.outputs).size > 500
    assert np.array_equal(found["outputs"], expected.outputs)
    assert found["prediction"].tolist() == expected.values.tolist()


def test_numbers_that_are_none_or_infinite_and_ties_are_as_in_c(tmp_path: Path) -> None:
    identity = np.array([[4096, 0, 0], [0, 4096, 0]], dtype=np.int16)
    names = ("a", "b")
    network, scaling = Network((2, 2), loss=Loss.CROSS_ENTROPY), Scaling(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    model = Model(network, (identity,), (), names, scaling, ("t",), names, None)
    x = np.array([[np.nan, 0], [np.inf, np.nan], [-np.inf, np.inf], [3e38, 5], [-9, 1], [1 + 1.5 / 4096, 0], [1 - 2.5 / 4096, 0]])
    found = run(model, np.vstack([x, [[1, 0]]]), tmp_path)
    assert found["outputs"].tolist() == [[32767, 0], [32767, 0], [-32767, 0], [32767, 0], [-32767, 0], [2, 0], [-3, 0], [0, 0]]
    assert found["prediction"].tolist()[-2:] == ["b", "a"]


def test_an_output_of_zero_is_the_second_class(tmp_path: Path) -> None:
    zero = np.zeros((1, 3), dtype=np.int16)
    scaling = Scaling(np.zeros(2), np.ones(2))
    model = Model(Network((2, 1)), (zero,), (), ("a", "b"), scaling, ("t",), ("no", "yes"), None)
    x = np.ones((2, 2))
    assert run(model, x, tmp_path)["prediction"].tolist() == predict(model, x).values.tolist() == ["yes", "yes"]


def test_names_of_every_kind_and_what_the_file_says_of_itself(tmp_path: Path) -> None:
    strange = ('a "quoted"', "ü\n\\?", "\x1b[31m", "x" * 50)
    model = random_model((4, 4))
    model = replace(model, inputs=strange, classes=strange, origin={"run": "one"})
    found = run(model, rows_for(model, 50), tmp_path)
    assert set(found["prediction"].tolist()) <= set(strange)
    loaded = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(loaded, full_check=True)
    assert json.loads({entry.key: entry.value for entry in loaded.metadata_props}["inputs"]) == list(strange)
    assert json.loads(loaded.doc_string) == {"network": "4-4", "run": "one"}
    floats = {node.op_type for node in loaded.graph.node} & {"Gemm", "QLinearMatMul", "DequantizeLinear"}
    assert not floats


def test_the_command(here: Path) -> None:
    write_model(MODELS["classes"], here / "model.npz")
    found = CliRunner().invoke(main, ["export", "model.npz", "--to", "onnx", "--name", "small", "--json"])
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[-1])["files"] == ["small.onnx"]
    assert onnxruntime.InferenceSession("small.onnx").get_inputs()[0].shape == ["rows", 4]


def test_without_the_package_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r"pip install 'mtjlearn\[onnx\]'"):
        export(MODELS["classes"], "onnx", tmp_path / "model.onnx", None)
    assert not list(tmp_path.iterdir())


def test_a_unit_that_float32_cannot_hold_is_refused(tmp_path: Path) -> None:
    model = MODELS["regression"]
    large = replace(model, target_scaling=Scaling(mean=np.array([0.0, 1e39]), std=np.array([1.0, 1.0])))
    with pytest.raises(ModelError, match="a larger unit"):
        export(large, "onnx", tmp_path / "model.onnx", None)
    assert not list(tmp_path.iterdir())
