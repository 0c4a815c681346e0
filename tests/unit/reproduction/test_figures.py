"""Each figure at a tiny scale: what it computes, what it makes of that, and that its plot is drawn from the numbers alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from images_support import write_idx_set
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import mtjlearn.reproduction.plots.fig5 as plot_fig5
from mtjlearn.datasets import DatasetError
from mtjlearn.errors import UserError
from mtjlearn.noise import PRESETS, NoiseError, Recording, RecordingError
from mtjlearn.reproduction import FIGURES, Options, deep, fig1b, fig2, fig3, fig3_chip, fig4, fig4_chip, fig5, table1
from mtjlearn.reproduction.curves import epochs_to, median_curve
from mtjlearn.reproduction.plots import style
from mtjlearn.reproduction.shuffled_buffer import ShuffledBuffer
from mtjlearn.runs.storage import plain

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def small_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "RESOLUTION", 40)


def computed(name: str, options: Options, folder: Path) -> dict[str, Any]:
    """A figure's numbers, as they are stored; its plot is drawn, and its lines are made."""
    figure = FIGURES[name]
    figure.check(options)
    results = {piece.key.partition("/")[2]: plain(piece.task(**piece.arguments)) for piece in figure.pieces(options)}
    numbers: dict[str, Any] = json.loads(json.dumps(plain(figure.numbers(options, results)), allow_nan=False))
    figure.draw(numbers, folder / "plot.png")
    assert min(matplotlib.image.imread(folder / "plot.png").shape[:2]) > 50
    assert all(figure.lines(numbers))
    return numbers


def test_the_circuit_is_the_ideal_unit_but_for_its_diodes(tmp_path: Path, needs_tool: Callable[[str, str], str]) -> None:
    needs_tool(fig1b.PROGRAM, "ngspice")
    found = computed("fig1b", Options(seed=3), tmp_path)
    assert found["largest_error"]["sum"] < 1e-3
    assert 0.05 < found["largest_error"]["output"] < 0.3
    for level in map(str, fig1b.LEVELS):
        assert found["noise_at_sum"][level] == pytest.approx(found["noise_at_sum_ideal"][level], rel=0.01)
        assert found["time"][level]["switches"] > 5
    below, above = (found["noise_at_output"][str(level)] for level in fig1b.LEVELS)
    assert below < 0.05 * above
    curve = found["transfer"]["parallel"]
    slopes = np.gradient(curve["output"], curve["sum"])
    assert slopes[-1] > 0.85
    assert slopes[5] == pytest.approx(found["slope"], rel=0.3)


def test_the_junction_switches_as_its_rate_says() -> None:
    corners = fig1b.switching(seed=1)
    times = [time for time, _ in corners]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] >= fig1b.DURATION
    assert {state for _, state in corners} == {0.0, 1.0}
    assert corners == fig1b.switching(seed=1) != fig1b.switching(seed=2)
    # Two corners a switch: 35 switches in 10 ms.
    many = [fig1b.switching(seed) for seed in range(30)]
    switches = [len(corners) / 2 - 1 for corners in many]
    assert np.mean(switches) == pytest.approx(PRESETS["bench"].rate * fig1b.DURATION, rel=0.15)
    # Each of the 5,000 steps has one chance in 143, the first as well.
    assert sum(corners[1][0] < 2e-6 for corners in many) < 5


def test_three_biases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig2, "SECONDS", 1)
    found = computed("fig2", Options(), tmp_path)
    assert [round(bias["duty"], 1) for bias in found["biases"]] == [0.2, 0.5, 0.8]
    for bias in found["biases"]:
        assert bias["levels"] == pytest.approx([36.2, 48.0], abs=0.4)
        assert sum(bias["shares"]) == pytest.approx(1, abs=1e-3)
        assert bias["autocorrelation"][0] == 1
        assert 0.1 < bias["decorrelated_after"] < 1  # "after a millisecond at the latest"
    assert found["biases"][0]["label"] != found["biases"][2]["label"]


