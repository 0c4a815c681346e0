"""What `mtjlearn bench --board micropython` measures of the learner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from micropython_support import Interpreter

from mtjlearn.bench.desktop import micropython
from mtjlearn.bench.phases import BenchError
from mtjlearn.cli.view.bench_desktop import tell_micropython


@pytest.fixture(autouse=True)
def _interpreter(interpreters: Callable[[str], Interpreter]) -> None:
    interpreters("viper")


@pytest.mark.thorough
def test_steps_heap_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[Any] = []
    nets = micropython.micropython_steps(2, lambda *parts: shown.append(parts))
    assert list(nets) == ["2-2-2-1", "4-8-3"]
    assert [parts[0] for parts in shown] == [0, 1]
    for one in nets.values():
        for how in ("viper", "bytecode", "c"):
            assert 0 < one[how]["min"] <= one[how]["steps_per_s"] <= one[how]["max"]
        # 20 times on a computer with nothing else to do
        assert one["viper"]["steps_per_s"] > 3 * one["bytecode"]["steps_per_s"]
        assert one["ratio"] == pytest.approx(one["viper"]["steps_per_s"] / one["c"]["steps_per_s"])
        assert one["learner_bytes"] > one["arena_bytes"]
    sizes = micropython.compiled_bytes()
    assert {"learner.mpy", "forward.mpy", "update.mpy", "loss.mpy", "noise.mpy", "decorrelation.mpy"} < set(sizes)
    tell_micropython(nets, sizes)
    assert f"together {sum(sizes.values()):,}" in capsys.readouterr().out


def test_an_interpreter_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micropython, "NOISE_BUFFER", 0)
    with pytest.raises(BenchError, match="ValueError: no noise"):
        micropython.micropython_steps(1)
