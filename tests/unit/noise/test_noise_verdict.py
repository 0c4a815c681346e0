"""Signals that only look like noise are never called good, and nothing is claimed of their entropy."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from mtjlearn.cli.noise import cli
from mtjlearn.noise import PRESETS, Recording, SimulatedAdc, Summary, characterise
from mtjlearn.noise.entropy import estimates, markov
from mtjlearn.noise.regularity import register_length
from mtjlearn.noise.verdict import board_hints

pytestmark = pytest.mark.thorough

RATE = 9615.0
MILLIVOLTS = 1100 / 1024
COUNT = 4000
HOLES = tuple(range(0, COUNT, 200))
"""Bursts as a board sends them over a slow line."""


def square(period: float, count: int = COUNT) -> np.ndarray:
    return np.where(np.arange(count) % period < period / 2, 33.0, 44.0)


def sine(frequency: float, amplitude: float = 100.0, count: int = COUNT) -> np.ndarray:
    return np.rint(500 + amplitude * np.sin(2 * np.pi * frequency * np.arange(count) / RATE + 0.3))


def register(stages: int, tap: int, count: int = COUNT) -> np.ndarray:
    """A maximal shift register's states."""
    state, found = 1, []
    for _ in range(count):
        new = (state >> (stages - 1) ^ state >> (tap - 1)) & 1
        state = (state << 1 | new) & (1 << stages) - 1
        found.append(new)
    return 33.0 + 11 * np.array(found)


def junction(count: int = COUNT, seed: int = 0, **changed: float) -> np.ndarray:
    adc = SimulatedAdc(PRESETS["recording"], rate=RATE, reference=1.1, seed=seed, **changed)
    return adc.read(count)[0].astype(np.float64)


def look(values: np.ndarray, starts: tuple[int, ...] = (0,)) -> Summary:
    return characterise(Recording(values, starts, RATE), MILLIVOLTS)


NOT_NOISE = {
    **{f"square of {period}": square(period) for period in (2, 3, 4, 5, 7, 12, 20, 33, 40, 100)},
    **{f"sine of {frequency:g} Hz": sine(frequency) for frequency in (50.0, 60.0, 333.0, 1000.0, 3205.0)},
    "sawtooth": np.rint(np.arange(COUNT) * 7.3 % 100),
    "PRBS-7": register(7, 6),
    "PRBS-15": register(15, 14),
    "noisy square": np.rint(square(40) + np.random.default_rng(0).normal(0, 1, COUNT)),
    "noisy hum": np.rint(sine(50) + np.random.default_rng(0).normal(0, 5, COUNT)),
}


@pytest.mark.parametrize("starts", [(0,), HOLES], ids=["whole", "bursts"])
@pytest.mark.parametrize("name", NOT_NOISE)
def test_what_can_be_foretold_is_unusable_and_has_no_entropy(name: str, starts: tuple[int, ...]) -> None:
    summary = look(NOT_NOISE[name], starts)
    assert summary.predictable
    assert summary.min_entropy == 0
    assert "periodic, not noise" in summary.hints[0] or "pseudo-random" in summary.hints[0]
    assert summary.notes == ()


@pytest.mark.parametrize("starts", [(0,), HOLES], ids=["whole", "bursts"])
@pytest.mark.parametrize(
    ("values", "text"),
    [
        (sine(50), "50 Hz: mains hum makes 100%"),
        (sine(60), "60 Hz: mains hum"),
        (sine(100), "100 Hz: mains hum"),
        (square(100), "96.15 Hz"),
        (square(40), "240.4 Hz"),
    ],
)
def test_a_single_frequency_is_named(values: np.ndarray, text: str, starts: tuple[int, ...]) -> None:
    assert text in look(values, starts).hints[0]


def test_without_a_rate_a_period_is_named() -> None:
    assert "a period of 40 samples" in characterise(Recording(square(40))).hints[0]


