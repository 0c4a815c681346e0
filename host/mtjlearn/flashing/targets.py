"""What can be flashed: the hardware environments of platformio.ini, their options, and the build ids of their sources."""

from __future__ import annotations

import configparser
import re
import runpy
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.board import BoardInfo
from mtjlearn.firmware import firmware_root
from mtjlearn.flashing.failures import FlashError
from mtjlearn.wire.messages import Features

_FOLDER = re.compile(r"\+<boards/(\w+)/?>")
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
        extends: the environment that it is a variant of, for the same board; empty: none.
        streamed_only: its firmware does not learn on its own (firmware/src/autonomous.h).
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
    config = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    config.read(root / "platformio.ini", encoding="utf-8")
    targets = {}
    for section in config.sections():
        name = section.removeprefix("env:")
        folder = _FOLDER.search(_option(config, section, "build_src_filter"))
        board = _option(config, section, "board")
        if name != section and folder and board:
            parent = config.get(section, "extends", fallback="")
            variant = parent.startswith("env:") and _option(config, parent, "board") == board
            extends = parent.removeprefix("env:") if variant else ""
            streamed_only = "-DDEVICE_STREAMED_ONLY" in _option(config, section, "build_flags").split()
            targets[name] = Target(name, board, folder[1], extends, streamed_only)
    return targets


def find_target(root: Path, name: str) -> Target:
    """The environment of that name.

    Raises:
        FlashError: if there is none; the text lists those there are.
    """
    targets = list_targets(root)
    if name not in targets:
        raise FlashError(f"there is no firmware for {name}; --board takes {', '.join(targets)}")
    return targets[name]


def build_ids(root: Path) -> dict[str, str]:
    """The build id of the sources of every folder in firmware/boards, by the folder's name (firmware/build_id.py)."""
    module = runpy.run_path(str(root / "firmware" / "build_id.py"))
    return {folder: module["build_id"](folder) for folder in module["boards"]()}


def sources_of_build(build: str) -> str | None:
    """The folder of firmware/boards that a build id belongs to; None: it was built from other sources than those here."""
    return next((folder for folder, found in build_ids(firmware_root()).items() if found == build), None)


def _option(config: configparser.ConfigParser, section: str, name: str) -> str:
    """An option of a section, or of the first it extends that has it."""
    if config.has_option(section, name):
        return config.get(section, name)
    parents = re.split(r"[,\s]+", config.get(section, "extends", fallback="").strip())
    return next((found for parent in parents if parent and (found := _option(config, parent, name))), "")
