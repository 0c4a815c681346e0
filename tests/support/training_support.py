"""What tests of training share: data written as a user's file, who watches a training, what is compared between runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from mtjlearn.cli import main
from mtjlearn.runs import read_metrics

Progress = Callable[[str, int, int], None]
TIMES = {"seconds"}


class Watcher:
    """Notes what a training tells; may do something at every progress (phase, steps done, steps in all)."""

    def __init__(self, at_progress: Progress | None = None) -> None:
        self.notes: list[str] = []
        self.phases: list[str] = []
        self._at_progress = at_progress

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        assert 0 < done <= total
        assert loss is None or loss >= 0
        assert rate is None or rate > 0
        if phase not in self.phases:
            self.phases.append(phase)
        if self._at_progress is not None:
            self._at_progress(phase, done, total)


def interrupt_after(steps: int, phase: str = "board") -> Progress:
    """Ctrl-C once this many steps of a phase are done."""

    def interrupt(at: str, done: int, total: int) -> None:
        if at == phase and done >= steps:
            raise KeyboardInterrupt

    return interrupt


def untimed_metrics(path: Path) -> list[dict[str, Any]]:
    """A run's metrics without what depends on the clock."""
    return [{name: value for name, value in record.items() if name not in TIMES} for record in read_metrics(path)]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A CSV file as users have them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def two_moons(path: Path, samples: int = 400, seed: int = 7) -> Path:
    """Two half moons around each other, a class in words."""
    from sklearn.datasets import make_moons

    points, sides = make_moons(samples, noise=0.15, random_state=seed)
    rows = ((f"{x:.5f}", f"{y:.5f}", ("upper", "lower")[side]) for (x, y), side in zip(points, sides, strict=True))
    return write_csv(path, ("x", "y", "side"), rows)


def diabetes(path: Path) -> Path:
    """scikit-learn's diabetes data: how far the disease progresses in a year, from ten measurements."""
    from sklearn.datasets import load_diabetes

    source = load_diabetes(scaled=False)
    rows = ((*map(str, inputs), f"{target:g}") for inputs, target in zip(source.data, source.target, strict=True))
    return write_csv(path, (*source.feature_names, "progression"), rows)


def train(*arguments: object) -> Result:
    """``mtjlearn train`` with these arguments."""
    return CliRunner().invoke(main, ["train", *map(str, arguments), "--json"])


def result_of(found: Result) -> dict[str, Any]:
    """What a command that went well printed."""
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def mistake(*arguments: object) -> str:
    """The line that a mistake is reported in."""
    found = train(*arguments)
    assert found.exit_code == 2, found.stderr
    assert "Traceback" not in found.output
    *before, line = found.stderr.splitlines()
    assert len(before) <= 1, before  # what was to be trained, once that is known
    assert line.startswith("mtjlearn: ")
    if found.stdout:
        assert f"mtjlearn: {json.loads(found.stdout)['error']}" == line
    return line
