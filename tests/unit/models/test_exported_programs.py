"""Exported programs find the outputs of a board, to the last bit."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_support import outputs_in_c, outputs_in_micropython, random_model, rows_for

from mtjlearn.datasets import Scaling
from mtjlearn.firmware import firmware_root
from mtjlearn.models import Model, ModelError, predict
from mtjlearn.models.export import export
from mtjlearn.models.export_c import INFERENCE
from mtjlearn.models.names import program_name, python_literal, text_literal
from mtjlearn.network import Loss, Network, WeightFormat

MODELS = {
    "classes": random_model((4, 8, 3)),
    "digits": random_model((64, 32, 10), largest=3000),
    "one output": random_model((3, 5, 1)),
    "regression": random_model((5, 4, 2), classes=False),
    "decorrelated int32": random_model((4, 6, 3), decorrelated=True, weight_format=WeightFormat.INT32),
    "sums of 64 bits": random_model((40, 30, 3), largest=32767),
    "single layer": random_model((7, 4)),
    "slope 1/8": random_model((4, 8, 6, 3), slope=3),
    "slope 1/4096": random_model((4, 8, 3), slope=12),
}


@pytest.mark.thorough
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_c_and_micropython_and_numpy_agree(model: Model, tmp_path: Path) -> None:
    x = rows_for(model, 300)
    expected = predict(model, x).outputs
    assert np.unique(expected).size > 20
    assert np.array_equal(outputs_in_c(model, x, tmp_path), expected)
    assert np.array_equal(outputs_in_micropython(model, x, tmp_path), expected)


def test_compilers_that_fuse_find_the_same(tmp_path: Path) -> None:
    model = MODELS["classes"]
    x = rows_for(model, 1000)
    options = ["-O3", "-march=native", "-ffp-contract=fast"]
    assert np.array_equal(outputs_in_c(model, x, tmp_path, options), predict(model, x).outputs)


def test_numbers_that_are_none_or_infinite_are_limited(tmp_path: Path) -> None:
    identity = np.array([[4096, 0, 0], [0, 4096, 0]], dtype=np.int16)
    names = ("a", "b")
    network, scaling = Network((2, 2), loss=Loss.CROSS_ENTROPY), Scaling(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    model = Model(network, (identity,), (), names, scaling, ("t",), names, None)
    x = np.array([[np.nan, 0], [np.inf, np.nan], [-np.inf, np.inf], [3e38, 5], [-9, 1], [1 + 1.5 / 4096, 0], [1 - 2.5 / 4096, 0]])
    expected = np.array([[32767, 0], [32767, 0], [-32767, 0], [32767, 0], [-32767, 0], [2, 0], [-3, 0]])
    assert np.array_equal(outputs_in_c(model, x, tmp_path), expected)
    assert np.array_equal(outputs_in_micropython(model, x, tmp_path), expected)
    assert np.array_equal(predict(model, x[3:]).outputs, expected[3:])


def test_the_header_is_c_plus_plus_too(tmp_path: Path) -> None:
    for number, model in enumerate((MODELS["classes"], MODELS["regression"], MODELS["one output"])):
        export(model, "arduino", tmp_path, f"sketch{number}")
        header = tmp_path / f"sketch{number}" / f"sketch{number}.h"
        assert (tmp_path / f"sketch{number}" / f"sketch{number}.ino").exists()
        command = ["g++", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror", "-fsyntax-only", "-xc++", header]
        subprocess.run(command, check=True)


def test_the_inference_part_needs_nothing_else(tmp_path: Path) -> None:
    """One file, the library's own, next to the header of numbers; two networks share it, next to the learner's header."""
    files = export(MODELS["classes"], "c", tmp_path / "one.h", "one")
    assert files == [tmp_path / "one.h", tmp_path / INFERENCE]
    export(MODELS["regression"], "c", tmp_path / "two.h", "two")
    library = firmware_root() / "firmware" / "lib" / "anp" / "src"
    assert (tmp_path / INFERENCE).read_bytes() == (library / INFERENCE).read_bytes()
    (tmp_path / "anp.h").write_bytes((library / "anp.h").read_bytes())
    (tmp_path / "main.c").write_text('#include "anp.h"\n#include "one.h"\n#include "two.h"\nint main(void) { return 0; }\n')
    for compiler, standard in (("gcc", "c11"), ("g++", "c++11")):
        warnings = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
        language = ["-xc++"] if compiler == "g++" else []
        command = [compiler, f"-std={standard}", *warnings, *language, "main.c", "-o", "main"]
        subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("file", [INFERENCE, INFERENCE.upper()])
def test_the_header_does_not_take_the_name_of_what_it_includes(file: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="name another file with --out"):
        export(MODELS["classes"], "c", tmp_path / file, "net")
    assert not [*tmp_path.iterdir()]


def test_names_of_every_kind_stay_texts(tmp_path: Path) -> None:
    strange = ('a "quoted" */ /* name', "ü\n\\?", "??/", "x" * 50, '"""', "%d")
    model = random_model((6, 6))
    named = Model(
        model.network, model.weights, model.matrices, strange, model.input_scaling, ("t",), strange, None, {"run": '*/ """ \\ ??/'}
    )
    x = rows_for(model, 20)
    expected = predict(model, x)
    assert np.array_equal(outputs_in_c(named, x, tmp_path), expected.outputs)
    assert np.array_equal(outputs_in_micropython(named, x, tmp_path), expected.outputs)
    program = f"import exported; print([exported.predict(row) for row in {x.tolist()}])"
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ast.literal_eval(run.stdout) == [strange[number] for number in expected.classes]


@pytest.mark.parametrize("name", ["2nd", "for", "int", "a b", "", "é", "anp", "anp_inference"])
def test_a_name_that_programs_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be a name"):
        program_name(MODELS["classes"], name)


@pytest.mark.parametrize(
    ("data", "name"), [("iris", "iris"), ("My data-2", "my_data_2"), ("2024", "model_2024"), ("int", "int_model"), ("ü", "model")]
)
def test_the_name_of_the_data_becomes_a_name(data: str, name: str) -> None:
    model = MODELS["classes"]
    named = Model(
        model.network, model.weights, (), model.inputs, model.input_scaling, model.targets, model.classes, None, {"data": data}
    )
    assert program_name(named, None) == name


def test_text_literals_are_ascii() -> None:
    assert text_literal('é"\\?') == '"\\303\\251\\042\\134\\077"'
    for text in ("é\u5bff\U0001f600", '"""\\ ??/\n\x00\ud800'):
        assert python_literal(text).isascii()
        assert ast.literal_eval(python_literal(text)) == text
