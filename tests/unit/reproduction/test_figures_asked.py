"""What the figures ask to be computed: the parameters, sizes and seeds that the page of the reproduction names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.network import Loss
from mtjlearn.reproduction import FIGURES, Options, deep, fig1b, fig3, fig3_chip, fig4, fig4_chip, fig5
from mtjlearn.reproduction.pieces import Piece


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    """The page of the reproduction, without its lines."""
    return " ".join((project / "docs" / "reproduction.md").read_text(encoding="utf-8").split())


def pieces(name: str, **options: Any) -> dict[str, Piece]:
    """By their keys without the figure's name."""
    found = FIGURES[name].pieces(Options(**options))
    assert len({piece.key for piece in found}) == len(found)
    assert all(piece.seconds > 0 for piece in found)
    return {piece.key.removeprefix(f"{name}/"): piece for piece in found}


def exponent(rate: float) -> int:
    """k of a rate 0.1 2^-k."""
    k = round(float(np.log2(0.1 / rate)))
    assert rate == 0.1 * 2.0**-k
    return k


def test_time_left_is_told_from_about_what_the_page_says_a_figure_costs(page: str) -> None:
    [(heads, costs)] = re.findall(r"\| (fig1b [^:]*) \| all \| [|:-]+ \| ([\d |]+) \| \d+ \|", page)
    for name, seconds in zip(heads.split(" | "), map(float, costs.split(" | ")), strict=True):
        told = sum(piece.seconds for piece in pieces(name).values())
        assert seconds <= told <= max(10.0, 7 * seconds), name


def test_rates_and_sizes_are_those_of_the_page(page: str) -> None:
    said = []
    for name, label in (("digits", "digits"), ("fashion-mnist", "Fashion-MNIST")):
        task = fig4.QUICK[name]
        (bp, anp, (eta, epsilon)) = task.rates["bp"][0], task.rates["anp"][0], task.rates["danp"]
        assert task.rates["bp"][1] == task.rates["anp"][1] == 0
        rates = f"ANP 0.1 2^-{exponent(anp)}, DANP 0.1 2^-{exponent(eta)} and 0.1 2^-{exponent(epsilon)}"
        said.append(f"{label} BP 0.1 2^-{exponent(bp)}, {rates}")
        inputs = {"digits": "digits, 64", "fashion-mnist": f"Fashion-MNIST, {task.samples or 0:,} images, 784"}[name]
        assert f"{inputs}-{'-'.join(map(str, task.hidden))}-10, {task.epochs} |" in page
    assert "; ".join(said) in page
    chip = fig4_chip.network("danp", 0)
    assert f"eta N = {chip.learning_rate * sum(chip.sizes[1:]):g} at the start, halved" in page
    assert chip.learning_rate == fig4_chip.network("anp", 0).learning_rate
    assert f"eps = 2^{np.log2(chip.decorrelation_rate):g}; sigma = 1/{1 / chip.sigma:g}; normalised step" in page
    assert f"learns the digits with {'-'.join(map(str, chip.sizes))} from" in page
    assert "medians of five seeds after 20 epochs" in page
    assert (fig4_chip.SEEDS, fig4_chip.EPOCHS, fig4.SEEDS) == (5, 20, 5)
    layer = fig3_chip.network(784, 10, fig3_chip.ETA, 0)
    assert f"eta N = {layer.learning_rate * 10:g} at the start, cut" in page
    assert f"{fig3_chip.CODES_PER_STEP} noise codes per step" in page
    part = {key: piece.arguments for key, piece in pieces("fig3-chip", full=True).items()}["m4-sim/8/0"]
    assert f"The square is m4-sim after {part['samples']:,} images" in page
    assert part["epochs"] == 1
    assert part["tested"] <= part["samples"] / 4


