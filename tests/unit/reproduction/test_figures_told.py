"""What the figures make of results, and what they print of it, from made results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.noise import Recording, RecordingError
from mtjlearn.reproduction import FIGURES, Options, deep, fig2, fig3, fig5
from mtjlearn.reproduction.pieces import Piece


def pieces(name: str, **options: Any) -> dict[str, Piece]:
    """By their keys without the figure's name."""
    found = FIGURES[name].pieces(Options(**options))
    assert len({piece.key for piece in found}) == len(found)
    assert all(piece.seconds > 0 for piece in found)
    return {piece.key.removeprefix(f"{name}/"): piece for piece in found}


def computed(name: str, results: dict[str, Any], **options: Any) -> tuple[dict[str, Any], list[str]]:
    numbers = FIGURES[name].numbers(Options(**options), results)
    return numbers, FIGURES[name].lines(numbers)


def telegraph(scale: float) -> np.ndarray:
    """Two thirds of the time low; a switch every other sample, on average."""
    return scale * np.where(np.random.default_rng(1).random(6000) < 1 / 3, 44.0, 33.0)


@pytest.mark.parametrize(("scale", "rate", "unit"), [(1.0, None, "code"), (1.0, 10_000.0, "code"), (0.001, 10_000.0, "mV")])
def test_a_recording_is_shown_in_its_units(tmp_path: Path, scale: float, rate: float | None, unit: str) -> None:
    values = telegraph(scale)
    recording = Recording(values, rate=rate)
    recording.save(tmp_path / "noise.npz")
    found, [line] = computed("fig2", {"file/0": fig2.from_file(str(tmp_path / "noise.npz"))}, recordings=("noise.npz",))
    assert found["source"] == "files"
    [bias] = found["biases"]
    assert (bias["label"], bias["unit"], bias["in_time"], bias["samples"]) == ("noise.npz", unit, rate is not None, 6000)
    assert bias["levels"] == pytest.approx([33, 44], abs=0.1)
    assert bias["step"] == (1.0 if rate is None else 0.1)
    shown, lags = (600, 60) if rate is None else (120, 20)
    assert bias["series"] == pytest.approx(values[:shown] * (1 if unit == "code" else 1000))
    assert bias["lags"] == pytest.approx(bias["step"] * np.arange(lags + 1))
    centres, shares = np.array(bias["centres"]), np.array(bias["shares"])
    high = float((values > 40 * scale).mean())
    assert shares[np.abs(centres - 33) < 0.6].sum() == pytest.approx(1 - high)
    assert shares[np.abs(centres - 44) < 0.6].sum() == pytest.approx(high)
    assert shares.sum() == pytest.approx(1)
    assert bias["telegraph_share"] == pytest.approx(1, abs=0.01)
    assert bias["duty"] == pytest.approx(high, abs=0.001)
    said = "1 samples" if rate is None else "0.1 ms"
    assert line == f"noise.npz: high {high:.0%} of the time, decorrelated (under 0.05) after {said}"


def test_parts_of_a_series_are_one(tmp_path: Path) -> None:
    part = {"label": "a", "unit": "mV", "in_time": True, "samples": 10, "lags": [0.0, 1.0], "levels": [1.0, 2.0]}
    both = [
        {**part, "duty": 0.2, "shares": [0.8, 0.2], "autocorrelation": [1.0, 0.2]},
        {**part, "duty": 0.4, "shares": [0.6, 0.4], "autocorrelation": [1.0, 0.4]},
    ]
    results = {f"{duty:g}/{place}": one for duty in fig2.DUTIES for place, one in enumerate(both)}
    found, lines = computed("fig2", results, full=True)
    assert found["source"] == "simulated"
    for bias in found["biases"]:
        assert (bias["samples"], bias["duty"], bias["shares"]) == (20, pytest.approx(0.3), pytest.approx([0.7, 0.3]))
        assert bias["autocorrelation"] == pytest.approx([1.0, 0.3])
        assert bias["decorrelated_after"] is None
    assert lines == ["a: high 30% of the time, still correlated"] * 3


