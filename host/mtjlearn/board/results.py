"""What a board returns, as typed records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mtjlearn.network import LOSS_BITS
from mtjlearn.wire.messages import FAULT_ERROR, Error, Features, Metrics, NoiseCodes, NoiseFault, ResetCause, Restored, Welcome


@dataclass(frozen=True)
class BoardInfo:
    """What a board reports about itself when a session opens.

    Args:
        name: board name.
        url: where it was opened.
        build: build id of the firmware, eight hexadecimal digits.
        version: protocol version.
        boot_count: starts of the board, if it can count them.
        reset_cause: why it started last.
        features: what its firmware can do.
        adc_bits: resolution of the noise codes.
        adc_rate: codes per second.
        adc_reference: voltage of full scale, in volts.
        line_rate: bytes per second that the line carries; 0: no limit known.
        arena: bytes of memory for a network.
        max_payload: bytes of the largest payload.
        receive_window: encoded bytes that it takes at once.
        memory: bytes of nonvolatile memory for checkpoints and a dataset.
        restored: what it found there when it started.
        last_error: the last refusal before this start, or noise fault, if it outlived the start; empty: none.
    """

    name: str
    url: str
    build: str
    version: int
    boot_count: int
    reset_cause: ResetCause
    features: Features
    adc_bits: int
    adc_rate: int
    adc_reference: float
    line_rate: int
    arena: int
    max_payload: int
    receive_window: int
    memory: int
    restored: Restored
    last_error: str

    @classmethod
    def of(cls, welcome: Welcome, url: str) -> Self:
        """From the board's WELCOME."""
        known = welcome.reset_cause in set(ResetCause)
        found = welcome.restored in set(Restored)
        return cls(
            name=welcome.board,
            url=url,
            build=f"{welcome.build:08x}",
            version=welcome.version,
            boot_count=welcome.boot_count,
            reset_cause=ResetCause(welcome.reset_cause) if known else ResetCause.UNKNOWN,
            features=Features(welcome.features),
            adc_bits=welcome.adc_bits,
            adc_rate=welcome.adc_rate,
            adc_reference=welcome.adc_reference / 1000,
            line_rate=welcome.line_rate,
            arena=welcome.arena,
            max_payload=welcome.max_payload,
            receive_window=welcome.receive_window,
            memory=welcome.memory,
            restored=Restored(welcome.restored) if found else Restored.NOTHING,
            last_error=_last_error(welcome.last_error),
        )

    @property
    def millivolts_per_code(self) -> float:
        """Step of the converter."""
        return 1000 * self.adc_reference / (1 << self.adc_bits)


def _last_error(code: int) -> str:
    """The name of a refusal or noise fault as WELCOME reports it, e.g. ``NO_NOISE`` or ``noise fault STUCK``."""
    if code == 0:
        return ""
    if code >= FAULT_ERROR:
        fault = code - FAULT_ERROR
        return f"noise fault {NoiseFault(fault).name if fault in set(NoiseFault) else fault}"
    return Error(code).name if code in set(Error) else f"error {code}"


@dataclass(frozen=True)
class Evaluation:
    """Samples evaluated without noise (shared/numerics.md, section 5); loss is their mean."""

    samples: int
    correct: int
    loss: float

    @classmethod
    def of(cls, metrics: Metrics) -> Self:
        """From the board's METRICS."""
        mean = metrics.loss_sum / (metrics.samples << LOSS_BITS) if metrics.samples else float("nan")
        return cls(metrics.samples, metrics.correct, mean)

    @property
    def accuracy(self) -> float:
        """Share of samples classified correctly."""
        return self.correct / self.samples if self.samples else float("nan")


@dataclass(frozen=True)
class NoiseChunk:
    """Contiguous noise codes.

    Args:
        first: number of the first code, counted by the converter, mod 2^32.
        micros: device clock when they were sent, in microseconds, mod 2^32.
        codes: ADC codes, uint16, shape (n,).
    """

    first: int
    micros: int
    codes: npt.NDArray[np.uint16]

    def __repr__(self) -> str:
        return f"<NoiseChunk of {len(self.codes):,} codes from number {self.first:,} on>"

    @classmethod
    def of(cls, message: NoiseCodes) -> Self:
        """Unpacks codes that stand back to back, least significant bit first."""
        bits = np.unpackbits(np.frombuffer(message.packed, np.uint8), bitorder="little")
        digits = bits[: message.count * message.bits].reshape(message.count, message.bits).astype(np.uint16)
        weights = np.left_shift(np.uint16(1), np.arange(message.bits, dtype=np.uint16))
        return cls(message.first, message.micros, (digits * weights).sum(axis=1, dtype=np.uint16))


@dataclass(frozen=True)
class NoiseSegment:
    """A contiguous part of a recording.

    Args:
        start: index of its first code in the recording.
        first: number of that code, counted by the converter from the first code of the recording on; never wraps.
        micros: device clock when its first codes were sent, in microseconds, mod 2^32.
    """

    start: int
    first: int
    micros: int


@dataclass(frozen=True)
class NoiseRecording:
    """Noise codes with every hole marked: between two segments codes are missing.

    Args:
        codes: ADC codes, uint16, shape (n,).
        segments: contiguous parts, in order.
        rate: codes per second inside a segment.
    """

    codes: npt.NDArray[np.uint16]
    segments: tuple[NoiseSegment, ...]
    rate: int

    def __repr__(self) -> str:
        span = f", {self.codes.min()} to {self.codes.max()}" if self.codes.size else ""
        return f"<NoiseRecording of {len(self.codes):,} codes{span}, {self.rate:,} per second, {self.holes} holes>"

    @property
    def holes(self) -> int:
        """Places where codes are missing."""
        return max(0, len(self.segments) - 1)

    @classmethod
    def of(cls, chunks: list[NoiseChunk], rate: int) -> Self:
        """Joins chunks in the order in which they came."""
        segments: list[NoiseSegment] = []
        start, number, expected = 0, 0, None
        for chunk in chunks:
            if expected is None or chunk.first != expected:
                number += (chunk.first - expected) % 2**32 if expected is not None else 0
                segments.append(NoiseSegment(start, number, chunk.micros))
            start += len(chunk.codes)
            number += len(chunk.codes)
            expected = (chunk.first + len(chunk.codes)) % 2**32
        codes = np.concatenate([chunk.codes for chunk in chunks]) if chunks else np.zeros(0, np.uint16)
        return cls(codes, tuple(segments), rate)