def test_what_learns_on_a_chip(page: str) -> None:
    for rule, decorrelated in (("anp", False), ("danp", True)):
        network = fig4_chip.network(rule, 3)
        assert (network.loss, network.normalised, network.seed) == (Loss.CROSS_ENTROPY, True, 4)
        assert set(network.decorrelate) == {decorrelated}
        assert (network.decorrelation_rate > 0) == decorrelated
    learned = pieces("fig4-chip", seed=7, board="/dev/ttyACM0")
    assert list(learned) == [f"/dev/ttyACM0/{rule}/{seed}" for rule in ("anp", "danp") for seed in range(5)]
    assert [piece.arguments["seed"] for piece in learned.values()] == [7, 8, 9, 10, 11] * 2
    assert all(piece.alone for piece in learned.values()), "there is one such board"
    assert not any(piece.alone for piece in pieces("fig4-chip", full=True).values())
    assert {key.split("/")[0] for key in pieces("fig4-chip", full=True)} > {"m4-sim"}
    layer = pieces("fig3-chip", seed=7, board="native")
    assert {key: (piece.arguments["bits"], piece.arguments["seed"]) for key, piece in layer.items() if "native" in key} == {
        "native/16/0": (16, 7),
        "native/8/0": (8, 7),
    }
    assert [piece.arguments["eta"] for key, piece in layer.items() if key.startswith("bp/")] == [0.4, 0.2, 0.1, 0.05]
    assert [piece.arguments["eta"] for key, piece in layer.items() if key.startswith("anp/")] == [fig3_chip.ETA]
    [learned_once] = {(piece.arguments["samples"], piece.arguments["epochs"]) for piece in layer.values()}
    assert "In reduced size it learns 12,000 images twice" in page
    assert learned_once == (12_000, 2)
    whole = pieces("fig3-chip", full=True)
    assert "All 60,000 images of Fashion-MNIST and its whole test part, five epochs, three seeds" in page
    assert [key for key in whole if key.startswith("anp/")] == ["anp/0", "anp/1", "anp/2"]
    assert {(piece.arguments["samples"], piece.arguments["tested"], piece.arguments["epochs"]) for key, piece in whole.items()} == {
        (None, None, 5),
        (*fig3_chip.SLOW_PART, 1),
    }


def test_a_layer_is_trained_with_each_rate_kind_and_scale(page: str) -> None:
    found = pieces("fig3", seed=5)
    assert len(fig3.KINDS) == 4
    assert "784-10 learns all of Fashion-MNIST in 10 epochs, with five learning rates, two noise scales, four sources" in page
    assert {(piece.arguments["samples"], piece.arguments["epochs"], piece.arguments["seed"]) for piece in found.values()} == {
        (None, 10, 5)
    }
    assert len([key for key in found if "/bp/" in key]) == len([key for key in found if "/anp-1/" in key]) == 5
    assert "sigma 1/16 or 1/4" in page
    assert fig3.SCALES == (1 / 4, 1 / 16)
    assert "with the mean of four pairs, for the three largest rates" in page
    assert [key for key in found if "/anp-4/" in key] == [f"fashion-mnist/anp-4/{k}" for k in (0, 1, 2)]
    # More passes take longer, and with all kinds and scales much longer than backpropagation.
    bp, one, several = (found[f"fashion-mnist/{kind}/0"].seconds for kind in ("bp", "anp-1", "anp-4"))
    assert bp < one < several < 6 * one


def test_the_student_is_the_paper_s(page: str) -> None:
    network = fig5.network(2)
    assert network.sizes == (2, 2, 2, 1)
    assert (network.learning_rate, network.decorrelation_rate, network.sigma) == (0.001, 0.0001, 1 / 32)
    assert "The paper's choice (0.001, 0.0001) is safe" in page
    assert "all with the paper's rates and the step of eq. 4 as printed" in page
    assert not network.normalised
    assert network.decorrelate == (True, True, True)
    assert network.seed == 3
    assert pytest.approx(np.array(fig5.ETAS) / 100) == fig5.EPSILONS
    assert sorted(fig5.ETAS, reverse=True) == list(fig5.ETAS)