@pytest.mark.parametrize("amplitude", [0.25, 0.5, 1.0])
def test_hum_on_a_junction_is_named_and_is_not_good(amplitude: float) -> None:
    values = 8 * junction(20_000) + sine(50, amplitude * 44, 20_000)
    summary = look(values)
    assert "50 Hz: mains hum makes" in summary.hints[0]
    assert not summary.predictable


def test_a_wandering_oscillator_is_recognised_by_its_autocorrelation() -> None:
    phase = np.cumsum(np.random.default_rng(3).normal(1, 0.3, 20_000)) * 2 * np.pi / 20
    summary = look(np.where(np.sin(phase) > 0, 44.0, 33.0))
    assert summary.periodic is not None
    assert summary.periodic.period == pytest.approx(20, abs=2)


def test_a_junction_behind_a_delay_does_not_look_like_a_junction() -> None:
    values = junction(20_000)
    values[7:] = np.where(np.random.default_rng(1).random(values.size - 7) < 0.3, values[:-7], values[7:])
    [hint] = look(values).hints
    assert "autocorrelation at 7 samples" in hint


@pytest.mark.parametrize("starts", [(0,), HOLES], ids=["whole", "bursts"])
@pytest.mark.parametrize("seed", range(10))
def test_good_sources_stay_good(seed: int, starts: tuple[int, ...]) -> None:
    generator = np.random.default_rng(seed)
    fast = np.rint(33 + 11 * generator.integers(0, 2, COUNT) + generator.normal(0, 1, COUNT))
    continuous = np.rint(generator.normal(38, 5.5, COUNT))
    drifting = np.rint(junction(seed=seed) + np.linspace(0, 3, COUNT))
    for values, entropy in ((junction(seed=seed), 0.43), (fast, 1), (continuous, 1), (drifting, 0.43)):
        summary = look(values, starts)
        assert summary.hints == ()
        assert 0.7 * entropy - 0.1 < summary.min_entropy <= entropy + 0.01


def test_one_level_of_noise_is_a_stuck_junction_unless_it_is_wide() -> None:
    values = np.random.default_rng(0).normal(500, 6, COUNT).round()
    assert look(values).notes[0].startswith("no two separate levels, but independent")
    assert "no two separate levels" in characterise(Recording(values, rate=RATE), 0.1).hints[0]
    assert "no two separate levels" in characterise(Recording(values, rate=RATE)).hints[0]
    filtered = np.convolve(values, np.ones(4) / 2, "valid").round()
    assert any("no two separate levels:" in hint for hint in look(filtered).hints)


def test_estimates_of_chains_and_of_coins() -> None:
    generator = np.random.default_rng(5)
    for probability in (0.5, 0.26, 0.08):
        states = np.cumsum(generator.random(50_000) < probability) % 2 == 1
        found = estimates([states])
        truth = -math.log2(1 - probability)
        assert all(value < 1 for value in found.values())
        assert truth - 0.06 < min(found.values()) < truth
    biased = estimates([generator.random(50_000) < 0.25])
    assert -math.log2(0.75) - 0.02 < biased["most_common_value"] < -math.log2(0.75)


def test_each_predictor_finds_what_it_is_for() -> None:
    half = np.random.default_rng(6).integers(0, 2, 100).astype(bool)
    repeated = estimates([np.tile(half, 50)])
    assert repeated["lag_prediction"] < 0.02
    assert repeated["markov"] > 0.8
    short = estimates([register(7, 6) > 40])
    assert short["multi_mmc"] < 0.02
    assert short["markov"] > 0.8


def test_predictions_do_not_reach_across_holes() -> None:
    half = np.random.default_rng(7).integers(0, 2, 100).astype(bool)
    pieces = [half] * 50  # only across the holes does a sample equal the one 100 before
    assert estimates(pieces)["lag_prediction"] > 0.5


@pytest.mark.parametrize("size", [1, 2, 3, 17, 130])
def test_few_states_give_no_nonsense(size: int) -> None:
    for states in (np.ones(size, dtype=bool), np.arange(size) % 2 == 1):
        assert all(0 <= value <= 1 for value in estimates([states]).values())
        assert estimates([states])["markov"] == 0


