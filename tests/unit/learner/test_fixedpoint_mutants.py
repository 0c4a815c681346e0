"""One change in one place of the integer model is always caught by the step vectors."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fixedpoint_support import load, vector_module

import mtjlearn.fixedpoint

pytestmark = pytest.mark.thorough

SOURCE = Path(mtjlearn.fixedpoint.__file__).parent

MUTANTS: list[tuple[str, str, str]] = [
    # Saturation and rounding
    ("arithmetic", "INT16_LIMIT = 32767", "INT16_LIMIT = 32766"),
    ("arithmetic", "INT32_LIMIT = 2**31 - 1", "INT32_LIMIT = 2**31"),
    ("arithmetic", "UINT32_LIMIT = 2**32 - 1", "UINT32_LIMIT = 2**32"),
    ("arithmetic", "limited(value, -INT16_LIMIT,", "limited(value, -INT16_LIMIT - 1,"),
    ("arithmetic", "(value + (np.left_shift(1, shift) >> 1)) >> shift", "value >> shift"),
    ("arithmetic", "(np.left_shift(1, shift) >> 1)", "(np.left_shift(1, shift) >> 1) - 1"),
    ("arithmetic", "ONE = 4096", "ONE = 4095"),
    ("arithmetic", "shift = 16 - (bit_length(value)", "shift = 15 - (bit_length(value)"),
    # Draws and dither
    ("draws", "DITHER_STEP = 40503", "DITHER_STEP = 40505"),
    ("draws", "DITHER_NEAREST = 32768", "DITHER_NEAREST = 32767"),
    ("draws", "[1, 3, 7, 9]", "[1, 3, 7, 11]"),
    ("draws", "((state << 13)", "((state << 12)"),
    ("draws", "dither=draw & 65535", "dither=draw & 65534"),
    ("draws", "((draw >> 16) & 255) * 5) >> 4", "((draw >> 16) & 255) * 5) >> 5"),
    ("draws", "((draw >> 24) * NOISE_BUFFER) >> 8", "((draw >> 24) * (NOISE_BUFFER - 1)) >> 8"),
    ("draws", "3 * 2**24 // fan_in", "3 * 2**24 // (fan_in + 1)"),
    ("draws", "return int(isqrt(", "return int(1 + isqrt("),
    ("draws", "(rows >> 15) << 16", "(rows >> 15) << 15"),
    ("draws", "DITHER_STEP * np.arange(count, dtype=np.int64)", "DITHER_STEP * np.arange(1, 1 + count)"),
    # Noise
    ("noise", "bit_length(deviation) - 13", "bit_length(deviation) - 12"),
    ("noise", "(scaled >> 1)", "(scaled >> 2)"),
    ("noise", "(sigma * 65536 + (scaled >> 1))", "(sigma * 65535 + (scaled >> 1))"),
    ("noise", "sat16(centred, counts) * gain", "centred * gain"),
    ("noise", "return round_shift(sat16(centred, counts) * gain, 16)", "return (sat16(centred, counts) * gain) >> 16"),
    ("noise", "(noise_std * NOISE_BUFFER) >> 8", "((noise_std * NOISE_BUFFER) >> 8) + 1"),
    ("noise", "self.total = self.codes.sum(axis=1)", "self.total = self.codes.sum(axis=1) + 1"),
    # Forward pass
    ("forward", "return sat16(round_shift(rows @ inputs, 12), counts)", "return sat16((rows @ inputs) >> 12, counts)"),
    ("forward", "-((-activations) >> slope)", "-((-activations) >> slope - 1)"),
    ("forward", "-((-activations) >> slope)", "activations >> slope"),
    ("forward", "rows >> 16 if", "(rows + 32768) >> 16 if"),
    (
        "forward",
        "return sat16(round_shift(matrix @ inputs, 14), counts)",
        "return sat16((matrix @ inputs) >> 14, counts)",
    ),
    ("forward", "matrix @ inputs", "matrix.transpose(0, 2, 1) @ inputs"),
    ("forward", "sat16(a + noise[:, unit : unit + units], counts)", "a + noise[:, unit : unit + units]"),
    ("forward", "inputs = samples[:, :, None]", "inputs = np.repeat(samples[:, :, None], 2, axis=2)"),
    # Losses
    ("losses", "LOG2_E = 1549082005", "LOG2_E = 1549082069"),
    ("losses", "LN_2 = 744261118", "LN_2 = 744261120"),
    ("losses", "+ 2**21) >> 22", ") >> 22"),
    ("losses", "round_shift(exp2neg(", "np.right_shift(exp2neg("),
    ("losses", "(t * (16384 - t)) >> 15", "(t * (16384 - t)) >> 16"),
    ("losses", "f = round_shift(total - (1 << (24 + n)), 4 + n)", "f = (total - (1 << (24 + n))) >> (4 + n)"),
    ("losses", "here + round_shift(d1 * t - d2 * q, 10)", "here + ((d1 * t - d2 * q) >> 10)"),
    ("losses", "0, INT32_LIMIT, counts", "0, INT32_LIMIT - 1, counts"),
    ("losses", "sat16(outputs - targets, counts)", "outputs - targets"),
    # Global factor
    ("update", "- 74", "- 73"),
    ("update", "(norm16(size, size_bits) * 2**15) //", "(norm16(size, size_bits) * 2**15 + 2**14) //"),
    ("update", "p >> (p_bits - 15)", "p >> (p_bits - 14)"),
    ("update", "np.where(loss_difference > 0, -g, g)", "np.where(loss_difference > 0, g, -g)"),
    ("model", "learning_rate_q * self.network.noisy_units", "learning_rate_q * (self.network.noisy_units + 1)"),
    ("model", "sat16(a[:, :, 0] - a[:, :, 1], self.saturations)", "a[:, :, 0] - a[:, :, 1]"),
    # Weight update
    (
        "update",
        "bit_length(2**24 + (inputs * inputs).sum(axis=1) - 1)",
        "bit_length(2**24 + (inputs * inputs).sum(axis=1))",
    ),
    ("update", "room = 12 + h", "room = 11 + h"),
    ("update", "room - MIDDLE >= largest", "room - MIDDLE > largest"),
    ("update", "room - FINEST >= largest", "room - FINEST > largest"),
    ("update", "np.where(shortened, largest, room - s)", "np.where(shortened, largest + 1, room - s)"),
    ("update", "MAX_SHIFT = 30", "MAX_SHIFT = 29"),
    ("update", "counts += shortened & active", "pass"),
    ("update", "(g * da + dither(word, k)) >> k", "(g * da) >> k"),
    ("update", "(product + dither(word, s)) >> s", "product >> s"),
    ("update", "(product + dither(word, 8)) >> 8", "product >> 8"),
    ("update", "np.maximum(16 - s, 0)", "np.maximum(15 - s, 0)"),
    ("model", "[each[:, :, 0] for each in passes.inputs]", "[each[:, :, -1] for each in passes.inputs]"),
    ("model", "(energy != 0) & (loss_difference != 0)", "energy != 0"),
    ("model", "np.where(cause.active, count, 0) * DITHER_STEP", "count * DITHER_STEP"),
    # Decorrelation update
    ("update", "k = 37 - bits", "k = 36 - bits"),
    ("update", "xbar[:, None, :] @ matrix, 14", "matrix @ xbar[:, :, None], 14"),
    (
        "update",
        "c = -((xbar * mantissa + dither(words[:, :, 0], k)) >> k)",
        "c = (dither(words[:, :, 0], k) - xbar * mantissa) >> k",
    ),
    ("update", "round_shift(xbar[:, :, None] * matrix, 14)", "((xbar[:, :, None] * matrix) >> 14)"),
    ("update", "dither(words[:, :, 1:], 16)", "dither(words[:, :, :-1], 16)"),
    # The rules anp-exact and feedback
    ("rules", "PROBE_EVERY = 4", "PROBE_EVERY = 5"),
    ("rules", "bit_length(total) - 6", "bit_length(total) - 7"),
    ("rules", "(42 if loss is Loss.SQUARED else 43)", "43"),
    ("rules", "(42 if loss is Loss.SQUARED else 43)", "42"),
    ("rules", "np.where(given < 0, small, signal)", "np.where(given <= 0, small, signal)"),
    ("rules", "-(-signal >> slope)", "signal >> slope"),
    ("rules", "bit_length(energy - 1)", "bit_length(energy)"),
    ("rules", "+ _MU_BITS, 1)", "+ _MU_BITS, 0)"),
    ("rules", "rest = sat16(output_change - expected, counts)", "rest = output_change - expected"),
]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package ``mutant`` that starts as a copy of the model."""
    package = tmp_path / "mutant"
    package.mkdir()
    for source in SOURCE.glob("*.py"):
        text = source.read_text(encoding="utf-8").replace("from ..", "from mtjlearn.")
        (package / source.name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "mutant"]:
        del sys.modules[name]


def model() -> ModuleType:
    importlib.invalidate_caches()
    return importlib.import_module("mutant")


STRIDE = 16


def first_mismatch(package: ModuleType) -> str | None:
    """Name of the first step vector that the package does not reproduce.

    All are tried; neighbours are alike, so that in strides a mutant is found earlier.
    """
    run, cases = vector_module("steps").run, load("steps.json") + load("rules.json")
    for case in (case for start in range(STRIDE) for case in cases[start::STRIDE]):
        if run(case, package.FixedNetwork) != case["expected"]:
            return str(case["name"])
    return None


def test_unchanged_copy_reproduces_all(workshop: Path) -> None:
    assert first_mismatch(model()) is None


@pytest.mark.parametrize(("module", "old", "new"), MUTANTS, ids=[f"{m}: {old} -> {new}" for m, old, new in MUTANTS])
def test_mutant_is_caught(workshop: Path, module: str, old: str, new: str) -> None:
    path = workshop / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must occur once in {module}.py; bring the mutant up to date"
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert first_mismatch(model()), "the step vectors do not notice this change"