def test_as_many_recordings_as_biases(tmp_path: Path) -> None:
    Recording(telegraph(1.0)).save(tmp_path / "a.npz")
    fig2.check(Options(recordings=(str(tmp_path / "a.npz"),) * 3))
    with pytest.raises(RecordingError, match="at most 3"):
        fig2.check(Options(recordings=(str(tmp_path / "a.npz"),) * 4))


def test_the_distance_from_the_ideal_unit_is_told() -> None:
    curve = {"sum": [0.1, 0.2], "ideal_sum": [0.1001, 0.2], "output": [0.0, 0.5], "ideal_output": [0.1, 0.3]}
    better = {**curve, "ideal_sum": [0.1, 0.2], "ideal_output": [0.0, 0.5]}
    noise = {"noise": 0.0416, "ideal_noise": 0.0417, "output_noise": 0.04}
    results = {"transfer/3000": curve, "transfer/6000": better, "time/-0.8": {**noise, "output_noise": 0.0005}, "time/0.8": noise}
    assert set(pieces("fig1b")) == set(results)
    found, lines = computed("fig1b", results)
    assert found["largest_error"] == pytest.approx({"sum": 0.0001, "output": 0.2})
    assert found["slope"] == pytest.approx(0.01, rel=0.01)
    assert lines == [
        "noise at the node 41.60 mV (ideal 41.70); at the output 40.00 mV where the unit is active, 0.500 mV where it leaks",
        "largest distance from the ideal unit: 0.100 mV of the sum, 200 mV of the output (a diode's forward voltage)",
    ]


def test_the_best_of_each_kind_is_compared_with_backpropagation() -> None:
    def table(base: float) -> dict[str, list[float]]:
        return {kind: [base + 0.01 * place, base + 0.002] for place, kind in enumerate(fig3.KINDS)}

    ks = (0, 1, 2, 4, 6)
    results: dict[str, Any] = {}
    for place, k in enumerate(ks):
        results[f"digits/bp/{k}"] = {"training": 0.9 - 0.01 * place, "test": 0.8 + 0.01 * place}
        results[f"digits/anp-1/{k}"] = {"training": table(0.7 - 0.01 * place), "test": table(0.6)}
        results[f"digits/anp-4/{k}"] = {"training": table(0.75 - 0.01 * place), "test": table(0.65)}
    for k in ks[3:]:
        del results[f"digits/anp-4/{k}"]
    found, lines = computed("fig3", results, sets=("digits",))
    assert found["etas"] == [0.1 / 2**k for k in ks]
    training, test = found["digits"]["training"], found["digits"]["test"]
    assert (training["best_bp"], test["best_bp"]) == (0.9, pytest.approx(0.84))
    assert training["best"] == pytest.approx({"gaussian": 0.702, "binomial": 0.72, "smtj": 0.73})
    assert training["below_bp"] == pytest.approx({"gaussian": 0.198, "binomial": 0.18, "smtj": 0.17})
    assert training["several"]["best"]["smtj"] == pytest.approx(0.78)
    assert len(training["several"]["kinds"]["smtj"]) == 3
    assert lines == [
        "digits: best training accuracy after 10 epochs: BP 0.9000; ANP with gaussian 0.7020, binomial 0.7200, smtj 0.7300; "
        "with 4 pairs of passes gaussian 0.7520, binomial 0.7700, smtj 0.7800",
        "digits: best test accuracy after 10 epochs: BP 0.8400; ANP with gaussian 0.6020, binomial 0.6200, smtj 0.6300; "
        "with 4 pairs of passes gaussian 0.6520, binomial 0.6700, smtj 0.6800",
    ]


