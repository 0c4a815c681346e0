"""What a chip simulator writes at its end: the cost of every training step, split into phases, interrupts apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.phases import PHASES, BenchError

_COLUMNS = len(PHASES) + 1


@dataclass(frozen=True)
class Interrupt:
    """What one interrupt cost during the whole run.

    Args:
        calls: how often it came.
        cycles: of all calls together, entry and return included.
    """

    calls: int
    cycles: int

    @property
    def mean(self) -> float:
        """Cycles a call; 0 if it never came."""
        return self.cycles / self.calls if self.calls else 0.0


@dataclass(frozen=True)
class PhaseCosts:
    """Median and maximum over training steps of each of PHASES, in the profile's unit; interrupts are in none of them.

    Args:
        steps: how many steps they are taken over.
        median: by phase.
        maximum: by phase.
    """

    steps: int
    median: dict[str, float]
    maximum: dict[str, float]

    @classmethod
    def of(cls, rows: NDArray[np.int64]) -> Self:
        """From rows of a profile, shape (steps, 6).

        Raises:
            BenchError: if there are none.
        """
        if not len(rows):
            raise BenchError("the profile has no training step; was the board configured and trained?")
        medians, largest = np.median(rows, axis=0), rows.max(axis=0)
        return cls(
            len(rows),
            {name: float(medians[column]) for column, name in enumerate(PHASES)},
            {name: float(largest[column]) for column, name in enumerate(PHASES)},
        )


@dataclass(frozen=True)
class Profile:
    """A run on a simulated chip.

    Args:
        unit: ``cycles`` or ``instructions``.
        steps: one row a training step, shape (n, 6): the columns of PHASES, then the interrupts that fell into the step.
        interrupts: by name: ``adc``, ``uart_rx``, ``uart_tx``.
        stack_bytes: deepest stack seen.
        untouched_bytes: RAM between static data and stack that was never written.
        rx_overruns: bytes that a real UART would have lost.
        total: cycles or instructions of the whole run.
    """

    unit: str
    steps: NDArray[np.int64]
    interrupts: dict[str, Interrupt]
    stack_bytes: int
    untouched_bytes: int
    rx_overruns: int
    total: int

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads what a simulator wrote.

        Raises:
            BenchError: if it wrote nothing, or something else.
        """
        try:
            return cls._of(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BenchError(f"the simulator left no usable profile at {path} ({error}); run it again") from error

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        return cls(
            unit=str(raw["unit"]),
            steps=np.array(raw["steps"], np.int64).reshape(-1, _COLUMNS),
            interrupts={name: Interrupt(int(one["calls"]), int(one["cycles"])) for name, one in raw["interrupts"].items()},
            stack_bytes=int(raw["stack_bytes"]),
            untouched_bytes=int(raw["untouched_bytes"]),
            rx_overruns=int(raw["rx_overruns"]),
            total=int(raw["cycles"]),
        )
