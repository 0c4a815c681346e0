"""Runs next to each other: which belong together, what the table and the curves say, and their metrics for other programs."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mtjlearn.cli import main
from mtjlearn.comparison import compare, read_training
from mtjlearn.comparison.export import EVENTS
from mtjlearn.comparison.plot import draw_comparison
from mtjlearn.runs import Run


def training(seed, *, eta=0.1, losses=(1.0, 0.5), accuracy=0.9, finish=True, steps=100, board="native", **more):
    """A run directory as a training leaves it."""
    network = {"sizes": [4, 8, 3], "learning_rate": eta, "seed": seed + 1}
    config = {"data": "iris", "rule": "anp", "board": board, "network": network, "seed": seed, **more}
    with Run.create(Path("runs"), "train", "iris", seed, config) as run:
        for number, loss in enumerate(losses, 1):
            run.metric(step=steps * number, epoch=number, loss=loss, test_accuracy=accuracy, skipped=0, seconds=2.0)
        if finish:
            run.finish({"test_accuracy": accuracy, "reference_test_accuracy": 0.95, "steps": steps * len(losses)})
    return run.path


def mtjlearn(*words):
    return CliRunner().invoke(main, [*map(str, words), "--json"])


def result_of(found):
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def mistake(found):
    assert found.exit_code == 2, found.output
    line = found.stderr.splitlines()[-1]
    assert "Traceback" not in found.output
    assert line.startswith("mtjlearn: ")
    return line


def test_seeds_belong_together_and_rates_do_not(here):
    paths = [training(seed, losses=(1.0, 0.25 * seed), accuracy=0.8 + seed / 20) for seed in (1, 2, 3)]
    other = training(1, eta=0.2)
    found = compare([read_training(path) for path in (*paths, other, paths[0])])
    first, second = found.groups
    assert (first.label, second.label) == ("eta 0.1", "eta 0.2")
    assert (first.seeds, second.seeds) == ((1, 2, 3), (1,))
    assert found.different == {"network.learning_rate": (0.1, 0.2)}
    accuracy = first.numbers["test_accuracy"]
    assert (accuracy.mean, accuracy.low, accuracy.high) == pytest.approx((0.9, 0.85, 0.95))
    assert accuracy.deviation == pytest.approx(0.05)
    assert second.numbers["test_accuracy"].deviation == 0
    curve = first.curves["loss"]
    assert curve.steps.tolist() == [100, 200]
    assert (curve.mean.tolist(), curve.low.tolist(), curve.high.tolist()) == ([1, 0.5], [1, 0.25], [1, 0.75])


def test_seeds_that_were_continued_belong_together_where_they_had_learned_as_long(here):
    paths = [training(seed, start={"run": f"run{seed}", "epochs": epochs}) for seed in (1, 2) for epochs in (10, 60)]
    found = compare([read_training(path) for path in (*paths, training(1))])
    labels = ("continued after 10 epochs", "continued after 60 epochs", "from the start")
    assert [(group.label, group.seeds) for group in found.groups] == list(zip(labels, ((1, 2), (1, 2), (1,)), strict=True))


def test_numbers_that_no_float_holds_are_damage_and_infinities_are_left_out(here):
    path = training(1, losses=(1.0, 0.5, float("inf")))
    assert read_training(path).points("loss") == [(100, 1.0), (200, 0.5)]
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 400, "loss": 1e999}\n')
    assert len(read_training(path).points("loss")) == 2
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1%s, "loss": 0.5}\n' % ("0" * 400))
    for words in (("compare",), ("export", "--to", "csv")):
        assert "metrics.jsonl is damaged in line 5" in mistake(mtjlearn("runs", *words, path))


def test_a_shorter_run_counts_as_far_as_it_has_come(here):
    paths = [training(1, losses=(4.0, 2.0, 0.0)), training(2, losses=(2.0,), finish=False), training(3, losses=(3.0,), steps=150)]
    (group,) = compare([read_training(path) for path in paths]).groups
    assert group.states == ("finished", "interrupted", "finished")
    curve = group.curves["loss"]
    assert curve.steps.tolist() == [100, 150, 200, 300]
    np.testing.assert_allclose(curve.mean, [3, 3, 2, 0])
    assert group.numbers["steps"].low == 100
    assert group.numbers["reference_test_accuracy"].runs == 2


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", ["curves.SVG", *(pytest.param(f"curves.{kind}", marks=pytest.mark.slow) for kind in ("png", "pdf"))]
)
def test_curves_are_drawn_as_the_suffix_says(here, name):
    starts = {"curves.png": b"\x89PNG", "curves.SVG": b"<?xml", "curves.pdf": b"%PDF"}
    for seed, eta in ((1, 0.1), (2, 0.1), (1, 0.2)):
        training(seed, eta=eta)
    found = mtjlearn("runs", "compare", *sorted(Path("runs").iterdir()), "--out", name)
    assert result_of(found)["plot"] == name
    first = Path(name).read_bytes()
    assert first.startswith(starts[name])
    mtjlearn("runs", "compare", *sorted(Path("runs").iterdir()), "--out", name)
    assert Path(name).read_bytes() == first


def shown(figures, *paths):
    draw_comparison(compare([read_training(path) for path in paths]), Path("curves.png"))
    return figures[-1]


@pytest.mark.usefixtures("here")
def test_seeds_of_one_setting_have_a_band_and_their_number(figures):
    paths = [training(seed, losses=(4.0, seed), accuracy=0.5 + seed / 10) for seed in (1, 2, 3)]
    figure = shown(figures, *paths)
    loss, accuracy = figure.axes
    [line] = loss.lines
    assert (line.get_label(), line.get_linestyle()) == ("board", "-")
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([100, 200], [4, 2])
    [band] = loss.collections
    assert {tuple(corner) for corner in band.get_paths()[0].vertices} == {(100, 4), (200, 1), (200, 3)}
    assert figure.get_suptitle() == "iris, 3 runs\nmean, and smallest to largest of the seeds"
    assert accuracy.get_ylim() == pytest.approx((0.55, 1.0))
    assert (loss.get_xlabel(), accuracy.get_xlabel()) == ("", "training steps")
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["board"]
    figure = shown(figures, paths[0])
    assert figure.get_suptitle() == "iris, 1 runs"
    assert not [each for axes in figure.axes for each in axes.collections]


@pytest.mark.usefixtures("here")
def test_settings_have_colours_and_names_of_their_own_and_the_boards_bands_alone(figures):
    paths = [training(seed, eta=eta, losses=(2.0, seed * eta)) for eta in (0.1, 0.2) for seed in (1, 2)]
    for path in paths:
        metrics = path / "metrics.jsonl"
        metrics.write_text(metrics.read_text().replace('"loss"', '"reference_loss": 1.5, "loss"'))
    figure = shown(figures, *paths)
    loss, _ = figure.axes
    labels = ["eta 0.1, board", "eta 0.1, float reference", "eta 0.2, board", "eta 0.2, float reference"]
    assert [(line.get_label(), line.get_linestyle()) for line in loss.lines] == list(
        zip(labels, ["-", "--", "-", "--"], strict=True)
    )
    colours = [line.get_color() for line in loss.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert len(loss.collections) == 2
    assert figure.get_suptitle() == "mean, and smallest to largest of the seeds"
    one = shown(figures, *paths[:2]).axes[0]
    assert [line.get_label() for line in one.lines] == ["board", "float reference"]
    assert one.lines[0].get_color() != one.lines[1].get_color()
    assert len(one.collections) == 2


@pytest.mark.usefixtures("here")
def test_each_point_of_a_short_curve_is_marked(figures):
    for count, marker in ((59, "o"), (60, "")):
        [line] = shown(figures, training(1, losses=tuple(np.linspace(2.0, 1.0, count)))).axes[0].lines
        assert line.get_marker() in (marker, marker or "None")


def test_the_table_names_groups_and_seeds(here):
    for seed in (0, 1, 2, 7):
        training(seed)
    training(0, board="none", finish=False)
    names = [path.name for path in sorted(Path("runs").iterdir())]
    found = mtjlearn("runs", "compare", *names)
    groups = result_of(found)["groups"]
    assert [group["label"] for group in groups] == ["board native", "board none"]
    assert groups[0]["numbers"]["test_accuracy"]["runs"] == 4
    assert "0-2, 7" in found.stderr
    assert "(1 not" in found.stderr


def test_plots_among_the_runs_are_passed_over(here):
    path = training(1)
    plot = path.parent / "20260101-120000-seeds-iris-1234.png"
    plot.write_bytes(b"")
    found = mtjlearn("runs", "compare", path, plot)
    assert len(result_of(found)["groups"]) == 1
    assert "1 of 2 are files" in found.stderr
    assert "name run directories" in mistake(mtjlearn("runs", "export", plot, "--to", "csv"))


def test_what_is_not_a_training_is_refused(here):
    with Run.create(Path("runs"), "noise", "native", 1, {}) as run:
        run.finish({"verdict": "good"})
    assert "has no loss curve (noise, finished)" in mistake(mtjlearn("runs", "compare", run.path))
    assert "nothing is not a run" in mistake(mtjlearn("runs", "export", "nothing", "--to", "csv"))
    path = training(1)
    assert "figures are .png, .svg or .pdf" in mistake(mtjlearn("runs", "compare", path, "--out", "curves.gif"))
    assert "there is no folder missing" in mistake(mtjlearn("runs", "compare", path, "--out", "missing/curves.svg"))


def test_records_as_csv(here):
    paths = [training(seed) for seed in (1, 2)]
    found = result_of(mtjlearn("runs", "export", *paths, paths[0], "--to", "csv"))
    assert found["files"] == ["runs.csv"]
    with open("runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["step"], row["loss"]) for row in rows] == [
        *(("1", "100", "1.0"), ("1", "200", "0.5")),
        *(("2", "100", "1.0"), ("2", "200", "0.5")),
    ]
    assert (rows[0]["net"], rows[0]["board"], rows[0]["run"]) == ("4-8-3", "native", paths[0].name)


def test_records_as_parquet_keep_their_types(here):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = training(1)
    result_of(mtjlearn("runs", "export", path, "--to", "parquet", "--out", "one.parquet"))
    table = parquet.read_table("one.parquet").to_pydict()
    assert table["step"] == [100, 200]
    assert table["loss"] == [1.0, 0.5]
    assert table["data"] == ["iris", "iris"]


def events(path):
    """The events of a file, read as its format says: length, its checksum, the message, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data, at = path.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event = Event()
        event.ParseFromString(data[at + 12 : at + 12 + length])
        yield event
        at += 16 + length


def test_records_for_tensorboard_replace_those_of_before(here):
    pytest.importorskip("tensorboardX")
    path = training(1)
    with (path / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 300, "loss": 0.25}\n{"step": 300, "test_accuracy": true}\n{"loss": 0.125}\n')
    for _ in range(2):
        found = result_of(mtjlearn("runs", "export", path, "--to", "tensorboard", "--out", "board"))
    (file,) = [each for each in Path("board").rglob("*") if each.is_file()]
    assert file == Path("board") / path.name / EVENTS
    assert found["files"] == [str(file)]
    read = [(value.tag, event.step, value.simple_value) for event in events(file) for value in event.summary.value]
    losses = [("board/loss", 100, 1.0), ("board/loss", 200, 0.5), ("board/loss", 300, 0.25)]
    assert [entry for entry in read if entry[0] == "board/loss"] == losses
    for step in (200, 300):  # nothing was measured for the last record
        times = [event.wall_time for event in events(file) if event.step == step]
        assert times[0] - read_training(path).started == pytest.approx(4, abs=0.01)
