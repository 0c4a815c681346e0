"""Training steps a second of boards that learn on their own, beside samples streamed to the same network.

On the simulated Uno by the chip's clock, from its own reports, without evaluations and checkpoints. On the native board by this
computer's clock: in real time a step waits for at least one fresh noise code, so that the converter sets the pace; on the virtual
clock nothing does.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.chip.credit_client import CreditClient
from mtjlearn.bench.chip.profile import Profile
from mtjlearn.bench.chip.streaming import CLOCK, LATENCY, cycles_a_code, stream
from mtjlearn.bench.desktop.timing import Spread, time_stream
from mtjlearn.bench.workload import Workload, workload
from mtjlearn.board import Board, Schedule, packing
from mtjlearn.board.blobs import set_commands
from mtjlearn.board.board import configure_message
from mtjlearn.discovery import open_board
from mtjlearn.inprocess.uno import SteppedUno
from mtjlearn.network import FRACTION_BITS
from mtjlearn.wire.messages import BlobKind, SetTelemetry, Task

SAMPLES = 100
"""Of the dataset: shaped like iris, in int8 within an Uno's EEPROM beside two checkpoints."""
VIRTUAL_CODES = 4
"""Fresh noise codes a step on the native board's virtual clock."""
_REPORTS = 40
_INTERVAL = 100
_STREAMED = 400
_SECONDS = 0.4
_CHECK = 0.02

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Alone:
    """What a board learns on its own.

    Args:
        task: TEACHER, XOR or DATASET.
        load: its network.
    """

    task: Task
    load: Workload

    @property
    def name(self) -> str:
        """Of the task, small."""
        return self.task.name.lower()

    @property
    def schedule(self) -> Schedule:
        """Never ends, and does nothing but learn."""
        return Schedule(self.task, epoch_steps=SAMPLES if self.task is Task.TEACHER else 0, checkpoint_interval=0)


TASKS = (
    Alone(Task.TEACHER, workload((2, 2, 2, 1))),
    Alone(Task.XOR, workload((2, 3, 1))),
    Alone(Task.DATASET, workload((4, 8, 3))),
)
"""What is measured."""


def iris_like(load: Workload) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Inputs, shape (SAMPLES, inputs), and one-hot targets, shape (SAMPLES, classes), Q3.12."""
    x, targets = load.samples(SAMPLES)
    return x, np.eye(targets.shape[1], dtype=np.int16)[targets.argmax(axis=1)] << np.int16(FRACTION_BITS)


def uno_alone(progress: Progress | None = None) -> dict[str, Any]:
    """Each of TASKS on a simulated Uno; the same figures in every run but for the session's number.

    Args:
        progress: told (tasks done, tasks, network).

    Returns:
        By network: the task; steps a second alone and samples a second streamed; ``limit``: what the step alone would allow beside
        the converter and the noise tests; ``share`` of it; noise codes that arrive in a step.

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
        BenchError: the board stops answering.
    """
    found: dict[str, Any] = {}
    for number, alone in enumerate(TASKS):
        if progress is not None:
            progress(number, len(TASKS), alone.load.name)
        found[alone.load.name] = _on_uno(alone)
    return found


def _on_uno(alone: Alone) -> dict[str, Any]:
    uno = SteppedUno(LATENCY)
    client = CreditClient(uno)
    network = alone.load.network
    client.execute(configure_message(network))
    if alone.task is Task.DATASET:
        packed = packing.pack(network, *iris_like(alone.load), value_bytes=1)
        client.execute(packed.message)
        client.stream(set_commands(BlobKind.DATASET, packed.data, client.welcome.max_payload))
    client.execute(SetTelemetry(_INTERVAL))
    client.execute(alone.schedule.message)
    # The first report spans the checkpoint of the start.
    reports = client.collect(_REPORTS + 1)[1:]
    rate = statistics.harmonic_mean([report.steps_per_second for report in reports])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        uno.write_profile(path)
        profile = Profile.read(path)
    step = float(profile.steps[-_REPORTS * _INTERVAL :, 0].mean())
    codes = client.welcome.adc_rate
    limit = (CLOCK - codes * sum(cycles_a_code(profile, codes, step).values())) / step
    return {
        "task": alone.name,
        "steps_per_s": rate,
        "streamed_per_s": stream(alone.load, _STREAMED).samples_per_s,
        "limit": limit,
        "share": rate / limit,
        "codes_a_step": codes / rate,
    }


def native_alone(repeats: int, progress: Progress | None = None) -> dict[str, Any]:
    """Each of TASKS on a native board, in real time and on the virtual clock.

    Args:
        repeats: of each measurement.
        progress: told (measurements done, measurements, network).

    Returns:
        By network: the task, and for ``real_time`` and ``virtual_clock`` median, minimum and maximum of steps a second alone, and
        the median of samples a second streamed.

    Raises:
        BoardError: as open_board() and start_autonomous().
    """
    found: dict[str, Any] = {}
    clocks = {"real_time": 0, "virtual_clock": VIRTUAL_CODES}
    for number, (alone, (clock, codes)) in enumerate(_product(clocks)):
        if progress is not None:
            progress(number, len(TASKS) * len(clocks), alone.load.name)
        with open_board("native", virtual_clock=codes) as board:
            streamed = time_stream(board, alone.load, repeats=repeats)
            _begin(board, alone)
            speed = Spread.of([_steps_a_second(board) for _ in range(repeats)])
        figures = {"steps_per_s": speed.median, "min": speed.minimum, "max": speed.maximum, "streamed_per_s": streamed.median}
        found.setdefault(alone.load.name, {"task": alone.name})[clock] = figures
    return found


def _product(clocks: dict[str, int]) -> Iterator[tuple[Alone, tuple[str, int]]]:
    return ((alone, clock) for alone in TASKS for clock in clocks.items())


def _begin(board: Board, alone: Alone) -> None:
    board.configure(alone.load.network)
    if alone.task is Task.DATASET:
        board.upload_dataset(*iris_like(alone.load))
    board.start_autonomous(alone.schedule)
    while board.status().steps == 0:
        time.sleep(_CHECK)


def _steps_a_second(board: Board) -> float:
    first, begun = board.status().steps, time.perf_counter()
    time.sleep(_SECONDS)
    return (board.status().steps - first) / (time.perf_counter() - begun)
