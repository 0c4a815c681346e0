"""Training steps per second on the Uno with the samples in its memory: no line in the way, the converter at work all the time.

firmware/bench/resident.c runs in the simulator and times itself by the chip's own timer, which the simulator's cycles drive.
The task is teacher-student, 2-2-2-1.
"""

from __future__ import annotations

import math
import struct
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.phases import BenchError
from mtjlearn.datasets import load, quantise
from mtjlearn.firmware import build_firmware
from mtjlearn.network import LOSS_BITS, Network, check_device
from mtjlearn.schedule import halving
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire.frame import Frame, FrameDecoder, encode_frame
from mtjlearn.wire.messages import MIN_PAYLOAD, SESSION_NONE
from mtjlearn.wire.transport import SerialTransport

SIZES = (2, 2, 2, 1)
SAMPLES = 64
"""Samples in the chip's memory."""
EPOCHS = 210
STAGES = 21
"""The learning rate changes between them, as in every training (mtjlearn.schedule)."""
STEPS = SAMPLES * EPOCHS

IMAGE = "uno-resident"
"""Target of build_firmware()."""

_CONFIGURE, _STORE, _RUN, _EVALUATE, _FRAMES, _TESTS = range(1, 7)
_ANSWER = 0x80
_START, _KNOCK = 20.0, 0.1
_PATIENCE = 120.0
_FACTOR = 0.2


@dataclass(frozen=True)
class Run:
    """One training on the chip.

    Args:
        steps: training steps.
        seconds: of the chip's clock that they took together.
        skipped: steps without an update.
        codes: noise codes that arrived meanwhile.
        lost: codes that the converter lost meanwhile.
        loss: clean mean loss over the samples at the end.
    """

    steps: int
    seconds: float
    skipped: int
    codes: int
    lost: int
    loss: float

    @property
    def steps_per_second(self) -> float:
        """Training steps per second of the chip's clock."""
        return self.steps / self.seconds


