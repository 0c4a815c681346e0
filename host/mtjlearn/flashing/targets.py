"""What can be flashed: the hardware environments of platformio.ini, and their options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mtjlearn.board import BoardInfo
from mtjlearn.firmware.environments import Environment, read_environments
from mtjlearn.flashing.failures import FlashError
from mtjlearn.wire.messages import Features

_UNO_CLOCK = 16_000_000
_UNO_CONVERSION = 13
"""ADC clock cycles of a conversion (ATmega328P data sheet, 24.4)."""
_UNO_PRESCALERS = (128, 64, 32)
UNO_RATES = {round(_UNO_CLOCK / (_UNO_CONVERSION * prescaler)): prescaler for prescaler in _UNO_PRESCALERS}
"""Codes a second that an Uno R3 can sample, and the ADC's prescaler for each."""
UNO_BAUDS = (250_000, 115_200)
UNO_REFERENCES = (1100, 5000)
"""Full scale in mV: the internal reference, or the supply."""


@dataclass(frozen=True)
class Target:
    """A hardware environment of platformio.ini.

    Args:
        name: of the environment, as ``pio run -e`` takes it.
        board: PlatformIO's id of the board.
        folder: of the board's sources in firmware/boards.
        extends: the environment that it is a variant of, for the same board; empty: it is none.
        streamed_only: its firmware does not learn on its own (firmware/src/alone.h).
    """

    name: str
    board: str
    folder: str
    extends: str = ""
    streamed_only: bool = False

    @property
    def hardware(self) -> str:
        """The environment of the same board without variants."""
        return self.extends or self.name

    def differences(self, info: BoardInfo) -> list[str]:
        """What a board says that contradicts this environment, where two are of the same sources."""
        alone = Features.MEMORY in info.features
        if self.folder != "uno" or alone != self.streamed_only:
            return []
        return ["learning on its own" if alone else "no learning on its own"]


@dataclass(frozen=True)
class UnoOptions:
    """What can be chosen when an Uno's firmware is built; None leaves the firmware's own choice.

    Args:
        baud: bits a second on the line.
        adc_rate: codes a second, a key of UNO_RATES.
        reference: voltage of full scale in mV.
    """

    baud: int | None = None
    adc_rate: int | None = None
    reference: int | None = None

    @property
    def flags(self) -> list[str]:
        """The compiler's flags (firmware/boards/uno/uno.h)."""
        prescaler = None if self.adc_rate is None else UNO_RATES[self.adc_rate]
        values = {"UNO_BAUD": self.baud, "UNO_ADC_PRESCALER": prescaler, "UNO_REFERENCE_MV": self.reference}
        return [f"-D{name}={value}" for name, value in values.items() if value is not None]

    def differences(self, info: BoardInfo) -> list[str]:
        """What a board says that contradicts these options; a build id covers the sources, not how they were built."""
        asked_and_said = (
            ("baud", self.baud, 10 * info.line_rate),
            ("codes a second", self.adc_rate, info.adc_rate),
            ("mV at full scale", self.reference, round(1000 * info.adc_reference)),
        )
        # A chip meets a rate as well as its clock can be divided: 115,200 baud are 117,647 on an Uno R3.
        return [
            f"{said:,} {what} instead of {asked:,}"
            for what, asked, said in asked_and_said
            if asked is not None and abs(said - asked) > asked // 20
        ]


def list_targets(root: Path) -> dict[str, Target]:
    """The hardware environments by name.

    Args:
        root: the folder that holds platformio.ini.
    """
    environments = read_environments(root)
    return {name: _target(one, environments) for name, one in environments.items() if one.folder and one.board}


def _target(environment: Environment, environments: dict[str, Environment]) -> Target:
    same = [name for name in environment.extends if environments[name].board == environment.board]
    streamed_only = "-DDEVICE_STREAMED_ONLY" in environment.flags
    return Target(environment.name, environment.board, environment.folder, same[-1] if same else "", streamed_only)


def find_target(root: Path, name: str) -> Target:
    """The environment of that name.

    Raises:
        FlashError: if there is none; the text lists those there are.
    """
    targets = list_targets(root)
    if name not in targets:
        raise FlashError(f"there is no firmware for {name}; --board takes {', '.join(targets)}")
    return targets[name]
