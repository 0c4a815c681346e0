"""Samples streamed to a simulated Uno at its line's rate: how much of what line and learner allow arrives, and what gets lost.

All rates are of the chip's clock. The simulator runs in real time here, so that the host answers as late as it does on a desk.
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

from mtjlearn.bench.credit_client import CreditClient
from mtjlearn.bench.profile import BenchError, Profile
from mtjlearn.bench.resident import ResidentImage
from mtjlearn.bench.workload import Workload
from mtjlearn.board import Board
from mtjlearn.board.samples import checked_samples, train_commands
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire.command import Command
from mtjlearn.wire.frame import OVERHEAD
from mtjlearn.wire.messages import Ack, SetTelemetry, Telemetry
from mtjlearn.wire.transport import SerialTransport

CLOCK = 16_000_000
"""Cycles a second of the Uno."""
FRAMES = 1000

_VALUE_BYTES = 2
_INTERVAL = 200
_FRAME_REPEATS = 200

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class FrameCosts:
    """COBS and CRC on the chip, measured by firmware/bench/resident.c.

    Args:
        decode: cycles for one TRAIN frame.
        encode: cycles for one ACK.
    """

    decode: float
    encode: float

    @classmethod
    def measure(cls, payload_bytes: int) -> FrameCosts:
        """Of TRAIN frames with so many bytes of payload.

        Raises:
            BenchError: the measuring program does not answer.
        """
        with ResidentImage() as image:
            _, decode = image.time_frame(payload_bytes, _FRAME_REPEATS)
            encode, _ = image.time_frame(Ack.LAYOUT.size, _FRAME_REPEATS)
        return cls(decode * CLOCK / 1e6, encode * CLOCK / 1e6)


@dataclass(frozen=True)
class Streaming:
    """What streaming found.

    Args:
        net: the network.
        frames: TRAIN frames sent.
        samples_per_s: trained, of the chip's clock.
        line_limit: samples a second that the line carries.
        learner_limit: samples a second that the learner could train with no wait at all.
        rx_overruns: bytes lost: in the firmware's ring, and in the simulated UART.
        cycles: a sample's share of what the learner's limit is made of.
    """

    net: str
    frames: int
    samples_per_s: float
    line_limit: float
    learner_limit: float
    rx_overruns: tuple[int, int]
    cycles: dict[str, float]

    @property
    def share(self) -> float:
        """Of the lesser of both limits."""
        return self.samples_per_s / min(self.line_limit, self.learner_limit)

    @property
    def figures(self) -> dict[str, Any]:
        """As commands print it."""
        return {
            "net": self.net,
            "frames": self.frames,
            "samples_per_s": self.samples_per_s,
            "line_limit": self.line_limit,
            "learner_limit": self.learner_limit,
            "share": self.share,
            "rx_overruns": {"firmware": self.rx_overruns[0], "uart": self.rx_overruns[1]},
            "cycles_a_sample": self.cycles,
        }


def stream(load: Workload, frames: int = FRAMES, *, speed: float = 1.0, progress: Progress | None = None) -> Streaming:
    """Streams samples to a simulated Uno with full credit; its noise comes from the converter.

    Args:
        load: network and samples.
        frames: TRAIN frames, each as full as it gets.
        speed: of the simulator, multiple of real time.
        progress: told (frames sent, frames, what).

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
        BenchError: the simulator left no profile, or the board stopped answering.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        with start_uno_sim(profile=path, speed=speed) as process:
            with Board.open(process.url) as board:
                board.configure(load.network)
                while board.status().noise_filled < NOISE_BUFFER:
                    time.sleep(0.01)
                info = board.info
            rows, per_frame = _rows(load, frames, info.max_payload)
            line = SerialTransport(process.url)
            try:
                # The network stays from one session to the next.
                client = CreditClient(line)
                client.execute(SetTelemetry(_INTERVAL))
                client.stream(_counted(train_commands(rows, info.max_payload), frames, progress))
            finally:
                line.close()
        profile = Profile.read(path)
    count, width = rows.shape[0], _VALUE_BYTES * rows.shape[1]
    costs = FrameCosts.measure(per_frame * width)
    cycles = _cycles_a_sample(profile, costs, per_frame, count)
    adc = profile.interrupts["adc"].mean * info.adc_rate
    return Streaming(
        net=load.name,
        frames=frames,
        samples_per_s=_rate(client.telemetry),
        line_limit=info.line_rate * per_frame / (per_frame * width + OVERHEAD),
        learner_limit=(CLOCK - adc) / sum(cycles.values()),
        rx_overruns=(client.ack.rx_overruns, profile.rx_overruns),
        cycles=cycles,
    )


def _rows(load: Workload, frames: int, max_payload: int) -> tuple[NDArray[np.int16], int]:
    """The samples of so many full frames, and how many a frame holds."""
    rows = checked_samples(load.network, *load.samples())
    per_frame = max_payload // (_VALUE_BYTES * rows.shape[1])
    return rows[np.arange(frames * per_frame) % len(rows)], per_frame


def _counted(commands: Iterator[Command], frames: int, progress: Progress | None) -> Iterator[Command]:
    for number, command in enumerate(commands):
        if progress is not None and number % _INTERVAL == 0:
            progress(number, frames, "streaming")
        yield command


def _rate(telemetry: list[Telemetry]) -> float:
    """Of the board's own reports; the first spans the time before the samples came."""
    rates = [message.steps_per_second for message in telemetry[1:]]
    if not rates:
        raise BenchError(f"the board told no rate; stream more than {2 * _INTERVAL} samples")
    return statistics.harmonic_mean(rates)


def _cycles_a_sample(profile: Profile, costs: FrameCosts, per_frame: int, count: int) -> dict[str, float]:
    """What one sample costs the chip, the converter's interrupt apart: that comes by time."""
    lines = {name: interrupt for name, interrupt in profile.interrupts.items() if name.startswith("uart")}
    return {
        "step": float(profile.steps[-count:, 0].mean()),
        "uart": sum(interrupt.cycles for interrupt in lines.values()) / count,
        "decode": costs.decode / per_frame,
        "encode": costs.encode / per_frame,
    }
