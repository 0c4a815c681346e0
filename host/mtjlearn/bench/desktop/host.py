"""What the host costs: CPU seconds and memory of a training from a CSV file and of a validation, steps per second of the reference.

Commands run as processes of their own. Their CPU seconds count, user and system together, as other work makes the clock's too many.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.bench.phases import BenchError
from mtjlearn.network import Network
from mtjlearn.noise import Gaussian
from mtjlearn.reference import Reference
from mtjlearn.reference.compiled import is_compiled

ROWS = 100_000
INPUTS = 4
SIZES = ((2, 2, 2, 1), (4, 8, 3))
"""Networks of the reference."""
_STEPS = {True: 50_000, False: 3_000}


def measure_host(
    rows: int = ROWS, progress: Callable[[int, int, str], None] | None = None, steps: Callable[[bool], int] = _STEPS.__getitem__
) -> dict[str, Any]:
    """Trains once through a file of this many rows on a native board, next to the reference; validates a board in the process.

    Args:
        rows: of the file, with INPUTS inputs and a target.
        progress: called with measurements done, measurements in all, and the next one's name.
        steps: of the reference, compiled and not.

    Returns:
        ``train`` and ``validate`` with ``cpu_s``, ``wall_s`` and ``memory_mib``, the most that the process had; ``reference``:
        steps per CPU second by network, compiled (None where that was not built) and in NumPy.

    Raises:
        BenchError: a command failed, or this system does not say what a process costs.
    """
    tell = progress or (lambda done, total, name: None)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.csv"
        _write_rows(data, rows)
        tell(0, 3, f"{rows:,} rows")
        common = ["--runs", folder, "--json"]
        train = _cost(["train", str(data), "--target", "y", "--board", "native", "--epochs", "1", *common])
    tell(1, 3, "validation")
    validate = _cost(["validate", "--board", "inprocess", "--json"])
    tell(2, 3, "the reference")
    found = {
        "-".join(map(str, sizes)): {
            "compiled": _steps_per_s(sizes, True, steps(True)) if is_compiled() else None,
            "numpy": _steps_per_s(sizes, False, steps(False)),
        }
        for sizes in SIZES
    }
    return {"rows": rows, "train": train, "validate": validate, "reference": found}


def _write_rows(path: Path, rows: int) -> None:
    generator = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"x{number + 1}" for number in range(INPUTS)), "y"]) + "\n")
        for start in range(0, rows, 10_000):
            x = generator.standard_normal((min(10_000, rows - start), INPUTS))
            y = x @ [1, -0.5, 0.3, 0.2] + 0.1 * generator.standard_normal(len(x))
            np.savetxt(file, np.column_stack([x, y]), "%.6g", ",")


def _cost(arguments: Sequence[str]) -> dict[str, float]:
    """CPU seconds, seconds and memory of a command, without those of processes that it leaves to others."""
    if sys.platform == "win32":
        raise BenchError("this system does not say what a process costs; use Linux, macOS or Windows' WSL")
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        command = [sys.executable, "-m", "mtjlearn", *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors) as process:
            try:
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:
                process.terminate()
                raise
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines() or [""]
            raise BenchError(f"mtjlearn {arguments[0]} failed: {lines[-1].removeprefix('mtjlearn: ')}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": time.perf_counter() - begun,
        "memory_mib": used.ru_maxrss / unit,
    }


def _steps_per_s(sizes: tuple[int, ...], compiled: bool, steps: int) -> float:
    network = Network(sizes, learning_rate=0.2 / sum(sizes[1:]))
    reference = Reference(network, noise=Gaussian(network.sigma), compiled=compiled)
    generator = np.random.default_rng(1)
    x, target = generator.standard_normal((steps, sizes[0])), generator.standard_normal((steps, sizes[-1]))
    reference.train(x[:64], target[:64], 1)
    begun = time.process_time()
    reference.train(x, target, 1)
    return steps / max(time.process_time() - begun, 1e-9)