def test_markov_counts_its_uncertainty() -> None:
    assert markov(np.array([[50_000, 50_000], [50_000, 50_000]])) == pytest.approx(1, abs=0.02)
    assert markov(np.array([[0, 1000], [1000, 0]])) == 0
    assert markov(np.array([[1000, 0], [0, 0]])) == 0
    few, many = (markov(np.array([[74, 26], [26, 74]]) * n) for n in (1, 1000))
    assert few < many < -math.log2(0.74)


def test_the_length_of_a_register() -> None:
    assert register_length(register(7, 6) > 40) == 7
    assert register_length(register(31, 28) > 40) == 31
    assert register_length(np.random.default_rng(0).random(2048) < 0.5) is None
    assert register_length(np.zeros(500, dtype=bool)) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (square(4), "2404 Hz"),
        (square(40), "240.4 Hz"),
        (sine(50), "50 Hz: mains hum"),
        (register(7, 6), "shift register of 7 stages"),
    ],
    ids=["sq4", "sq40", "hum", "prbs7"],
)
def test_the_command_says_so(tmp_path, values: np.ndarray, words: str) -> None:
    (tmp_path / "codes.txt").write_text("\n".join(f"{value:.0f}" for value in values))
    arguments = ["--file", str(tmp_path / "codes.txt"), "--rate", "9615", "--runs", str(tmp_path / "runs"), "--json"]
    found = CliRunner().invoke(cli, arguments)
    assert found.exit_code == 0
    result = json.loads(found.stdout)
    assert (result["verdict"], result["min_entropy"]) == ("unusable", 0)
    assert words in result["hints"][0]
    assert "estimate 0.00 bits per sample" in found.stderr
    assert "at least" not in found.stderr
    assert {"rate", "levels_mv", "min_entropy_estimates", "periodic", "shift_register"} <= result.keys()


@pytest.mark.parametrize("source", ["smtj", "bernoulli", "gaussian"])
def test_a_boards_good_sources_are_good(tmp_path, source: str) -> None:
    arguments = ["--board", "native", "--device-noise", source, "--codes", "6000", "--runs", str(tmp_path / "runs"), "--json"]
    result = json.loads(CliRunner().invoke(cli, arguments).stdout)
    assert (result["verdict"], result["hints"]) == ("good", [])


@pytest.mark.parametrize("value", [1e308, -1e308, 1e13])
def test_values_of_no_converter_are_refused_in_one_line(tmp_path, value: float) -> None:
    (tmp_path / "huge.txt").write_text("\n".join(str(number) for number in (1.0, 2.0, value)))
    found = CliRunner().invoke(cli, ["--file", str(tmp_path / "huge.txt"), "--runs", str(tmp_path / "runs")])
    assert found.exit_code == 2
    [line] = found.stderr.splitlines()
    assert "huge.txt: sample 3 is" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("scale", [1e12, 1e-300, 1e-160, 1e-9])
def test_any_scale_is_characterised(scale: float) -> None:
    summary = characterise(Recording((junction(400) - 38) / 100 * scale, rate=RATE), 1000.0)
    assert 0 <= summary.min_entropy <= 1
    json.dumps([summary.deviation, summary.mean, summary.min_entropy], allow_nan=False)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([0] * 900, "every code is 0"),
        ([1] * 900, None),
        ([0] * 899 + [1], None),
        ([1023] * 900, "every code is full scale"),
        ([1023] * 9 + [500] * 891, "1.0% of the codes are full scale"),
    ],
)
def test_the_ends_of_a_converter_are_named(codes: list[int], said: str | None) -> None:
    values = np.array(codes, dtype=np.float64)
    hints = board_hints(values, 1023, look(values), None)
    named = [hint for hint in hints if "full scale" in hint or "every code is 0" in hint]
    assert [said in hint for hint in named] == ([] if said is None else [True])