class ResidentImage:
    """The measuring program in the simulator; a context manager that ends it.

    Args:
        seed: of the noise at the pin.
        device_noise: what is at the pin: ``smtj`` or ``gaussian``.

    Raises:
        FirmwareError: compiler or simulator are missing.
    """

    def __init__(self, seed: int = 1, device_noise: str = "smtj") -> None:
        self._process = start_uno_sim(elf=build_firmware(IMAGE), seed=seed, device_noise=device_noise, speed=0)
        try:
            self._line = SerialTransport(self._process.url)
        except BaseException:
            self._process.close()
            raise
        self._decoder = FrameDecoder()
        self._seq = 0
        self._knock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._line.close()
        self._process.close()

    def configure(self, network: Network) -> None:
        """Sets up a network with fresh weights.

        Raises:
            BenchError: it does not fit.
            NetworkError: no device can learn it.
        """
        check_device(network)
        head = struct.pack("<IIH", network.seed, network.learning_rate_q, network.sigma_q)
        (status,) = self._ask(_CONFIGURE, head + bytes(network.sizes))
        if status:
            raise BenchError(f"the measuring program refuses {network.name} (status {status})")

    def store(self, x: NDArray[np.int16], targets: NDArray[np.int16]) -> None:
        """Puts samples into the chip's memory: x (n, inputs), targets (n, outputs), Q3.12."""
        values = np.concatenate([x, targets], axis=1).astype("<i2").ravel()
        step = (MIN_PAYLOAD - 2) // 2
        for start in range(0, len(values), step):
            self._ask(_STORE, struct.pack("<H", start) + values[start : start + step].tobytes())

    def run(self, learning_rate_q: int, steps: int) -> tuple[int, int, int, int, int, int]:
        """Trains; microseconds taken, then since configure() steps, skipped, saturations; of this run codes and codes lost."""
        answer = self._ask(_RUN, struct.pack("<II", learning_rate_q, steps))
        micros, made, skipped, saturations, codes, lost = struct.unpack("<6I", answer)
        return micros, made, skipped, saturations, codes, lost

    def evaluate(self) -> int:
        """Sum of the clean losses of all samples, units of 2^-24."""
        (total,) = struct.unpack("<Q", self._ask(_EVALUATE, b""))
        return int(total)

    def time_frame(self, payload_bytes: int, repeats: int) -> tuple[float, float]:
        """Microseconds to encode and to decode one frame with this many bytes of payload: COBS and CRC."""
        encode, decode = struct.unpack("<II", self._ask(_FRAMES, struct.pack("<BH", payload_bytes, repeats)))
        return encode / repeats, decode / repeats

    def time_tests(self, codes: int, repeats: int) -> float:
        """Microseconds that the tests of the noise source take for this many codes at once, 1 .. 16.

        Raises:
            BenchError: the noise at the pin does not serve.
        """
        answer = self._ask(_TESTS, struct.pack("<BH", codes, repeats))
        if not answer:
            raise BenchError("the measuring program refuses the noise at its pin; run it again with another seed")
        (micros,) = struct.unpack("<I", answer)
        return float(micros / repeats)

    def _knock(self) -> None:
        """Asks for something harmless until there is an answer: what comes before the chip has started is lost."""
        for _ in range(round(_START / _KNOCK)):
            if self._try(_EVALUATE, b"", _KNOCK) is not None:
                return
        self.__exit__(None, None, None)
        raise BenchError(f"the measuring program did not start within {_START:g} s; run it again")

    def _ask(self, kind: int, payload: bytes) -> bytes:
        answer = self._try(kind, payload, _PATIENCE)
        if answer is None:
            raise BenchError(f"the measuring program did not answer within {_PATIENCE:g} s; run it again")
        return answer

    def _try(self, kind: int, payload: bytes, seconds: float) -> bytes | None:
        self._seq = (self._seq + 1) & 0xFF
        self._line.write(encode_frame(kind, SESSION_NONE, self._seq, payload))
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for frame in self._decoder.feed(self._line.read(left)):
                if isinstance(frame, Frame) and frame.type == kind | _ANSWER and frame.seq == self._seq:
                    return frame.payload
        return None


def resident_task(seed: int) -> tuple[Network, NDArray[np.int16], NDArray[np.int16]]:
    """Network, inputs (SAMPLES, 2) and targets (SAMPLES, 1) of a teacher of its own for each seed."""
    network = Network(SIZES, learning_rate=_FACTOR / sum(SIZES[1:]), seed=seed + 1)
    data = quantise(load("teacher", seed=seed), network)
    return network, data.x_train[:SAMPLES], data.t_train[:SAMPLES]


def mean_loss(total: int) -> float:
    """Mean loss over SAMPLES samples from their sum in units of 2^-24."""
    return math.ldexp(total, -LOSS_BITS) / SAMPLES


def train_resident(seed: int, device_noise: str) -> Run:
    """One training of SIZES, EPOCHS times through the samples in the chip's memory.

    Args:
        seed: of teacher, weights and noise at the pin.
        device_noise: ``smtj`` or ``gaussian``.

    Raises:
        BenchError: the program in the simulator does not answer, or its noise does not serve.
    """
    network, x, targets = resident_task(seed)
    micros = codes = steps = skipped = lost = 0
    with ResidentImage(seed, device_noise) as image:
        image.configure(network)
        image.store(x, targets)
        for stage in range(STAGES):
            rate = round(network.learning_rate_q * halving(stage, STAGES))
            taken, steps, skipped, _, arrived, missed = image.run(rate, STEPS // STAGES)
            micros += taken
            codes += arrived
            lost += missed
        loss = mean_loss(image.evaluate())
    if steps != STEPS:
        raise BenchError(f"the measuring program made {steps} steps of {STEPS}: the noise at its pin is not usable")
    return Run(steps, micros / 1e6, skipped, codes, lost, loss)