def test_what_boards_reach_is_told() -> None:
    board = {"samples_per_s": 1000.0, "saturations": 3, "test_accuracy": [0.5, 0.7]}
    floats = {f"anp/{seed}": {"test_accuracy": [0.4, 0.6 + 0.02 * seed]} for seed in range(3)}
    bp = {f"bp/{k}": {"test_accuracy": [0.9, value]} for k, value in enumerate((0.5, 0.8, 0.75, 0.6))}
    boards = {
        f"native/{bits}/{seed}": {**board, "test_accuracy": [0.5, 0.7 + 0.01 * seed + bits / 1000]}
        for bits in (8, 16)
        for seed in range(3)
    }
    slow = {"m4-sim/8/0": {**board, "samples_per_s": 25.0, "test_accuracy": [0.55]}}
    found, lines = computed("fig3-chip", {**floats, **bp, **boards, **slow}, full=True)
    assert found["bp"]["best_eta"] == 0.2
    assert found["boards"]["native"]["8"]["saturations"] == 9
    assert lines == [
        "fashion-mnist, test accuracy after 5 epochs: best BP 0.8000, float ANP 0.6200",
        "native after 5 epochs: 0.7260 with 16 bits a pixel, 0.7180 with 8 bits a pixel; 1,000 images per second",
        "m4-sim after 1 epochs with 4,000 images: 0.5500 with 8 bits a pixel; 25 images per second",
    ]


def test_when_danp_is_where_anp_ends_is_told() -> None:
    ends = {"bp": 0.1, "anp": 1.0, "danp": 0.5, "danp_single": 2.0}
    results = {
        f"digits/{method}/{seed}": {
            "losses": [4 * end, 2 * end, end],
            "test_accuracy": [0.1, 0.5 + 0.1 * seed],
            "train_accuracy": [0.2, 0.6],
            "evaluated": [1, 3],
            "seconds": 1.5 + seed,
        }
        for method, end in ends.items()
        for seed in range(5)
    }
    found, lines = computed("fig4", results, sets=("digits",), epochs=3)
    digits = found["digits"]
    assert {method: digits[method]["epochs_to"]["anp_final_loss"] for method in ends} == {
        "bp": 1,
        "anp": 3,
        "danp": 2,
        "danp_single": None,
    }
    assert (digits["danp"]["test_accuracy"], digits["danp"]["train_accuracy"], digits["danp"]["seconds"]) == (0.7, 0.6, 3.5)
    assert digits["hidden"] == "100-100-100"
    accuracies = ", ".join(f"{method} {end:.3f} (0.700)" for method, end in ends.items())
    assert lines == [
        f"digits: training loss and test accuracy after 3 epochs: {accuracies}",
        "digits: DANP reaches ANP's final loss at epoch 2 of 3",
    ]
    for seed in range(5):
        results[f"digits/danp/{seed}"]["losses"] = [4.0, 2.0, None if seed < 3 else 1.0]
    assert computed("fig4", results, sets=("digits",), epochs=3)[1][1] == "digits: DANP does not reach ANP's final loss"


@pytest.mark.parametrize(("end", "said"), [(0.5, "at epoch 2"), (3.0, "is not reached")])
def test_where_both_rules_end_on_a_chip_is_told(end: float, said: str) -> None:
    run = {"test_accuracy": [0.5, 0.85], "evaluated": [5, 10], "saturations": 2, "skipped": 1, "steps": 300, "seconds": 2.0}
    results = {
        f"native/{rule}/{seed}": {**run, "losses": [4 * last, 2 * last, last]}
        for rule, last in (("anp", 1.0), ("danp", end))
        for seed in range(5)
    }
    found, lines = computed("fig4-chip", results, board="native")
    anp = found["boards"]["native"]["anp"]
    assert (anp["saturations"], anp["skipped"], anp["samples_per_s"], anp["evaluated"]) == (10, 5, 150.0, [5, 10])
    assert lines == [
        f"native: after 20 epochs ANP has loss 1.000, test accuracy 0.850; DANP {end:.3f}, 0.850, and ANP's final loss {said}"
    ]


