"""Samples streamed to a simulated Uno at its line's rate: how much of what line and learner allow arrives, and what gets lost.

All rates are of the chip's clock. Its time stands still while the host works, so that a busy computer does not count against the
board, and an answer reaches the host a millisecond late, as over a USB bridge: waiting for acknowledgements is in the figures.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.chip.credit_client import CreditClient
from mtjlearn.bench.chip.profile import Profile
from mtjlearn.bench.chip.resident import ResidentImage
from mtjlearn.bench.phases import FRAMES, BenchError, Progress
from mtjlearn.bench.workload import Workload
from mtjlearn.board.board import configure_message
from mtjlearn.board.samples import checked_samples, train_commands
from mtjlearn.inprocess.uno import SteppedUno
from mtjlearn.wire.command import Command
from mtjlearn.wire.frame import OVERHEAD
from mtjlearn.wire.messages import Ack, SetTelemetry, Telemetry

CLOCK = 16_000_000
"""Cycles per second of the Uno."""
_VALUE_BYTES = 2
LATENCY = 1e-3
"""Seconds from the last byte of an answer to the first of what the host sends then."""
_INTERVAL = 200
_FILLS = 0.05
"""Seconds that the noise buffer takes, and more."""
_FRAME_REPEATS = 200
_TEST_REPEATS = 400
_CODES_AT_ONCE = 16
_NOTE = 50


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
        """Of TRAIN frames with this many bytes of payload.

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
        line_limit: samples per second that the line carries.
        learner_limit: samples per second that the learner could train with no wait at all.
        rx_overruns: bytes lost: in the firmware's ring, and in the simulated UART.
        cycles: a sample's share of what the learner's limit is made of.
        code_cycles: what each noise code costs besides: its interrupt and the tests of the source.
    """

    net: str
    frames: int
    samples_per_s: float
    line_limit: float
    learner_limit: float
    rx_overruns: tuple[int, int]
    cycles: dict[str, float]
    code_cycles: dict[str, float]

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
            "cycles_a_code": self.code_cycles,
        }


def stream(load: Workload, frames: int = FRAMES, *, latency: float = LATENCY, progress: Progress | None = None) -> Streaming:
    """Streams samples to a simulated Uno with full credit; its noise comes from the converter.

    Args:
        load: network and samples.
        frames: TRAIN frames, each as full as it gets.
        latency: seconds of the chip's time from an answer to what the host sends then.
        progress: called with (frames sent, frames, what).

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
        BenchError: the board stopped answering.
    """
    uno = SteppedUno(latency)
    client = CreditClient(uno)
    info = client.welcome
    client.execute(configure_message(load.network))
    uno.read(_FILLS)
    rows, per_frame = _rows(load, frames, info.max_payload)
    client.execute(SetTelemetry(_INTERVAL))
    client.stream(_counted(train_commands(rows, info.max_payload), frames, progress))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        uno.write_profile(path)
        profile = Profile.read(path)
    count, width = rows.shape[0], _VALUE_BYTES * rows.shape[1]
    costs = FrameCosts.measure(per_frame * width)
    cycles = _cycles_a_sample(profile, costs, per_frame, count)
    code = cycles_a_code(profile, info.adc_rate, cycles["step"])
    return Streaming(
        net=load.name,
        frames=frames,
        samples_per_s=_rate(client.telemetry),
        line_limit=info.line_rate * per_frame / (per_frame * width + OVERHEAD),
        learner_limit=(CLOCK - info.adc_rate * sum(code.values())) / sum(cycles.values()),
        rx_overruns=(client.ack.rx_overruns, profile.rx_overruns),
        cycles=cycles,
        code_cycles=code,
    )


def _rows(load: Workload, frames: int, max_payload: int) -> tuple[NDArray[np.int16], int]:
    """The samples of this many full frames, and how many a frame holds."""
    rows = checked_samples(load.network, *load.samples())
    per_frame = max_payload // (_VALUE_BYTES * rows.shape[1])
    return rows[np.arange(frames * per_frame) % len(rows)], per_frame


def _counted(commands: Iterator[Command], frames: int, progress: Progress | None) -> Iterator[Command]:
    for number, command in enumerate(commands):
        if progress is not None and number % _NOTE == 0:
            progress(number, frames, "streaming")
        yield command


def _rate(telemetry: list[Telemetry]) -> float:
    """Of the board's own reports; the first spans the time before the samples came."""
    rates = [message.steps_per_second for message in telemetry[1:]]
    if not rates:
        raise BenchError(f"the board reported no rate; stream more than {2 * _INTERVAL} samples")
    return statistics.harmonic_mean(rates)


def cycles_a_code(profile: Profile, rate: int, step: float) -> dict[str, float]:
    """What one noise code costs the chip: its interrupt, and its share of the noise tests of as many codes as come in a step.

    Args:
        profile: of the run.
        rate: codes per second.
        step: cycles of a training step, between two of which codes are tested.
    """
    at_once = min(max(round(rate * step / CLOCK), 1), _CODES_AT_ONCE)
    with ResidentImage() as image:
        tests = image.time_tests(at_once, _TEST_REPEATS) * CLOCK / 1e6 / at_once
    return {"interrupt": profile.interrupts["adc"].mean, "tests": tests}


def _cycles_a_sample(profile: Profile, costs: FrameCosts, per_frame: int, count: int) -> dict[str, float]:
    """What one sample costs the chip. What noise codes cost comes by time instead."""
    lines = {name: interrupt for name, interrupt in profile.interrupts.items() if name.startswith("uart")}
    return {
        "step": float(profile.steps[-count:, 0].mean()),
        "uart": sum(interrupt.cycles for interrupt in lines.values()) / count,
        "decode": costs.decode / per_frame,
        "encode": costs.encode / per_frame,
    }
