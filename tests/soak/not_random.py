"""Sources that are not random: which ones the board reports, after how many codes, and how well a network learns with those that it
does not report. Prints the tables of docs/noise-tests.md.

    make soak-not_random ARGS="[--seeds 8] [--windows 20] [--accuracy [--all]] [--board native]"
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from not_random_support import RATES, Source, bank, healthy, play, reported, rounded, volts_of

from mtjlearn.board import Board, BoardRefused
from mtjlearn.datasets import epoch_order, quantise
from mtjlearn.discovery import VIRTUAL
from mtjlearn.noise import NO_TESTS
from mtjlearn.noise.health import HealthLimits
from mtjlearn.schedule import halving
from mtjlearn.training import default_plan
from mtjlearn.wire.messages import Error, NoiseFault

STEP = 0.0004
"""Seconds of a training step on the native board's clock: about the Uno's."""
STEPS = 12_000
"""Of iris: 100 epochs of 120 samples."""
RECORDED = 40.0
"""Seconds of a source on uno-sim, whose clock also runs between the steps; then it begins again."""
CHIP_RATE = 9615
OTHERS = ("smtj", "bernoulli", "gaussian")
"""Random sources of the virtual boards."""


@dataclass
class Found:
    """What became of one source with one seed."""

    seed: int
    code: int | None = None
    fault: NoiseFault = NoiseFault.NONE
    accuracy: float | None = None


def learn(board: str, rate: int, seed: int, *, tests: bool, **options: Any) -> Found:
    """Iris as `mtjlearn train iris --seed SEED` learns it, with or without the board's tests: its accuracy, or the fault."""
    plan = default_plan("iris", seed=seed, board=board, reference=False)
    data = quantise(plan.load(), plan.network)
    if board == "native":
        options |= {"adc_rate": rate, "virtual_clock": round(STEP * rate)}
    with VIRTUAL[board].start(seed=seed, tcp_port=0, **options) as process, Board.open(process.url) as opened:
        opened.configure(plan.network)
        if not tests:
            opened.set_health(NO_TESTS)
        try:
            for epoch in range(plan.epochs):
                opened.set_rates(plan.network.learning_rate * halving(epoch, plan.epochs))
                order = epoch_order(seed, epoch, len(data.x_train))
                opened.train(data.x_train[order], data.t_train[order])
        except BoardRefused as refusal:
            if refusal.code != Error.NOISE_FAULT:
                raise
            health = opened.health()
            return Found(seed, health.fault_code + 1, health.last_fault)
        return Found(seed, accuracy=opened.evaluate(data.x_test, data.t_test).accuracy)


def learn_from(board: str, rate: int, seed: int, volts: np.ndarray, *, tests: bool) -> Found:
    """Iris from these voltages."""
    with tempfile.TemporaryDirectory() as folder:
        return learn(board, rate, seed, tests=tests, voltages=play(Path(folder) / "volts", volts))


def row(name: str, sources: list[list[Found]], normal: dict[int, float]) -> str:
    """A row of the table. `normal`: accuracy with the healthy source, by seed. Of several sources the worst accuracy counts."""
    found = [one for ones in sources for one in ones]
    faults = [one for one in found if one.code is not None]
    kinds = ", ".join(kind.name for kind, _ in Counter(one.fault for one in faults).most_common())
    codes = sorted(one.code for one in faults if one.code is not None)
    most = "" if not codes else f"{codes[0]:,}" if codes[0] == codes[-1] else f"{codes[0]:,} to {codes[-1]:,}"
    learned = [scores for ones in sources if (scores := {one.seed: one.accuracy for one in ones if one.accuracy is not None})]
    accuracy = ""
    if learned:
        changes = [statistics.median(ones.values()) - statistics.median(normal[seed] for seed in ones) for ones in learned]
        change, scores = min(zip(changes, learned, strict=True), key=lambda one: one[0])
        accuracy = f"{statistics.median(scores.values()):.1%} ({round(100 * change, 1) + 0.0:+.1f})"
        accuracy += f", {len(scores)} runs" if len(scores) < len(normal) else ""
    return f"| {name} | {len(faults)} of {len(found)} | {kinds} | {most} | {accuracy} |"


def main() -> int:
    """Prints tables in Markdown; returns 1 when the healthy source is reported."""
    parser = argparse.ArgumentParser(description="Sources that are not random, and the board's tests.")
    parser.add_argument("--seeds", type=int, default=8, help="of each source")
    parser.add_argument("--windows", type=int, default=20, help="codes of each source, in windows of the tests")
    parser.add_argument("--accuracy", action="store_true", help="let a board learn iris with what is not always reported")
    parser.add_argument("--all", action="store_true", help="with --accuracy: learn from what is reported too")
    parser.add_argument("--board", choices=("native", "uno-sim"), default="native", help="uno-sim: learns always, at 9,615 Hz")
    parser.add_argument("--only", default="", metavar="REGEX", help="sources whose name matches, and the healthy one")
    options = parser.parse_args()
    wrong = 0
    for rate in RATES if options.board == "native" else (CHIP_RATE,):
        print(f"\n{rate:,} codes per second\n\n| source | reported | fault | codes until then | iris |\n|---|---|---|---|---|")
        wrong += table(rate, options)
    return 1 if wrong else 0


def table(rate: int, options: argparse.Namespace) -> int:
    """Prints the rows of one rate; returns how often the healthy source is reported."""
    normal: dict[int, float] = {}
    wrong = 0
    sources = itertools.chain([("healthy", healthy(rate))], bank(rate))
    for name, group in itertools.groupby(sources, key=lambda one: one[0]):
        if name != "healthy" and not re.search(options.only, name):
            continue
        found = [judged(rate, source, options) for _, source in group]
        if name == "healthy":
            wrong = sum(one.code is not None for one in found[0])
            normal = {one.seed: one.accuracy for one in found[0] if one.accuracy is not None}
        print(row(name, found, normal), flush=True)
    for noise in OTHERS if normal else ():
        name = f"the virtual board's {noise}"
        if re.search(options.only, name):
            tests = noise != "gaussian"  # it has no two levels
            runs = [learn(options.board, rate, seed, tests=tests, device_noise=noise) for seed in range(options.seeds)]
            print(row(name, [runs], normal), flush=True)
    return wrong


def judged(rate: int, source: Source, options: argparse.Namespace) -> list[Found]:
    """A source with each seed. uno-sim judges for itself. The native board learns with its tests off, so that every seed counts."""
    seeds = range(options.seeds)
    if options.board == "uno-sim":
        return [learn_from(options.board, rate, seed, volts_of(source, round(RECORDED * rate), seed), tests=True) for seed in seeds]
    count = options.windows * HealthLimits.of_junction(rate).window + 200
    if options.accuracy:
        count = max(count, 200 + (STEPS + 1) * round(STEP * rate))
    volts = [volts_of(source, count, seed) for seed in seeds]
    found = [Found(seed, *(reported(rate, rounded(values)) or ())) for seed, values in enumerate(volts)]
    if options.accuracy and (options.all or any(one.code is None for one in found)):
        for one, values in zip(found, volts, strict=True):
            one.accuracy = learn_from(options.board, rate, one.seed, values, tests=False).accuracy
    return found


if __name__ == "__main__":
    sys.exit(main())
