"""``mtjlearn noise --file`` with recordings of others, ``--fit``, files longer than what is analysed, and ``noise simulate``."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from recordings_support import RATE, junction, keysight, rows, times

from mtjlearn.cli import main
from mtjlearn.cli.noise import cli
from mtjlearn.cli.view import noise as view
from mtjlearn.cli.view.console import Bar
from mtjlearn.noise import Recording, SimulatedSmtj, load_recording, simulate, write_recording
from mtjlearn.noise.files import Part, parquet, write
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``run(*arguments)``: the command with its run directories in tmp_path/runs, and without the plot, which others test."""
    monkeypatch.setattr(view, "noise_plot", lambda *_, **__: None)
    return lambda *arguments: CliRunner().invoke(cli, [*map(str, arguments), "--runs", str(tmp_path / "runs"), "--json"])


def one_line(found) -> str:
    assert found.exit_code == 2
    lines = found.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_an_oscilloscopes_export(run, tmp_path):
    (tmp_path / "scope.csv").write_text(keysight(junction(4000)))
    found = run("--file", tmp_path / "scope.csv")
    result = json.loads(found.stdout)
    assert (result["layout"], result["unit"], result["whole"]) == ("Keysight", "V", None)
    assert (result["codes"], result["holes"], result["analysed"]) == (4000, 0, 4000)
    assert result["rate"] == pytest.approx(RATE)
    assert result["levels_mv"] == pytest.approx([36.2, 48.0], abs=0.2)
    assert (result["verdict"], result["hints"]) == ("good", [])
    assert "hmm" not in result