def test_ways_to_a_teacher_are_told_with_their_rates() -> None:
    shown = len(fig5.SHOWN)
    results: dict[str, Any] = {}
    for way, factor in (("python", 1.0), ("streamed", 1.1), ("autonomous", 0.9)):
        for part in range(2):
            losses = [[1.0] * (shown - 1) + [factor * (0.01 * (1 + run) + 0.02 * part)] for run in range(2)]
            more = {"codes_per_step": 1.0 + part} if way == "python" else {}
            results[f"{way}/{part}"] = {"losses": losses, "variance": [2.0, 2.0], "steps": 3000, "seconds": 1.5, **more}
    for eta in fig5.ETAS:
        for epsilon in fig5.EPSILONS:
            results[f"sweep/{eta:g}/{epsilon:g}"] = {"losses": [eta, None, eta + 0.2] if eta < 1 else [None, None]}
    found, lines = computed("fig5", results)
    python = found["python"]
    assert (python["repeats"], python["codes_per_step"], python["side_by_side"]) == (4, 1.5, 2)
    assert python["median"][-1] == pytest.approx(0.025)
    assert python["quartiles"] == pytest.approx([0.0175, 0.0325])
    assert python["relative_median"][0] == 0.5
    assert found["within_quartiles"]
    assert found["sweep"]["median_loss"][0] == [None] * 10
    assert found["sweep"]["median_loss"][1] == pytest.approx([fig5.ETAS[1] + 0.1] * 10)
    assert (found["sweep"]["repeats"], found["samples_per_epoch"], found["repeats"]) == (10, 1000, 100)
    assert lines[0] == (
        "python: median loss 1 -> 0.025 (quartiles 0.0175 to 0.0325), 2,000 steps/s with 2 networks side by side, "
        "2.0 times one call per millisecond"
    )
    assert lines[1].startswith("streamed: median loss 1 -> 0.0275")
    assert "side by side" not in lines[1]
    for part in range(2):
        results[f"autonomous/{part}"]["losses"] = [[1.0] * (shown - 1) + [0.5]] * 2
    assert not computed("fig5", results)[0]["within_quartiles"]


def test_the_winner_of_each_method_is_told() -> None:
    found = pieces("table1", seed=4)
    assert len(found) == 6 + 2 * 6 * 7
    results: dict[str, Any] = {key: {"test_accuracy": [0.5]} for key in found}
    results["digits/bp/6/-"] = {"test_accuracy": [0.9]}
    results["digits/danp/4/20"] = {"test_accuracy": [0.85]}
    results["digits/danp_single/2/4"] = {"test_accuracy": [None]}
    results["digits/danp_single/10/8"] = {"test_accuracy": [0.8123456]}
    numbers, lines = computed("table1", results)
    assert numbers["network"] == "50-50-50"
    rows = numbers["sets"]["digits"]
    assert rows["danp_single"]["accuracies"][0][0] == 0.0
    assert rows["danp_single"]["test_accuracy"] == 0.81235
    assert np.shape(rows["danp"]["accuracies"]) == (6, 7)
    assert np.shape(rows["bp"]["accuracies"]) == (6, 1)
    assert lines == [
        "digits, bp: eta .1 2^-6: test accuracy 0.900",
        "digits, danp: eta .1 2^-4, eps .1 2^-20: test accuracy 0.850",
        "digits, danp_single: eta .1 2^-10, eps .1 2^-8: test accuracy 0.812",
    ]


def test_noise_of_each_method_and_a_recording_that_is_played_from_another_place_for_each_seed(tmp_path: Path) -> None:
    values = telegraph(0.001)
    Recording(values, rate=40_000.0).save(tmp_path / "noise.npz")
    for seed in (0, 3):
        played = deep._noise("danp_single", 5, seed, str(tmp_path / "noise.npz"))
        start = seed * 7919 % values.size
        np.testing.assert_allclose(played.draw(5, 2).ravel(), np.resize(np.roll(values, -start), 10))
    apart, single = deep._noise("danp", 5, 1, None), deep._noise("danp_single", 5, 1, None)
    drawn = [source.draw(5, 4000).reshape(4000, 5) for source in (apart, single)]
    # A junction per node forgets a step before; neighbours of one recording are a sample apart.
    neighbours = [float(np.corrcoef(values[:, 0], values[:, 1])[0, 1]) for values in drawn]
    assert abs(neighbours[0]) < 0.1 < 0.3 < neighbours[1]
    assert all(0.03 < values.min() < values.mean() < 0.05 for values in drawn)
