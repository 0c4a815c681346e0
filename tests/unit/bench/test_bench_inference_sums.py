"""What a prediction costs on a chip: programs, sizes and answers, with a faked compiler and a faked chip."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from model_support import random_model

from mtjlearn.bench.chip import inference
from mtjlearn.bench.chip.inference_programs import exported, plain_float
from mtjlearn.bench.phases import BenchError
from mtjlearn.firmware.sizes import ImageSize


def test_the_programs_answers_are_read_as_they_are_written() -> None:
    model = random_model((4, 8, 3))
    integers, floats = exported(model), plain_float(model)
    assert (integers.inputs, integers.answer_bytes, integers.stack) == (4, 6, 32)
    assert (floats.inputs, floats.answer_bytes, floats.stack) == (4, 12, 64)
    for best in range(3):
        values = np.full(3, -5.0)
        values[best] = 2.0
        assert integers.class_of(values.astype("<i2").tobytes()) == best
        assert floats.class_of(values.astype("<f4").tobytes()) == best


def test_a_plain_program_passes_layer_after_layer() -> None:
    model = random_model((4, 8, 5, 3))
    text = plain_float(model).files["program.c"]
    passes = [line.strip() for line in text.splitlines() if line.strip().startswith("layer(rows_")]
    assert passes == ["layer(rows_0, x, 4, y, 8, 1);", "layer(rows_1, y, 8, x, 5, 1);", "layer(rows_2, x, 5, y, 3, 0);"]
    assert "((float *)answer)[i] = y[i];" in text
    assert "float x[8], y[8];" in text
    assert "i < 3;" in text
    assert f"sum * {2.0**-7}f" in text
    first = model.readable_weights()[0].ravel() / 4096
    assert "rows_0[] PROGMEM = {" + f"{first[0]:.8e}f, {first[1]:.8e}f" in text
    constant, std = model.input_scaling.std[:2]
    assert constant == 0
    assert f"factor[] PROGMEM = {{0.00000000e+00f, {1 / std:.8e}f" in text


def test_the_place_of_the_answer_follows_the_number_of_layers() -> None:
    assert "[i] = x[i];" in plain_float(random_model((4, 8, 3))).files["program.c"]
    assert "[i] = y[i];" in plain_float(random_model((4, 3))).files["program.c"]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands of the compiler, which writes an image of its arguments' number."""
    commands: list[list[str]] = []

    def run(command: list[Any], **options: Any) -> SimpleNamespace:
        words = list(map(str, command))
        commands.append(words)
        Path(words[words.index("-o") + 1]).write_text("-include" if "-include" in words else "empty")
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(inference.subprocess, "run", run)
    monkeypatch.setattr(inference, "find_avr_gcc", lambda: Path("avr-gcc"))
    return commands


@pytest.mark.parametrize(("flash", "ram", "fits"), [(32256, 1816, True), (32257, 1816, False), (32256, 1817, False)])
def test_a_program_adds_what_the_empty_one_lacks(
    monkeypatch: pytest.MonkeyPatch, compiled: list[list[str]], tmp_path: Path, flash: int, ram: int, fits: bool
) -> None:
    sizes = {"-include": ImageSize(flash, ram), "empty": ImageSize(1000, 100)}
    monkeypatch.setattr(inference.ImageSize, "read", lambda path: sizes[path.read_text()])
    program = exported(random_model((4, 8, 3)))
    built = inference.build(program, tmp_path, ["-O9"])
    assert built is not None
    # The program around it has features and answer of one byte each: 4 floats and 6 bytes are not the network's.
    assert built.added == ImageSize(flash - 1000, ram - 100 - (16 + 6) + 5)
    assert built.fits is fits
    empty, whole = compiled
    assert "-O9" in empty
    assert "-O9" in whole
    assert "-DINPUTS=4" in whole
    assert "-DANSWER_BYTES=6" in whole
    assert (tmp_path / "network.h").read_text() == program.files["network.h"]


def test_a_program_too_large_is_none_and_one_that_does_not_compile_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = exported(random_model((4, 8, 3)))
    monkeypatch.setattr(inference, "find_avr_gcc", lambda: Path("avr-gcc"))
    for said, shown in (
        ("size of array is too large", None),
        ("note: here\nx.c: error: no\nmore", "x.c: error: no"),
        ("odd\nlast", "odd"),
        ("", "no message"),
    ):
        failed = SimpleNamespace(returncode=1, stderr=said)
        monkeypatch.setattr(inference.subprocess, "run", lambda *_, failed=failed, **__: failed)
        if shown is None:
            assert inference.build(program, tmp_path) is None
        else:
            with pytest.raises(BenchError, match=f"does not compile: {shown}$"):
                inference.build(program, tmp_path)


