"""docs/tutorials/own-sketch.md to its end: the sketch of the page, with what a board learned, predicts on a simulated Uno."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from places import PROJECT
from simulated_avr import Simulate
from training_support import Watcher

from mtjlearn.models.export import export
from mtjlearn.runs import Run
from mtjlearn.training import default_plan, train
from mtjlearn.training.models import model_of_run

PAGE = (PROJECT / "docs" / "tutorials" / "own-sketch.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.slow


def test_the_path_has_at_most_eight_commands() -> None:
    commands = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    assert commands[0] == "make demo"
    assert len(commands) <= 8


def test_the_sketch_of_the_page_predicts(
    tmp_path: Path, pio: Callable[..., str], arduino_core: None, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = default_plan("iris", seed=0, epochs=20, board="native", reference=False)
    run = Run.create(tmp_path, "demo", plan.name, plan.seed, plan.config())
    train(plan, run, Watcher())
    (name,) = re.findall(r"--to arduino --name (\w+)", PAGE)
    export(model_of_run(run.path), "arduino", None, name)
    (sketch,) = re.findall(r"^```cpp\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / name / f"{name}.ino").write_text(sketch, encoding="utf-8")
    (compile_,) = re.findall(r"^\.venv/bin/pio (ci .*)$", PAGE, re.MULTILINE)
    words = shlex.split(compile_)
    pio(*(tmp_path / word if word in (name, f"{name}-uno") else word for word in words), "--project-option", "platform=atmelavr")
    (elf,) = re.findall(r"simavr .* (\S+\.elf)`", PAGE)
    (said,) = re.findall(r"The board prints `(\w+)`", PAGE)
    with simulate("atmega328p", tmp_path / elf) as chip:
        chip.read_until(f"{said}\r\n{said}\r\n".encode())
