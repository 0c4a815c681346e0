"""How fast the Uno learns from samples in its memory, and how well the junction's noise serves it compared with Gaussian noise.

Two runs with different noise end in different minima, so that the ratio of their final losses scatters by a factor of four. A
ratio to within some percent needs a thousand pairs: they are trained by the C learner in this process, whose arithmetic is the
chip's to the last bit, with as many fresh codes per step as the chip was seen to get.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.chip.resident import IMAGE, SAMPLES, SIZES, STAGES, STEPS, Run, mean_loss, resident_task, train_resident
from mtjlearn.bench.phases import Progress
from mtjlearn.firmware import build_firmware
from mtjlearn.inprocess import Learner
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise import PRESETS, SimulatedAdc
from mtjlearn.schedule import halving

CHIP_SEEDS = 20
PAIRS = 1000
PAPER_STEPS_PER_SECOND = 1000
"""Most of the paper's rig: a call for noise waits for 1 ms (section III D). The text gives no calls per step; this is one."""

_BOOTSTRAPS = 10_000
_CHUNK = 50
_REFERENCE = 1.1
_CODES = 1024
_NOISES = ("smtj", "gaussian")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LossRatio:
    """Final losses from the junction's noise over those from Gaussian noise, paired by seed.

    Args:
        median: of the pairs.
        ci95: its 95 % bootstrap interval.
        pairs: how many.
        smtj: median final loss from the junction's noise.
        gaussian: the same from Gaussian noise.
    """

    median: float
    ci95: tuple[float, float]
    pairs: int
    smtj: float
    gaussian: float

    @classmethod
    def of(cls, smtj: Sequence[float], gaussian: Sequence[float]) -> Self:
        """From the final losses of each seed."""
        ratios = np.array(smtj) / np.array(gaussian)
        generator = np.random.default_rng(0)
        medians = [np.median(generator.choice(ratios, len(ratios))) for _ in range(_BOOTSTRAPS)]
        low, high = np.quantile(medians, [0.025, 0.975])
        return cls(
            float(np.median(ratios)), (float(low), float(high)), len(ratios), float(np.median(smtj)), float(np.median(gaussian))
        )

    @property
    def figures(self) -> dict[str, Any]:
        """As commands print it."""
        losses = {"loss": self.smtj, "loss_gaussian": self.gaussian}
        return {"ratio": self.median, "ci95": list(self.ci95), "pairs": self.pairs, **losses}


def measure_resident(seeds: int = CHIP_SEEDS, pairs: int = PAIRS, progress: Progress | None = None) -> dict[str, Any]:
    """Trains in simulated chips for the speed and in this process for the losses.

    Args:
        seeds: trainings on the chip with each noise.
        pairs: trainings in this process with each noise.
        progress: called with (runs done, runs, where).

    Returns:
        Figures as commands print them: speed and losses on the chip, losses in this process.

    Raises:
        FirmwareError, BenchError: as train_resident().
    """
    report = progress or (lambda _done, _total, _note: None)
    smtj, gaussian = _on_chip(seeds, lambda done: report(done, 2 * seeds, "Uno with samples in memory"))
    speed = float(np.median([run.steps_per_second for run in smtj]))
    codes_per_second = sum(run.codes for run in smtj) / sum(run.seconds for run in smtj)
    codes_per_step = max(1, round(codes_per_second / speed))
    return {
        "net": "-".join(map(str, SIZES)),
        "samples": SAMPLES,
        "steps": STEPS,
        "steps_per_s": speed,
        "slowest_steps_per_s": min(run.steps_per_second for run in smtj),
        "paper_steps_per_s": PAPER_STEPS_PER_SECOND,
        "codes_per_s": codes_per_second,
        "codes_lost": sum(run.lost for run in smtj),
        "on_chip": LossRatio.of([run.loss for run in smtj], [run.loss for run in gaussian]).figures,
        "in_process": {
            "codes_per_step": codes_per_step,
            **compare_noises(pairs, codes_per_step, lambda done: report(done, 2 * pairs, "the same in this process")).figures,
        },
    }


def _on_chip(seeds: int, progress: Callable[[int], None]) -> tuple[list[Run], list[Run]]:
    """As many simulators at a time as there are processors."""
    jobs = list(itertools.product(_NOISES, range(seeds)))
    build_firmware(IMAGE)
    runs: list[Run] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for run in pool.map(lambda job: train_resident(job[1], job[0]), jobs):
            runs.append(run)
            progress(len(runs))
    return runs[:seeds], runs[seeds:]


def compare_noises(pairs: int, codes_per_step: int, progress: Callable[[int], None] | None = None) -> LossRatio:
    """The trainings of train_resident() by the C learner in this process.

    Args:
        pairs: seeds.
        codes_per_step: fresh codes before each step.
        progress: called with the number of trainings done, of two for each pair.
    """
    losses: dict[str, list[float]] = {noise: [] for noise in _NOISES}
    count = NOISE_BUFFER + STEPS * codes_per_step
    for first in range(0, pairs, _CHUNK):
        seeds = range(first, min(first + _CHUNK, pairs))
        for noise, found in losses.items():
            codes = _converter_codes(noise, len(seeds), count, first)
            found += [_train(seed, row, codes_per_step) for seed, row in zip(seeds, codes, strict=True)]
            if progress is not None:
                progress(sum(map(len, losses.values())))
    return LossRatio.of(losses["smtj"], losses["gaussian"])


def _train(seed: int, codes: NDArray[np.uint16], codes_per_step: int) -> float:
    network, x, targets = resident_task(seed)
    learner = Learner(network)
    learner.put_codes(codes[:NOISE_BUFFER])
    fresh = codes[NOISE_BUFFER:].reshape(STAGES, STEPS // STAGES, codes_per_step)
    order = np.arange(STEPS // STAGES) % SAMPLES
    for stage in range(STAGES):
        learner.set_rates(network.learning_rate * halving(stage, STAGES), 0.0)
        learner.train(x, targets, order, fresh[stage])
    return mean_loss(learner.evaluate(x, targets)[0])


def _converter_codes(noise: str, replicas: int, count: int, seed: int) -> NDArray[np.uint16]:
    """Codes of a 10-bit converter at 9,615 Hz, shape (replicas, count): the junction's, or Gaussian with their mean and spread."""
    junction = PRESETS["recording"]
    if noise == "smtj":
        return SimulatedAdc(junction, replicas, reference=_REFERENCE, seed=seed).read(count)
    middle = (junction.low + junction.high) / 2
    voltage = middle + junction.deviation * np.random.default_rng([seed, 1]).standard_normal((replicas, count))
    return np.clip(np.floor(voltage / _REFERENCE * _CODES), 0, _CODES - 1).astype(np.uint16)