class Chip:
    """A chip that says a byte at its start, then an answer for each row, some bytes at a time."""

    def __init__(self, answers: list[bytes], most: int = 3) -> None:
        self.pushed: list[bytes] = []
        self._answers, self._said, self._most, self._cycle = iter(answers), b"!", most, 0
        self.is_running = True

    def uno_create(self, path: bytes, *_: Any) -> Chip:
        assert path == b"program.elf"
        return self

    def uno_destroy(self, chip: Chip) -> None:
        pass

    def uno_hurry(self, chip: Chip) -> None:
        pass

    def uno_cycle(self, chip: Chip) -> int:
        return self._cycle

    def uno_run(self, chip: Chip, cycles: int) -> bool:
        self._cycle += cycles
        return self.is_running

    def uno_push(self, chip: Chip, data: bytes, count: int) -> None:
        assert len(data) == count
        self.pushed.append(data)
        self._said = next(self._answers)

    def uno_take(self, chip: Chip, buffer: bytearray, most: int) -> int:
        part, self._said = self._said[: self._most], self._said[self._most :]
        buffer[: len(part)] = part
        return len(part)


def library(chip: Chip) -> Callable[[], tuple[Any, Any]]:
    ffi = SimpleNamespace(
        gc=lambda made, destroy: made,
        NULL=None,
        new=lambda kind, most: bytearray(most),
        buffer=lambda buffer, count: buffer[:count],
    )
    return lambda: (ffi, chip)


def test_a_simulated_chip_says_answer_and_cycles_of_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    program = exported(random_model((2, 3)))
    answers = [b"abcdef" + struct.pack("<I", 70_000), b"ghijkl" + struct.pack("<I", 3)]
    chip = Chip(answers)
    monkeypatch.setattr(inference, "uno_library", library(chip))
    built = inference.Built(Path("program.elf"), ImageSize(0, 0), True)
    rows = np.array([[1.5, 2.0], [3.0, 4.0]], np.float32)
    said, cycles = inference.run(built, program, rows)
    assert said == [b"abcdef", b"ghijkl"]
    assert cycles.tolist() == [70_000, 3]
    assert chip.pushed == [row.tobytes() for row in rows]
    for stopped in (True, False):
        silent = Chip([b"abc"])
        silent.is_running = not stopped
        monkeypatch.setattr(inference, "uno_library", library(silent))
        with pytest.raises(BenchError, match="does not answer"):
            inference.run(built, program, rows)
        assert silent._cycle == 2000 if stopped else silent._cycle > 10 * inference.CLOCK


def test_predictions_are_compared_with_those_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model((4, 8, 3))
    told: list[tuple[int, int, str]] = []
    built = {"exported": True, "plain float": False, "emlearn float": None}
    shown: list[np.ndarray] = []
    names = iter(built)

    def build(program: Any, folder: Path) -> inference.Built | None:
        fits = built[next(names)]
        return None if fits is None else inference.Built(folder, ImageSize(500, 20), fits)

    def run(built: Any, program: Any, rows: np.ndarray) -> tuple[list[bytes], np.ndarray]:
        shown.append(rows)
        classes = inference.predict(model, rows.astype(np.float64)).classes
        classes[0] = (classes[0] + 1) % 3
        return [np.eye(3, dtype="<i2")[one].tobytes() for one in classes], np.arange(len(rows)) * 10

    monkeypatch.setattr(inference, "build", build)
    monkeypatch.setattr(inference, "run", run)
    monkeypatch.setattr(inference, "compiler_version", lambda image: "gcc")
    monkeypatch.setattr(inference.util, "find_spec", lambda name: None)
    found = inference.measure_inference(model, 11, lambda *now: told.append(now))
    assert told == [(0, 2, "exported"), (1, 2, "plain float")]
    assert found["programs"] == {
        "exported": {"flash": 500, "ram": 20, "fits": True, "cycles": {"median": 50.0, "most": 100}, "same": 10},
        "plain float": {"flash": 500, "ram": 20, "fits": False, "cycles": None, "same": None},
    }
    assert (found["network"], found["rows"], found["emlearn"]) == ("4-8-3", 11, None)
    [rows] = shown
    assert (rows.shape, rows.dtype) == ((11, 4), np.float32)
    # The first input is constant.
    apart = (rows - model.input_scaling.mean)[:, 1:] / model.input_scaling.std[1:]
    assert 0.5 < apart.std() < 1.5
