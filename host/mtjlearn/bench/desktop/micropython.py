"""Training steps of the learner in MicroPython, as viper and as bytecode, next to the C core, and the memory that it needs.

In the language's Unix port on this computer. Its words have 8 bytes, so that its heap is up to twice that of a board with 4.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from mtjlearn.bench.desktop.timing import Spread, time_step
from mtjlearn.bench.phases import BenchError, Progress
from mtjlearn.bench.workload import Workload, workload
from mtjlearn.firmware.micropython_sources import micropython_sources, write_sources
from mtjlearn.firmware.mpy_cross import compile_modules, needed_modules
from mtjlearn.firmware.sources import firmware_root
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.virtual.micropython import interpreter

SIZES = ((2, 2, 2, 1), (4, 8, 3))
"""Networks whose steps are measured."""
PICO = "armv6m"
"""The architecture whose compiled modules are counted."""
LEARNER = "learner.py"
_SECONDS = 0.04
_TIMEOUT = 600.0


def micropython_steps(repeats: int, progress: Progress | None = None) -> dict[str, Any]:
    """Steps per second of each network as viper, as bytecode and in C, in processes of their own and in this one.

    Args:
        repeats: of each measurement.
        progress: called with (measurements done, measurements, network).

    Returns:
        By network: ``viper``, ``bytecode`` and ``c``, each with median, minimum and maximum of steps per second, the ratio of viper
        to C, and the heap's bytes of the learner's modules and of a configured learner (``module_bytes``, ``learner_bytes``).

    Raises:
        ToolMissing: MicroPython is not installed.
        FirmwareError: the sources are missing.
        BenchError: the interpreter fails.
        NotBuiltError: the C parts were not built.
    """
    found: dict[str, Any] = {}
    for number, sizes in enumerate(SIZES):
        load = workload(sizes)
        if progress is not None:
            progress(number, len(SIZES), load.name)
        as_viper, as_bytecode = (_run(load, repeats, viper=viper) for viper in (True, False))
        in_c = _figures([1e9 / nanos for nanos in _extremes(time_step(load, repeats=repeats))])
        in_viper, in_bytecode = (_figures([1e6 / us for us in each["us"]]) for each in (as_viper, as_bytecode))
        found[load.name] = {
            "viper": in_viper,
            "bytecode": in_bytecode,
            "c": in_c,
            "ratio": in_viper["steps_per_s"] / in_c["steps_per_s"],
            **{name: as_viper[name] for name in ("module_bytes", "learner_bytes", "arena_bytes")},
        }
    return found


def compiled_bytes() -> dict[str, int]:
    """Bytes of the learner's modules, compiled for a Pico, by module.

    Raises:
        ToolMissing: the compiler is not installed.
        FirmwareError: the sources are missing, or one does not compile.
    """
    texts = micropython_sources(viper=True)
    chosen = {name: texts[name] for name in needed_modules(texts, [LEARNER])}
    return {name: len(code) for name, code in compile_modules(chosen, PICO).items()}


def _run(load: Workload, repeats: int, *, viper: bool) -> dict[str, Any]:
    network = load.network
    assert network.rounding is not None
    x, targets = load.samples()
    job = {
        "configuration": {
            "loss": int(network.loss),
            "weight_format": int(network.weight_format),
            "rounding": int(network.rounding),
            "normalised": network.normalised,
            "antithetic": network.antithetic,
            "sigma": network.sigma_q,
            "noise_std": network.noise_std_q,
            "learning_rate": network.learning_rate_q,
            "seed": network.seed,
            "layers": network.layers,
            "sizes": network.sizes,
        },
        "codes": load.codes(NOISE_BUFFER).tolist(),
        "samples": [int(value) for pair in zip(x, targets, strict=True) for part in pair for value in part],
        "seconds": _SECONDS,
        "repeats": repeats,
    }
    program = firmware_root() / "firmware" / "bench" / "micropython" / "steps.py"
    with tempfile.TemporaryDirectory(prefix="mtjlearn-bench-") as folder:
        modules, source = Path(folder, "modules"), Path(folder, "job")
        modules.mkdir()
        write_sources(modules, viper=viper)
        source.write_text(json.dumps(job), encoding="ascii")
        command = [*interpreter(), *map(str, (program, modules, source))]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    try:
        answer: dict[str, Any] = json.loads(run.stdout)
    except ValueError:  # the package's interpreter exits with 0 whatever happens
        lines = [*run.stdout.splitlines(), *run.stderr.splitlines()] or ["no message"]
        raise BenchError(f"the bench of MicroPython fails: {lines[-1]}") from None
    return answer


def _extremes(spread: Spread) -> list[float]:
    return [spread.minimum, spread.median, spread.maximum]


def _figures(rates: list[float]) -> dict[str, float]:
    spread = Spread.of(rates)
    return {"steps_per_s": spread.median, "min": spread.minimum, "max": spread.maximum}