def test_a_plot_that_cannot_be_written_costs_nothing_else(run, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(view, "noise_plot", full)
    (tmp_path / "scope.csv").write_text(keysight(junction(4000)))
    found = run("--file", tmp_path / "scope.csv")
    result = json.loads(found.stdout)
    assert (found.exit_code, result["verdict"], result["plot"]) == (0, "good", None)
    assert "there is no plot: " in found.stderr
    assert "No space left" in found.stderr


def test_a_unit_is_asked_for_and_used(run, tmp_path):
    volts = junction(2000)
    (tmp_path / "mv.csv").write_text("time,voltage\n" + rows((times(volts), ".6f"), (1e3 * volts, ".3f")))
    assert "say what they are with --unit mV" in one_line(run("--file", tmp_path / "mv.csv"))
    assert not (tmp_path / "runs").exists()
    result = json.loads(run("--file", tmp_path / "mv.csv", "--unit", "mV").stdout)
    assert result["levels_mv"] == pytest.approx([36.2, 48.0], abs=0.2)
    assert "--unit goes with --file" in one_line(run("--board", "native", "--unit", "mV"))


def test_a_fit_adds_figures_and_changes_none(run, tmp_path):
    source = SimulatedSmtj(None, "single", observation=0.003, seed=1)
    write_recording(tmp_path / "a.pqt", [Part(source.volts(20_000)[0, :, 0])], 40_000)
    plain, fitted = (json.loads(run("--file", tmp_path / "a.pqt", *more).stdout) for more in ([], ["--fit"]))
    hmm = fitted.pop("hmm")
    for kept in ("plot", "recording", "run"):
        del plain[kept], fitted[kept]
    assert plain == fitted
    assert hmm["levels_mv"] == pytest.approx([36.2, 48.0], abs=0.2)
    assert hmm["sigma_mv"] == pytest.approx(3, rel=0.03)
    assert (hmm["p_up"], hmm["p_down"]) == pytest.approx((0.0809, 0.0809), rel=0.12)
    assert plain["switching_probability"] > 1.02 * hmm["p"]  # what a threshold makes of the overlap


def test_what_cannot_be_fitted_is_still_characterised(run, tmp_path):
    Recording(junction(500)).save(tmp_path / "short.npz")
    found = run("--file", tmp_path / "short.npz", "--fit")
    result = json.loads(found.stdout)
    assert found.exit_code == 2
    assert "there is no fit: a fit needs 1,000 samples, not 500" in found.stderr
    assert (result["hmm"], result["codes"]) == (None, 500)


def test_a_file_longer_than_what_is_analysed_is_counted_to_its_end(run, tmp_path, monkeypatch):
    monkeypatch.setattr(view, "ANALYSED", 4000)
    monkeypatch.setattr(parquet, "ROWS", 1500)
    steady, biased = junction(4000), SimulatedSmtj(None, "single", duty=0.9, seed=3).volts(8000)[0, :, 0]
    write_recording(tmp_path / "a.pqt", [Part(steady), Part(biased)], RATE)
    found = run("--file", tmp_path / "a.pqt")
    result = json.loads(found.stdout)
    whole = result["whole"]
    assert (result["codes"], result["analysed"], whole["samples"]) == (12_000, 4000, 12_000)
    assert result["duty"] == pytest.approx(np.mean(steady > 0.0421), abs=0.01)
    assert whole["duty"] == pytest.approx(np.mean(np.concatenate([steady, biased]) > 0.0421), abs=0.01)
    assert any("the source drifts" in hint for hint in result["hints"])
    assert load_recording(Path(result["recording"])).values.size == 4000
    assert "all other figures are of its first samples" in found.stderr
    monkeypatch.setattr(view, "ANALYSED", 12_000)
    assert json.loads(run("--file", tmp_path / "a.pqt").stdout)["whole"] is None


def test_a_fault_at_the_end_of_a_long_file_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.setattr(view, "ANALYSED", 500)
    (tmp_path / "a.csv").write_text("volts\n" + "0.1\n0.2\n" * 400 + "1e300\n")
    assert "sample 801 is 1e+300" in one_line(run("--file", tmp_path / "a.csv"))


def test_simulated_junctions_are_recognised_and_played(run, tmp_path):
    def simulate(*arguments):
        return CliRunner().invoke(cli, ["simulate", *map(str, arguments), "--json"])

    made = simulate("--save", tmp_path / "a.pqt", "--seconds", 0.25, "--bias", 0.02, "--seed", 3)
    told = json.loads(made.stdout)
    assert made.exit_code == 0
    assert (told["samples"], told["rate"], told["unit"]) == (10_000, 40_000, "V")
    assert told["barrier_kt"] == pytest.approx(12.55, abs=0.01)
    result = json.loads(run("--file", tmp_path / "a.pqt").stdout)
    assert result["rate"] == 40_000
    assert result["levels_mv"] == pytest.approx(told["levels_mv"], abs=0.3)
    assert result["duty"] == pytest.approx(told["duty"], abs=0.07)
    assert result["dwell_high_s"] == pytest.approx(told["dwell_antiparallel_s"], rel=0.25)

    assert simulate("--save", tmp_path / "a.f32", "--rate", 9615).exit_code == 0
    with start_native(tcp_port=0, voltages=tmp_path / "a.f32", adc_reference=1100) as native:
        result = json.loads(run("--board", native.url, "--codes", 6000, "--save", tmp_path / "again.f32").stdout)
    assert result["levels_mv"] == pytest.approx([96.1, 186.8], abs=1)
    again = np.fromfile(tmp_path / "again.f32", "<f4")
    assert again.size == 6000
    assert np.unique(np.rint(again / 90.7)).tolist() == [1, 2]

    ensemble = simulate("--save", tmp_path / "b.npz", "--junctions", 3, "--wiring", "parallel", "--bits", 14, "--cutoff", 8000)
    told = json.loads(ensemble.stdout)
    assert len(told["levels_mv"]) == 4
    assert told["switching_rate"] == pytest.approx(3 * 3530, rel=1e-3)
    assert load_recording(tmp_path / "b.npz").codes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--save", "a.txt"], "--save writes .npz, .pqt, .parquet, .csv, .f32 files"),
        (["--save", "no-such/a.npz"], "there is no directory no-such"),
        (["--save", "a.f32", "--bits", "10"], "has its own converter; omit --bits"),
        (["--save", "a.npz", "--barrier", "12", "--switching", "100"], "exclude each other"),
        (["--save", "a.npz", "--reference", "1.1"], "--reference goes with --bits"),
        (["--save", "a.npz", "--resistances", "3000"], "two numbers, such as 3000,6000"),
        (["--save", "a.npz", "--resistances", "6000,3000"], "R_P must be positive and below R_AP"),
        (["--save", "a.npz", "--cutoff", "1e9"], "hardly filters"),
        (["--save", "a.npz", "--temperature", "1"], "too high for the temperature"),
        ([], "Missing option '--save'"),
    ],
)
def test_simulations_that_cannot_be(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, ["noise", "simulate", *arguments])
    assert words in found.stderr
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".npz", ".pqt", ".csv", ".f32"])
@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [(KeyboardInterrupt(), 130, "interrupted"), (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device")],
    ids=["Ctrl-C", "full disk"],
)
def test_a_simulation_that_ends_early_leaves_nothing(tmp_path, monkeypatch, suffix, fault, code, words):
    calls = []

    def update(self, *_):
        calls.append(1)
        if len(calls) == 3:
            raise fault

    monkeypatch.setattr(Bar, "update", update)
    monkeypatch.setattr(simulate, "PART", 1000)
    old = tmp_path / f"a{suffix}"
    old.write_bytes(b"old")
    found = CliRunner().invoke(cli, ["simulate", "--save", str(old), "--seconds", "0.2"])
    assert found.exit_code == code
    assert words in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == [old.name]
    assert old.read_bytes() == b"old"


def test_more_than_an_npz_can_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "_MOST_IN_NPZ", 1000)
    found = CliRunner().invoke(cli, ["simulate", "--save", str(tmp_path / "a.npz"), "--seconds", "0.2"])
    assert one_line(found) == "mtjlearn: an npz has at most 1,000 samples; save the recording as .pqt"


@pytest.mark.parametrize("option", ["--seconds", "--seed", "--rate"])
def test_options_before_simulate_are_not_ignored(tmp_path, option):
    found = CliRunner().invoke(main, ["noise", option, "2", "simulate", "--save", str(tmp_path / "a.npz")])
    assert found.exit_code == 2
    assert f"{option} stands before simulate" in found.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--rate", "nan"], ["simulate", "--rate", "nan"], ["simulate", "--cutoff", "nan"]])
def test_nan_is_not_a_number(tmp_path, arguments):
    first = ["--save", str(tmp_path / "b.npz")] if arguments[0] == "simulate" else ["--file", str(tmp_path / "a.npz")]
    found = CliRunner().invoke(cli, [*arguments, *first])
    assert found.exit_code == 2
    assert "must be a number" in found.stderr


def test_a_column_of_arrays_is_not_ignored(run, tmp_path):
    Recording(junction(200), rate=RATE).save(tmp_path / "a.npz")
    assert "omit --column" in one_line(run("--file", tmp_path / "a.npz", "--column", "CH2"))
