"""Exported networks on the simulated ATmega328P find what a board, NumPy, C on a desktop and MicroPython find, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_support import outputs_in_c, outputs_in_micropython, random_model, rows_for, trained_model
from numpy.typing import NDArray

from mtjlearn.bench.chip.inference import FLASH, Built, build, run
from mtjlearn.bench.chip.inference_programs import exported
from mtjlearn.board import Board
from mtjlearn.datasets import load, read_features
from mtjlearn.models import Model, predict
from mtjlearn.virtual.native import start_native

ROWS = 1000


def on_the_chip(model: Model, x: NDArray[np.float64], folder: Path, *flags: str) -> tuple[NDArray[np.int16], Built]:
    """The outputs for rows in single precision, and the program; a warning of the compiler is an error."""
    program = exported(model)
    built = build(program, folder, ["-Wall", "-Wextra", "-Werror", *flags])
    assert built is not None
    answers, cycles = run(built, program, x.astype(np.float32))
    assert (cycles > 0).all()
    return np.frombuffer(b"".join(answers), "<i2").reshape(len(x), -1), built


@pytest.mark.parametrize("name", ["iris", *(pytest.param(name, marks=pytest.mark.slow) for name in ("wine", "digits"))])
def test_what_was_learned_is_the_same_everywhere(name: str, tmp_path: Path) -> None:
    """1,000 rows of the data, moved a little: the chip, a board, C on this computer, MicroPython and ``mtjlearn predict``."""
    model = trained_model(name, tmp_path)
    table = read_features(name, model.inputs).values
    rng = np.random.default_rng(0)
    x = table[rng.integers(0, len(table), ROWS)] + rng.normal(0, 0.1, (ROWS, table.shape[1]))
    x = x.astype(np.float32).astype(np.float64)
    expected = predict(model, x).outputs
    assert np.unique(expected).size > ROWS / 2
    found, built = on_the_chip(model, x, tmp_path)
    assert np.array_equal(found, expected)
    assert built.fits
    assert built.added.flash < FLASH / 4
    with start_native() as process, Board.open(process.url) as board:
        assert np.array_equal(predict(model, x, board).outputs, expected)
    assert np.array_equal(outputs_in_c(model, x, tmp_path), expected)
    assert np.array_equal(outputs_in_micropython(model, x, tmp_path), expected)
    dataset = load(name, seed=1)
    right = predict(model, table[dataset.test_rows]).classes == dataset.y_test
    assert right.mean() > 0.85


NETWORKS = {
    "saturating sums": random_model((40, 30, 3), largest=32767),
    "one output": random_model((3, 5, 1)),
    "single layer": random_model((7, 4)),
    "decorrelated": random_model((4, 6, 3), decorrelated=True),
    "slope 1/8": random_model((4, 6, 3), slope=3),
    "more inputs than a byte counts": random_model((300, 3), largest=32767),
}


@pytest.mark.parametrize("flags", [(), ("-DANP_PORTABLE",)], ids=["assembly", "C"])
@pytest.mark.parametrize("name", NETWORKS)
def test_random_networks(name: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    """Weights and features of all sizes, in assembly and in C."""
    x = rows_for(NETWORKS[name], 30)
    found, _ = on_the_chip(NETWORKS[name], x, tmp_path, *flags)
    assert np.array_equal(found, predict(NETWORKS[name], x).outputs)


def test_every_limit_of_a_sum(tmp_path: Path) -> None:
    """The largest sum of the widest layer that an ATmega328P can hold, and what lies next to the limits of 16 bits."""
    model = random_model((300, 2), largest=1)
    for weight in (32767, -32767):
        model.weights[0][:] = weight
        for feature in (1e9, -1e9):
            x = model.input_scaling.mean[None] + feature * np.ones((1, 300))
            found, _ = on_the_chip(model, x.astype(np.float32).astype(np.float64), tmp_path)
            assert np.array_equal(found, predict(model, x).outputs)
            assert abs(int(found[0, 0])) == 32767