def test_repeats_count_up_from_the_seed_and_each_is_there_once() -> None:
    found = pieces("fig5", seed=1000, board="native", wait=0.5)
    for way in fig5.WAYS:
        parts = [piece.arguments for key, piece in found.items() if key.startswith(f"{way}/")]
        assert [seed for part in parts for seed in part["seeds"]] == list(range(1000, 1100))
        assert {part.get("wait") for part in parts} == ({0.5} if way == "python" else {None})
    grid = {(piece.arguments["eta"], piece.arguments["epsilon"]) for key, piece in found.items() if key.startswith("sweep/")}
    assert len(grid) == 100
    assert {tuple(piece.arguments["seeds"]) for key, piece in found.items() if key.startswith("sweep/")} == {
        tuple(range(1000, 1010))
    }
    whole = pieces("fig5", full=True)
    assert {len(piece.arguments["seeds"]) for key, piece in whole.items() if key.startswith("sweep/")} == {100}


def test_deep_networks_are_trained_by_each_method_and_seed() -> None:
    found = pieces("fig4", seed=10, sets=("digits",), recordings=("a.npz", "b.npz"), device="cuda")
    assert list(found) == [f"digits/{method}/{seed}" for method in deep.METHODS for seed in range(5)]
    for key, piece in found.items():
        _, method, seed = key.split("/")
        rates = fig4.QUICK["digits"].rates["danp" if method == "danp_single" else method]
        assert (piece.arguments["eta"], piece.arguments["epsilon"]) == rates
        assert (piece.arguments["method"], piece.arguments["seed"]) == (method, 10 + int(seed))
        assert (piece.arguments["recording"], piece.arguments["device"]) == ("a.npz", "cuda")
    assert pieces("fig4", sets=("digits",))["digits/bp/0"].arguments["recording"] is None
    assert {key.split("/")[0] for key in pieces("fig4", full=True)} == set(fig4.PAPER)


def test_a_series_of_the_paper_s_length_is_made_of_parts(page: str) -> None:
    assert "The quick series has 20 s, the full one 2,500 s" in page
    for full, seconds in ((False, 20), (True, 2500)):
        found = pieces("fig2", full=full, seed=3)
        for duty in ("0.2", "0.5", "0.8"):
            parts = [piece.arguments for key, piece in found.items() if key.startswith(f"{duty}/")]
            assert sum(part["seconds"] for part in parts) == seconds
            assert {part["duty"] for part in parts} == {float(duty)}
        assert len({tuple(piece.arguments["seed"]) for piece in found.values()}) == len(found)
    [heard] = pieces("fig2", board="/dev/ttyACM0").values()
    assert heard.alone
    assert [piece.arguments["path"] for piece in pieces("fig2", recordings=("a", "b")).values()] == ["a", "b"]


def test_the_circuit_has_the_paper_s_divider(page: str) -> None:
    deck = fig1b.netlist("Vstate state 0 1", "0.8")
    assert "3.3 V over 100 kOhm, a junction of 3 or 6 kOhm" in page
    assert "Vsupply supply 0 3.3\n" in deck
    assert "Rseries supply noise 100000\n" in deck
    assert "R='3000 + 3000*v(state)'" in deck
    assert "feedback 100 kOhm, diodes `IS=3e-9 N=1.03`, 1 kOhm for positive and 10 MOhm for negative sums, load 100 kOhm" in page
    for line in ("Rf minus inverted 100000", "Rpass pass out 1000", "Rleak leak out 1e+07", "Rload out 0 100000", "IS=3e-9 N=1.03"):
        assert line in deck
    # The second input is inverted, and has half of the first one's weight.
    assert "V2 in2 0 -0.4\n" in deck
    assert "Rw1 in1 minus 100000\nRw2 in2 minus 200000\n" in deck
