"""The board's tests of its noise source: what they see, and their limits (shared/numerics.md, section 12)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from mtjlearn.board.base import BoardBase
from mtjlearn.wire import messages
from mtjlearn.wire.errors import BoardError, BoardTimeout
from mtjlearn.wire.messages import NoiseFault

POLL = 0.25
"""Seconds between two questions while a fault lasts."""

ADVICE: Mapping[NoiseFault, str] = {
    NoiseFault.NONE: "",
    NoiseFault.STUCK: "the junction stays in one state: check its bias current and the field around it",
    NoiseFault.SHORTED: "every code is 0, so the pin is at ground: the junction or its pads are shorted, or the supply is missing",
    NoiseFault.OPEN: "every code is full scale: the junction is open or not connected; check its contacts",
    NoiseFault.SATURATING: "codes are at an end of the scale: use another reference or supply, so that both levels are inside",
    NoiseFault.TOO_SLOW: "it switches too rarely: check its bias, or set limits for this source (mtjlearn noise --set-limits)",
    NoiseFault.DRIFTING: "its levels differ from those of the calibration: check supply and contacts, then calibrate again",
    NoiseFault.SILENT: "the converter delivers no codes: reset the board",
    NoiseFault.PERIODIC: "it switches like a clock, not at random: look for a signal generator or an oscillation at its pin",
}
"""What to do about a fault."""


class Limits(Protocol):
    """Limits of the tests, e.g. :class:`mtjlearn.noise.health.HealthLimits`."""

    @property
    def repetitions(self) -> int:
        """This many codes of one state are a fault."""

    @property
    def window(self) -> int:
        """Codes of the proportion test, and healthy ones after which a fault ends; 0: no tests."""

    @property
    def ones_min(self) -> int:
        """Fewer codes of the high state in a window are a fault."""

    @property
    def ones_max(self) -> int:
        """More of them are a fault."""

    @property
    def switches_min(self) -> int:
        """Fewer switches in a window are a fault."""


@dataclass(frozen=True)
class Health:
    """What the tests saw; codes are numbered by the converter.

    Args:
        fault: now.
        last_fault: the last one since the start.
        faults: since the start.
        fault_code: number of the code that showed the last fault.
        seen: smallest and largest of the 200 codes up to then.
        levels: calibrated levels of the two states; None: not calibrated yet.
        run: codes since the last switch.
        ones: codes of the high state in the last whole window.
        switches: in the last whole window.
        windows: whole windows since the calibration.
        limits: of the tests.
    """

    fault: NoiseFault
    last_fault: NoiseFault
    faults: int
    fault_code: int
    seen: tuple[int, int]
    levels: tuple[int, int] | None
    run: int
    ones: int
    switches: int
    windows: int
    limits: dict[str, int]

    @classmethod
    def of(cls, message: messages.Health) -> Self:
        """From the board's HEALTH.

        Raises:
            BoardError: it reports a fault that this host does not know.
        """
        try:
            fault, last = NoiseFault(message.fault), NoiseFault(message.last_fault)
        except ValueError as error:
            raise BoardError(f"HEALTH is invalid ({error}); flash the firmware that came with this mtjlearn") from None
        return cls(
            fault=fault,
            last_fault=last,
            faults=message.faults,
            fault_code=message.fault_code,
            seen=(message.seen_low, message.seen_high),
            levels=(message.level_low, message.level_high) if message.level_high else None,
            run=message.run,
            ones=message.ones,
            switches=message.switches,
            windows=message.windows,
            limits={name: getattr(message, name) for name in ("repetitions", "window", "ones_min", "ones_max", "switches_min")},
        )

    @property
    def advice(self) -> str:
        """What to do about the fault now, or the last one; empty if there was none."""
        return ADVICE[self.fault or self.last_fault]

    def describe(self) -> str:
        """One line: the fault now, what was seen, and what to do."""
        if self.fault is NoiseFault.NONE:
            past = f"; {self.faults} faults since the start, the last {_words(self.last_fault)}" if self.faults else ""
            return f"no fault{past}"
        low, high = self.seen
        levels = f", calibrated levels {self.levels[0]} and {self.levels[1]}" if self.levels else ""
        return f"{_words(self.fault)} (codes {low} to {high}{levels}): {self.advice}"


class NoiseHealth(BoardBase):
    """The part of a board that watches its noise source."""

    def health(self) -> Health:
        """What the tests saw."""
        return Health.of(self._ask(messages.GetHealth(), messages.Health))

    def set_health(self, limits: Limits, *, recalibrate: bool = False) -> None:
        """Sets the limits of the tests; they are kept in checkpoints.

        Args:
            limits: e.g. HealthLimits.of_source() of what was measured.
            recalibrate: takes the levels again from the next 200 codes.
        """
        self.execute(
            messages.SetHealth(
                repetitions=limits.repetitions,
                window=limits.window,
                ones_min=limits.ones_min,
                ones_max=limits.ones_max,
                switches_min=limits.switches_min,
                recalibrate=int(recalibrate),
            )
        )

    def wait_for_noise_source(self, limit: float, on_wait: Callable[[float, Health], None] | None = None) -> Health:
        """Waits until the noise source is healthy.

        Args:
            limit: seconds.
            on_wait: called now and then with the seconds waited and what the tests see.

        Raises:
            BoardTimeout: the fault lasts longer.
        """
        started = time.monotonic()
        while (health := self.health()).fault is not NoiseFault.NONE:
            waited = time.monotonic() - started
            if waited >= limit:
                raise BoardTimeout(f"the noise source has been broken for {waited:.0f} s: {health.describe()}")
            if on_wait is not None:
                on_wait(waited, health)
            time.sleep(POLL)
        return health


def _words(fault: NoiseFault) -> str:
    return fault.name.lower().replace("_", " ")