def test_recordings_of_known_and_of_unknown_rate(tmp_path: Path) -> None:
    values = np.tile([0.0, 0.0, 5.0, 5.0, 5.0, 0.0], 50)
    paths = tmp_path / "known.npz", tmp_path / "unknown.npz"
    for path, rate in zip(paths, (1000.0, None), strict=True):
        Recording(values, rate=rate).save(path)
    known, unknown = computed("fig2", Options(recordings=tuple(map(str, paths))), tmp_path)["biases"]
    assert known["in_time"]
    assert not unknown["in_time"]
    for bias in (known, unknown):
        assert bias["duty"] == 0.5
        assert bias["autocorrelation"][6] == pytest.approx(1, abs=0.05)


def test_recordings_that_cannot_be_shown() -> None:
    with pytest.raises(RecordingError, match="at most 3"):
        fig2.check(Options(recordings=("a", "b", "c", "d")))
    with pytest.raises(RecordingError, match="omit --board or --recording"):
        fig2.check(Options(recordings=("a",), board="native"))
    with pytest.raises(UserError, match=r"nowhere\.csv"):
        fig2.check(Options(recordings=("nowhere.csv",)))


def test_one_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig3, "SCALES", (0.25, 0.03))
    monkeypatch.setattr(fig3, "PAIRS_RATES", 1)
    monkeypatch.setattr(fig3, "_QUICK", {"samples": None, "epochs": 2, "sets": ("digits",), "ks": (0, 3), "seconds": 1.0})
    found = computed("fig3", Options(), tmp_path)
    digits = found["digits"]["training"]
    assert digits["best_bp"] == max(digits["bp"]) > 0.8
    assert set(digits["best"]) == {"gaussian", "binomial", "smtj"}
    for group, value in digits["best"].items():
        assert value > 0.6
        assert digits["below_bp"][group] == pytest.approx(digits["best_bp"] - value, abs=1e-4)
    assert np.shape(digits["kinds"]["smtj"]) == (2, 2)
    assert np.shape(digits["several"]["kinds"]["smtj"]) == (1, 2)
    assert sum(digits["several"]["best"].values()) > sum(digits["best"].values())
    assert 0.6 < found["digits"]["test"]["best_bp"] != digits["best_bp"]


def test_deep_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig4, "SEEDS", 1)
    rates = {"bp": (0.002, 0.0), "anp": (0.003, 0.0), "danp": (0.003, 0.0004)}
    small = fig4.Task("digits", (20,), 3, None, rates, {"bp": 1.0, "anp": 1.0, "danp": 1.0})
    monkeypatch.setattr(fig4, "QUICK", {"digits": small})
    found = computed("fig4", Options(), tmp_path)["digits"]
    assert set(deep.METHODS) <= set(found)
    for method in deep.METHODS:
        assert np.shape(found[method]["losses"]) == (1, 3)
        assert found[method]["evaluated"] == [1, 2, 3]
        assert found[method]["losses"][0][-1] < found[method]["losses"][0][0]
    assert found["bp"]["loss"] < min(found["danp"]["loss"], found["anp"]["loss"])
    assert found["danp"]["losses"] != found["danp_single"]["losses"]
    assert found["bp"]["epochs_to"]["anp_final_loss"] <= 3


def test_a_recording_is_played_and_epochs_are_cut() -> None:
    chosen = fig4.tasks(Options(sets=("digits",), epochs=6))
    assert list(chosen) == ["digits"]
    assert chosen["digits"].epochs == 6
    assert chosen["digits"].seconds["bp"] == pytest.approx(fig4.QUICK["digits"].seconds["bp"] * 6 / fig4.QUICK["digits"].epochs)
    with pytest.raises(UserError, match="fig4 --quick has no set cifar10"):
        fig4.tasks(Options(sets=("cifar10",)))


