"""How fast the float reference is: CPU seconds of an epoch of the paper's network, next to programs for torch, and its memory.

Programs take turns in short rounds in one process, so that other work on the computer slows all of them. The fastest round of each
counts, and of ratios the median over rounds. Every program has one thread.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from mtjlearn.errors import UserError
from mtjlearn.network import Loss, Network
from mtjlearn.noise import Gaussian
from mtjlearn.reference import Adam, Reference, Rule
from mtjlearn.reference.backend import Precision
from mtjlearn.reference.tensors import backend

SIZES = (784, 500, 500, 500, 10)
BATCH = 64
SAMPLES = 60_000
STEPS = 20
"""Steps of a round."""
RULES = ("bp", "anp", "danp")

Round = Callable[[], None]
"""A step with each of the batches."""


def measure_reference(
    rounds: int, sizes: tuple[int, ...] = SIZES, steps: int = STEPS, progress: Callable[[int, int, str], None] | None = None
) -> dict[str, Any]:
    """CPU seconds of an epoch of 60,000 samples in batches of 64 with cross-entropy, Adam and Gaussian noise; random data.

    Args:
        rounds: rounds of each program; the fastest counts.
        sizes: of the network.
        steps: of a round.
        progress: called with rounds done, rounds in all, and the program's name.

    Returns:
        The seconds by program and rule (``numpy float32``, ``torch of the authors' structure``, ...; None for torch where it is
        not installed), ratios of DANP, and the memory of the reference's arrays in MiB by precision.
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((steps * BATCH, sizes[0]), dtype=np.float32)
    t = rng.integers(0, sizes[-1], steps * BATCH)
    precisions: tuple[Precision, ...] = ("float32", "float64")
    programs = {(f"numpy {dtype}", rule): _reference(sizes, rule, dtype, x, t) for dtype in precisions for rule in RULES}
    programs |= _torch_programs(sizes, x, t)
    spent: dict[tuple[str, str], list[float]] = {name: [] for name in programs}
    for number in range(rounds):
        for place, (name, learn) in enumerate(programs.items()):
            if progress is not None:
                progress(number * len(programs) + place, rounds * len(programs), " ".join(name))
            begun = time.process_time()
            learn()
            spent[name].append(time.process_time() - begun)
    epoch = SAMPLES / BATCH / steps
    seconds: dict[str, dict[str, float]] = {}
    for (program, rule), times in spent.items():
        seconds.setdefault(program, {})[rule] = epoch * min(times)
    return {
        "network": "-".join(map(str, sizes)),
        "samples": SAMPLES,
        "batch": BATCH,
        "rounds": rounds,
        "cpu_s_per_epoch": seconds,
        "danp_ratios": _ratios(spent),
        "memory_mib": {dtype: _memory(sizes, dtype, x, t) for dtype in ("float32", "float64")},
    }


def _ratios(spent: dict[tuple[str, str], list[float]]) -> dict[str, float] | None:
    """Medians of the ratios of the same round."""
    own, authors, plain = (np.array(spent.get((name, "danp"), [])) for name in ("numpy float32", "torch, authors", "torch, plain"))
    if not len(authors):
        return None
    return {
        "authors_over_numpy": float(np.median(authors / own)),
        "numpy_over_plain_torch": float(np.median(own / plain)),
    }


def _new(sizes: tuple[int, ...], rule: str, dtype: Precision, device: str | None = None) -> Reference:
    decorrelated = rule == "danp"
    network = Network(
        sizes,
        loss=Loss.CROSS_ENTROPY,
        normalised=False,
        decorrelate=(decorrelated,) * (len(sizes) - 1),
        decorrelation_rate=1e-7,
        learning_rate=1e-4,
    )
    chosen = Rule.ANP if decorrelated else Rule(rule)
    noise = None if chosen is Rule.BP else Gaussian(network.sigma, dtype=dtype)
    return Reference(network, chosen, noise, optimiser=Adam(), reading="code", dtype=dtype, device=device)


def _reference(sizes: tuple[int, ...], rule: str, dtype: Precision, x: Any, t: Any, device: str | None = None) -> Round:
    reference = _new(sizes, rule, dtype, device)

    def learn() -> None:
        reference.train(x, t, 1, batch=BATCH)

    return learn


def _torch_programs(sizes: tuple[int, ...], x: Any, t: Any) -> dict[tuple[str, str], Round]:
    try:
        backend("float32", "cpu")
    except UserError:
        return {}
    import torch

    from mtjlearn.bench.desktop.torch_programs import AuthorsProgram, PlainProgram

    torch.set_num_threads(1)
    batches = list(zip(torch.from_numpy(x).split(BATCH), torch.from_numpy(t).split(BATCH), strict=True))

    def learner(program: AuthorsProgram | PlainProgram) -> Round:
        def learn() -> None:
            for inputs, classes in batches:
                program.step(inputs, classes)

        return learn

    found = {("torch, authors", rule): learner(AuthorsProgram(sizes, rule)) for rule in RULES}
    found |= {("torch, plain", rule): learner(PlainProgram(sizes, rule)) for rule in RULES[1:]}
    found |= {("reference on torch", rule): _reference(sizes, rule, "float32", x, t, "cpu") for rule in RULES}
    return found


def _memory(sizes: tuple[int, ...], dtype: Precision, x: Any, t: Any) -> float:
    """The most that the arrays of DANP with Adam take at once, in MiB, without the data."""
    tracemalloc.start()
    try:
        _new(sizes, "danp", dtype).train(x[: 2 * BATCH], t[: 2 * BATCH], 1, batch=BATCH)
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
