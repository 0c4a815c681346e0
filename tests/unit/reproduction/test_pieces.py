"""Pieces: each is kept as soon as it is done, computed once, and what ended a reproduction does not matter to its numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import mtjlearn.reproduction.plots.fig2 as plot_fig2
from mtjlearn import reproduction
from mtjlearn.reproduction import Options, fig2, pieces
from mtjlearn.reproduction.pieces import Piece, compute, stored_in
from mtjlearn.reproduction.reproduce import NUMBERS
from mtjlearn.runs import Run, RunError, read_meta


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, "reproduce", "fig2", 0, {"figure": "fig2"})


def test_what_is_stored_is_not_computed_again(run: Run) -> None:
    first = Piece("a/1", dict, {"value": 1.5, "list": [1, 2]})
    assert compute(run, [first], 1) == {"a/1": {"value": 1.5, "list": [1, 2]}}
    # The same key with a task that cannot be computed: nobody asks for it.
    again = [Piece("a/1", int, {"nonsense": 1}), Piece("a/2", dict, {"value": 2})]
    told: list[tuple[float, float, str]] = []
    assert compute(run, again, 1, lambda *args: told.append(args)) == {"a/1": {"value": 1.5, "list": [1, 2]}, "a/2": {"value": 2}}
    assert told == [(1.0, 2.0, ""), (2.0, 2.0, "a/2")]


def test_pieces_of_other_source_code_are_computed_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.metric(event="piece", piece="a/old", cpu_seconds=1.0, numbers={"value": 0})
    monkeypatch.setattr(pieces, "source", lambda: "0.0.1 before")
    compute(run, [Piece("a/1", dict, {"value": 1}), Piece("a/2", dict, {"value": 2})], 0)
    assert pieces.strange_in(run.path) == 1
    monkeypatch.setattr(pieces, "source", lambda: "0.0.1 after")
    assert pieces.strange_in(run.path) == 3
    both = [Piece("a/1", dict, {"value": 10}), Piece("a/old", dict, {"value": 20}), Piece("a/2", dict, {"value": 2})]
    begun: list[float] = []
    assert compute(run, both, 0, lambda done, *_: begun.append(done)) == {
        "a/1": {"value": 10},
        "a/old": {"value": 20},
        "a/2": {"value": 2},
    }
    assert begun[0] == 0
    assert pieces.strange_in(run.path) == 0
    assert stored_in(run.path)["a/1"] == {"value": 10}


def test_the_source_changes_with_any_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reproduction").mkdir()
    monkeypatch.setattr(pieces, "__file__", str(tmp_path / "reproduction" / "pieces.py"))
    seen = set()
    for text in ("a = 1", "a = 2"):
        (tmp_path / "module.py").write_text(text)
        seen.add(pieces.source.__wrapped__())
    assert len(seen) == 2


@pytest.mark.thorough
def test_an_error_of_a_piece_keeps_the_others(run: Run) -> None:
    # The one that takes longest begins first.
    pieces = [Piece("a/bad", Path.read_text, {"self": Path("nowhere")}), Piece("a/good", dict, {"value": 1}, seconds=2)]
    with pytest.raises(OSError, match="nowhere"):
        compute(run, pieces, 1)
    assert stored_in(run.path) == {"a/good": {"value": 1}}


def test_an_interrupted_figure_is_resumed_to_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig2, "SECONDS", 0.1)
    # Plots have tests of their own.
    monkeypatch.setattr(plot_fig2, "draw", lambda numbers, path: path.write_text(json.dumps(numbers)))

    def interrupt(done: float, total: float, note: str) -> None:
        if done:
            raise KeyboardInterrupt

    whole = reproduction.reproduce("fig2", Options(), tmp_path / "whole", jobs=0)
    with pytest.raises(KeyboardInterrupt, match="continue with: mtjlearn reproduce --resume"):
        reproduction.reproduce("fig2", Options(), tmp_path / "cut", jobs=0, progress=interrupt)
    [cut] = (tmp_path / "cut").iterdir()
    assert read_meta(cut)["state"] == "interrupted"
    assert len(stored_in(cut)) == 1
    with pytest.raises(RunError, match=f"is not finished; --resume {cut} computes the rest"):
        reproduction.redraw(cut)

    begun: list[float] = []
    # What another source computed is not mixed with what this one does.
    other = tmp_path / "other"
    shutil.copytree(cut, other)
    with monkeypatch.context() as changed:
        changed.setattr(pieces, "source", lambda: "another")
        mended = reproduction.resume(other, jobs=0)
    assert mended.again == 1
    assert mended.numbers == whole.numbers
    resumed = reproduction.resume(cut, jobs=0, progress=lambda done, total, note: begun.append(done))
    assert begun[0] == 1.5  # one of three pieces was there
    assert resumed.again == 0
    assert resumed.numbers == whole.numbers
    assert read_meta(cut)["result"]["cpu_seconds"].keys() == {"fig2"}
    assert json.loads((cut / NUMBERS).read_text()) == json.loads((whole.run / NUMBERS).read_text())
    with pytest.raises(RunError, match="is finished; --replot"):
        reproduction.resume(cut)

    plot = whole.plots["fig2"]
    before = plot.read_bytes()
    plot.unlink()
    drawn = reproduction.redraw(whole.run)
    assert drawn.numbers == whole.numbers
    assert plot.read_bytes() == before

    metrics = whole.run / "metrics.jsonl"
    metrics.write_bytes(b"".join(metrics.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(RunError, match="lacks a piece of fig2"):
        reproduction.redraw(whole.run)