def test_missing_data() -> None:
    for module in (fig3, fig4):
        with pytest.raises(DatasetError, match="nowhere"):
            module.check(Options(data="nowhere", sets=("fashion-mnist",)))


def test_a_board_learns_by_both_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEEDS": 1, "EPOCHS": 4, "SIZES": (64, 4, 10), "EVALUATED": 3}.items():
        monkeypatch.setattr(fig4_chip, name, value)
    found = computed("fig4-chip", Options(board="inprocess"), tmp_path)["boards"]["inprocess"]
    for rule in ("anp", "danp"):
        assert np.shape(found[rule]["losses"]) == (1, 4)
        assert found[rule]["evaluated"] == [3, 4]
        assert found[rule]["losses"][0][1] < found[rule]["losses"][0][0] < 2.6
        assert found[rule]["skipped"] == 0
    assert found["danp"]["losses"] != found["anp"]["losses"]


def test_a_board_learns_images_over_the_wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig3_chip, "_QUICK", {"samples": 400, "tested": 90, "epochs": 2, "seeds": 1, "slow": False})
    monkeypatch.setattr(fig3_chip, "STRETCH", 150)
    folder = str(write_idx_set(tmp_path / "data", 400, 100))
    found = computed("fig3-chip", Options(board="inprocess", data=folder), tmp_path)
    board = found["boards"]["inprocess"]
    assert [np.shape(board[bits]["test_accuracies"]) for bits in ("16", "8")] == [(1, 2)] * 2
    assert board["8"]["test_accuracy"] == pytest.approx(board["16"]["test_accuracy"], abs=0.1)
    assert found["anp"]["test_accuracy"] == pytest.approx(board["16"]["test_accuracy"], abs=0.15)
    assert found["bp"]["best"][-1] > 0.3
    assert board["8"]["test_accuracy"] > 0.2


def test_three_ways_to_a_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"REPEATS": 3, "EPOCHS": 1, "SHOWN": (0, 1), "_SWEPT_QUICKLY": 2}.items():
        monkeypatch.setattr(fig5, name, value)
    monkeypatch.setattr(fig5, "ETAS", (1e-3, 1.0))
    monkeypatch.setattr(fig5, "EPSILONS", (1e-4,))
    monkeypatch.setattr(fig5, "ETA", 8e-3)
    monkeypatch.setattr(fig5, "_SIZES", {"python": 3, "streamed": 2, "autonomous": 3})
    found = computed("fig5", Options(board="native"), tmp_path)
    starts = {way: found[way]["median"][0] for way in fig5.WAYS}
    assert starts["python"] == pytest.approx(starts["streamed"], rel=0.01)
    assert starts["streamed"] == starts["autonomous"]
    for way in fig5.WAYS:
        assert np.shape(found[way]["losses"]) == (3, 2)
        assert found[way]["median"][-1] < 0.9 * found[way]["median"][0]
        assert found[way]["times_one_call_per_ms"] == pytest.approx(found[way]["steps_per_s"] / 1000, abs=0.01)
    assert found["python"]["codes_per_step"] >= 1
    sensible, wild = found["sweep"]["median_loss"]
    assert sensible[0] < wild[0]


def test_the_buffer_serves_shuffles_of_the_newest_readings() -> None:
    buffer = ShuffledBuffer(0.5, replicas=3, seed=1)
    buffer.put(np.zeros(50, np.uint16))
    buffer.put(np.arange(200, dtype=np.uint16))
    later = threading.Timer(0.05, buffer.put, [np.arange(1000, 1004, dtype=np.uint16)])
    later.start()
    values = buffer.draw(200, 2)
    assert values.shape == (2, 3, 200)
    assert buffer.readings == 254
    # The calibration saw the codes 0 to 199 and no more; two readings entered before each step.
    scale = np.arange(200).std() / 0.5
    for step, newest in enumerate(([1000, 1001], [1000, 1001, 1002, 1003])):
        held = np.concatenate([np.arange(len(newest), 200), newest])
        for replica in values[step]:
            assert np.sort(replica * scale + held.mean()) == pytest.approx(held)
    orders = {tuple(replica) for step in values for replica in step}
    assert len(orders) == 6


