"""Training steps per second of a simulated Uno that learns autonomously, next to samples streamed to the same network.

By the chip's clock, from the board's own reports.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from mtjlearn.bench.chip.credit_client import CreditClient
from mtjlearn.bench.chip.profile import Profile
from mtjlearn.bench.chip.streaming import CLOCK, LATENCY, cycles_a_code, stream
from mtjlearn.bench.phases import Progress
from mtjlearn.bench.tasks import TASKS, Autonomous, iris_like
from mtjlearn.board import packing
from mtjlearn.board.blobs import set_commands
from mtjlearn.board.board import configure_message
from mtjlearn.inprocess import SteppedUno
from mtjlearn.wire.messages import BlobKind, SetTelemetry, Task

_REPORTS = 40
_INTERVAL = 100
_STREAMED = 400


def uno_autonomous(progress: Progress | None = None) -> dict[str, Any]:
    """Each of TASKS on a simulated Uno; the same figures in every run but for the session's number.

    Args:
        progress: called with (tasks done, tasks, network).

    Returns:
        By network: the task; steps per second alone and samples per second streamed; ``limit``: what the step alone would allow
        next to the converter and the noise tests; ``share`` of it; noise codes that arrive in a step.

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
        BenchError: the board stops answering.
    """
    found: dict[str, Any] = {}
    for number, learning in enumerate(TASKS):
        if progress is not None:
            progress(number, len(TASKS), learning.load.name)
        found[learning.load.name] = _on_uno(learning)
    return found


def _on_uno(learning: Autonomous) -> dict[str, Any]:
    uno = SteppedUno(LATENCY)
    client = CreditClient(uno)
    network = learning.load.network
    client.execute(configure_message(network))
    if learning.task is Task.DATASET:
        packed = packing.pack(network, *iris_like(learning.load), value_bytes=1)
        client.execute(packed.message)
        client.stream(set_commands(BlobKind.DATASET, packed.data, client.welcome.max_payload))
    client.execute(SetTelemetry(_INTERVAL))
    client.execute(learning.schedule.message)
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
        "task": learning.name,
        "steps_per_s": rate,
        "streamed_per_s": stream(learning.load, _STREAMED).samples_per_s,
        "limit": limit,
        "share": rate / limit,
        "codes_a_step": codes / rate,
    }
