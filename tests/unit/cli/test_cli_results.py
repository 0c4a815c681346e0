"""What ``mtjlearn noise``, ``show``, ``demo`` and ``sweep`` print of figures that are given here."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import numpy as np
import pytest
from click.testing import CliRunner
from model_support import random_model
from views_support import Told

from mtjlearn.cli import demo, show, sweep
from mtjlearn.cli.view import noise
from mtjlearn.cli.view.command import command
from mtjlearn.models.summary import Layer, Score
from mtjlearn.noise import Recording, characterise
from mtjlearn.noise.verdict import board_hints, verdict
from mtjlearn.noise.whole import Whole

RATE = 10_000.0


def recorded(scale: float = 1.0, rate: float | None = RATE, count: int = 6000) -> Recording:
    """A telegraph between 33 and 44 that switches at one in five samples, with some noise, and a hole in the middle."""
    generator = np.random.default_rng(3)
    states = np.cumsum(generator.random(count) < 0.2) % 2
    values = np.asarray((33 + 11 * states + np.rint(generator.normal(0, 0.6, count))) * scale, dtype=np.float64)
    return Recording(values, (0, count // 2), rate)


def shown(told: Told, source: noise.Source) -> dict[str, list[str]]:
    """The rows by their names; those without one belong to the row before."""
    noise._show(source, characterise(source.recording))
    rows: dict[str, list[str]] = {}
    for line in told():
        if len(line) > 1:
            rows[line[0]] = line[1:]
        else:
            next(reversed(rows.values()), []).extend(line)
    return rows


def test_a_recording_of_codes_is_shown_in_its_units(told: Told) -> None:
    source = noise.Source("a.npz", recorded())
    summary = characterise(source.recording)
    rows = shown(told, source)
    levels = summary.levels
    assert rows["levels"] == [f"{levels.low:.4g} and {levels.high:.4g} codes, {levels.split:.3g} apart"]
    assert rows["observation noise"] == [f"{levels.spread:.3g} codes"]
    assert rows["duty cycle"] == [f"high {summary.duty:.1%} of the time"]
    assert rows["switching"] == [f"{summary.switches:,} times, {summary.probability:.2%} of the samples"]
    assert summary.switching_rate is not None
    assert summary.dwell_low is not None
    assert summary.dwell_high is not None
    assert summary.correlation_time is not None
    assert rows["switching rate"] == [f"{summary.switching_rate:,.0f} per second"]
    assert rows["mean dwell times"] == [f"low {1000 * summary.dwell_low:.3g} ms, high {1000 * summary.dwell_high:.3g} ms"]
    assert rows["correlation time"] == [f"{1000 * summary.correlation_time:.3g} ms"]
    assert rows["independent samples"] == [f"{summary.independent_rate:,.0f} per second"]
    [told_lags] = rows["autocorrelation"]
    assert told_lags.endswith(" samples")
    assert [part.split(" at ")[1] for part in told_lags.removesuffix(" samples").split(", ")] == ["1", "2", "5", "10", "20", "50"]
    assert float(told_lags.split(" at ")[0]) == pytest.approx(0.6, abs=0.05)
    [entropy] = rows["min-entropy"]
    assert float(entropy.split()[1]) == pytest.approx(summary.min_entropy, abs=0.0101)
    assert float(entropy.split()[1]) <= summary.min_entropy, "never more than was estimated"
    assert rows["recorded"] == ["6,000 samples, 1 holes"]
    assert not {"read as", "the whole file", "the board's own tests"} & rows.keys()


def test_volts_are_shown_in_millivolts_too_and_a_file_with_its_layout(told: Told) -> None:
    whole = Whole(1_000_000, 7, 0.04, 0.005, 0.25, 0.1, 0.3, 43_210)
    rows = shown(told, noise.Source("a.csv", recorded(0.001), layout="a column of numbers", whole=whole))
    assert rows["levels"][0].endswith(" V, 0.011 apart")
    assert rows["levels"][1].endswith(" mV, 11 apart")
    assert " V, 0.6" in rows["observation noise"][0]
    assert rows["observation noise"][0].endswith(" mV")
    assert rows["read as"] == ["a column of numbers, in V, 10,000 samples per second"]
    assert rows["the whole file"] == [
        "1,000,000 samples, 7 holes; high 25.0% of the time, 43,210 switches",
        "all other figures are of its first samples",
    ]


def test_without_a_rate_nothing_is_said_per_second(told: Told) -> None:
    rows = shown(told, noise.Source("a.csv", recorded(rate=None), layout="numbers"))
    assert not {"switching rate", "mean dwell times", "correlation time", "independent samples"} & rows.keys()
    assert rows["read as"] == ["numbers, in codes"]


def test_what_never_varies_has_no_autocorrelation(told: Told) -> None:
    assert shown(told, noise.Source("a.csv", Recording(np.full(300, 7.0))))["autocorrelation"] == ["none: all samples are the same"]


@pytest.mark.parametrize(("top", "hint"), [(0, "at ground"), (1, "full scale: the junction is open"), (0.25, "25.0% of the codes")])
def test_the_ends_of_the_scale_are_named_before_all_else(top: float, hint: str) -> None:
    codes = recorded().values
    codes[: round(top * codes.size)] = 1023
    if top == 0:
        codes[:] = 0
    summary = characterise(Recording(codes, rate=RATE))
    found = board_hints(codes, 1023, summary, None)
    assert hint in found[0]
    assert found[1:] == (list(summary.hints) if top == 0.25 else [])
    assert board_hints(codes, 1023, summary, "stuck") == ["the board's own tests: stuck", *summary.hints]
    assert board_hints(recorded().values + 1, 1023, summary, None) == list(summary.hints)
    ones = np.ones(300)
    assert "at ground" not in " ".join(board_hints(ones, 1023, characterise(Recording(ones)), None))


def test_a_verdict_follows_from_faults_and_hints() -> None:
    summary = characterise(recorded())
    assert verdict(summary, [], codes=True, broken=False) == "good"
    assert verdict(summary, ["something"], codes=True, broken=False) == "usable"
    assert verdict(summary, [], codes=True, broken=True) == "unusable"
    # A board needs codes that vary; volts in any unit are somebody's to amplify.
    small = characterise(recorded(1e-4))
    assert [verdict(small, [], codes=codes, broken=False) for codes in (True, False)] == ["unusable", "good"]
    assert verdict(characterise(Recording(np.full(300, 7.0))), [], codes=False, broken=False) == "unusable"


def test_layers_are_shown_with_their_range(told: Told) -> None:
    show._print_layers([Layer(4, 8, -1.25, 2.5, 0.75, 3, True), Layer(8, 3, -0.5, 0.125, 0.0625, 0, False)])
    assert told() == [
        ["layer", "size", "weights", "rms", "saturated"],
        ["1", "4 to 8, decorrelated", "-1.250 to 2.500", "0.750", "3"],
        ["2", "8 to 3", "-0.500 to 0.125", "0.062", "0"],
    ]


@pytest.mark.parametrize("most", [2, 20])
def test_classes_are_shown_with_what_they_are_taken_for(told: Told, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(show, "_MOST_CLASSES", most)
    model = random_model((4, 8, 3))
    assert model.classes is not None
    show._print_score(model, Score(30, np.array([[9, 1, 0], [0, 8, 2], [1, 0, 9]]), 26 / 30, 1 / 3))
    table = [["class \\ predicted", *model.classes]] + [
        [name, *row] for name, row in zip(model.classes, (["9", "1", "0"], ["0", "8", "2"], ["1", "0", "9"]), strict=True)
    ]
    assert told() == [
        *(table if most > 2 else []),
        ["test accuracy 0.8667 on 30 samples; always the most frequent class: 0.3333"],
    ]


@pytest.mark.parametrize(("r2", "said"), [(0.51234, "0.5123"), (None, "undefined: all test targets are equal")])
def test_targets_are_shown_with_their_errors(told: Told, r2: float | None, said: str) -> None:
    model = random_model((5, 4, 1), classes=False)
    show._print_score(
        model, Score(30, r2=r2, rms_error=(0.5,), baseline_rms_error=(2.0,), error_quantiles=((-1.0, -0.5, 0.0, 0.25, 1.5),))
    )
    assert told() == [
        ["target", "rms error", "of the mean", "error at 5 %", "25 %", "50 %", "75 %", "95 %"],
        [model.targets[0], "0.5", "2", "-1", "-0.5", "0", "0.25", "1.5"],
        [f"test R2 {said}, on 30 samples"],
    ]


def test_the_demo_says_what_it_showed_and_where_it_is(told: Told) -> None:
    figures = {"test_accuracy": 0.9333, "reference_test_accuracy": 0.96666, "steps": 12_000, "skipped": 1, "samples_per_s": 4321.6}
    report = SimpleNamespace(**figures, run="runs/one")
    exact = SimpleNamespace(steps=2560, mismatches=0)
    compared = {rule: SimpleNamespace(ratio=ratio, ci95=(0.9, 1.2)) for rule, ratio in (("anp", 1.02), ("danp", 0.98))}
    demo._show("native", cast(Any, report), cast(Any, exact), cast(Any, compared))
    assert told() == [
        ["test accuracy on the board", "0.933"],
        ["float reference, same seed", "0.967"],
        ["training steps", "12,000, of these 1 skipped"],
        ["streamed and trained", "4,322 samples/s over the line"],
        ["bit for bit against the model", "2,560 steps, 0 mismatches"],
        ["final loss over float's, XOR anp", "1.02 (95 % interval 0.90 to 1.20)"],
        ["final loss over float's, XOR danp", "0.98 (95 % interval 0.90 to 1.20)"],
        ["noise", str(Path("runs/one/noise.png"))],
        ["loss curve", str(Path("runs/one/loss.png"))],
        ["run directory", str(Path("runs/one"))],
    ]


@pytest.mark.parametrize("failed", [[], [{"error": "the board is gone"}]])
def test_a_sweep_says_what_failed_and_where_its_rows_are(failed: list[dict[str, str]]) -> None:
    found = SimpleNamespace(damaged=2, failed=failed, rows=[{}, {}, {}], directory="s", path="s/results.parquet", computed=1)

    @click.command()
    @command
    def example() -> dict[str, Any]:
        """Reports."""
        return sweep._report(cast(Any, found), {}, None, maximise=False)

    done = CliRunner().invoke(example, ["--json"])
    assert done.exit_code == (1 if failed else 0)
    assert json.loads(done.stdout)["failed"] == len(failed)
    assert done.stderr.splitlines() == [
        "2 damaged lines of the journal were not trusted, and their runs computed again",
        *["1 of 3 runs failed, the first with: the board is gone"] * len(failed),
        *["compute them again with: mtjlearn sweep --resume s --retry-failed"] * len(failed),
        "a row per run is in s/results.parquet; plot slices with: mtjlearn sweep --plot s",
    ]
    assert [sweep._count(number, "run") for number in (1, 2000)] == ["1 run", "2,000 runs"]