def test_a_buffer_without_noise_or_readings() -> None:
    constant = ShuffledBuffer(0.5, replicas=1, seed=1)
    constant.put(np.full(300, 7, np.uint16))
    with pytest.raises(NoiseError, match="constant"):
        constant.draw(1)
    gone = ShuffledBuffer(0.5, replicas=1, seed=1)
    gone.put(np.arange(199, dtype=np.uint16))
    gone.fail(OSError("the cable"))
    with pytest.raises(NoiseError, match="the cable"):
        gone.draw(1)
    with pytest.raises(ValueError, match="201 noise values"):
        gone.draw(201)


@pytest.mark.slow
def test_a_table_finds_the_best_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"sets": ("digits",), "hidden": (10,), "epochs": 2, "ks": (4, 20), "epsilons": (8,)}
    monkeypatch.setattr(table1, "_QUICK", small)
    found = computed("table1", Options(), tmp_path)
    for method in table1.METHODS:
        row = found["sets"]["digits"][method]
        assert row["eta_k"] == 4  # 2^-20 learns nothing in two epochs
        assert row["test_accuracy"] == max(max(part) for part in row["accuracies"])
    assert found["sets"]["digits"]["bp"]["epsilon_k"] is None


def test_rates_halve_from_one_tenth() -> None:
    found = {piece.key: piece.arguments for piece in table1.pieces(Options(full=True))}
    assert len(found) == 3 * (21 + 2 * 21 * 21)
    for key, arguments in found.items():
        *_, eta, epsilon = key.split("/")
        assert arguments["eta"] == 0.1 / 2 ** int(eta)
        assert arguments["epsilon"] == (0.0 if epsilon == "-" else 0.1 / 2 ** int(epsilon))
    for piece in fig3.pieces(Options()):
        assert piece.arguments["eta"] == 0.1 / 2 ** int(piece.key.rpartition("/")[2])


def test_figure_4_has_the_rates_of_the_table() -> None:
    assert fig4.FULL.keys() == {*table1.PAPER, "fashion-mnist"}
    for name, task in fig4.FULL.items():
        rows = table1.PAPER["mnist" if name == "fashion-mnist" else name]
        (bp, _), (eta, epsilon), (eta_single, epsilon_single) = (rows[method] for method in ("bp", "danp", "danp_single"))
        assert epsilon is not None
        assert epsilon_single is not None
        assert task.rates == {
            "bp": (0.1 / 2**bp, 0.0),
            "anp": (0.1 / 2**eta, 0.0),
            "danp": (0.1 / 2**eta, 0.1 / 2**epsilon),
            "danp_single": (0.1 / 2**eta_single, 0.1 / 2**epsilon_single),
        }


def test_a_loss_of_zero_does_not_stretch_the_colours_of_the_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(plot_fig5, "LogNorm", lambda low, high: drawn.append((low, high)) or LogNorm(low, high))
    figure = Figure()
    grid = {"median_loss": [[0.0, 0.02], [0.5, None]], "epsilons": [1e-4, 1e-3], "etas": [1e-3, 1.0], "repeats": 3}
    plot_fig5._grid(figure, figure.subplots(), grid)
    assert drawn == [(0.02, 0.5)]


def test_curves_of_seeds() -> None:
    curves = [[3.0, 2.0, 1.0], [3.0, 1.0, None], [2.0, 2.0, 0.5]]
    assert median_curve(curves) == [3.0, 2.0, 1.0]
    assert epochs_to(median_curve(curves), 2.0) == 2
    assert epochs_to([None, 3.0], 2.0) is None
