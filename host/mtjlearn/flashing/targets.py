"""What can be flashed: the hardware environments of platformio.ini, and what a board says that contradicts them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mtjlearn.board import BoardInfo
from mtjlearn.firmware.environments import Environment, read_environments
from mtjlearn.firmware.uno_options import UnoOptions
from mtjlearn.flashing.failures import FlashError
from mtjlearn.wire.messages import Features


@dataclass(frozen=True)
class Target:
    """A hardware environment of platformio.ini.

    Args:
        name: of the environment, as ``pio run -e`` accepts it.
        board: PlatformIO's id of the board.
        folder: of the board's sources in firmware/boards.
        extends: the environment that it is a variant of, for the same board; empty: none.
        streamed_only: its firmware does not learn autonomously (firmware/src/autonomous.h).
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
        return ["autonomous learning" if alone else "no autonomous learning"]


def option_differences(options: UnoOptions, info: BoardInfo) -> list[str]:
    """What a board says that contradicts these options; a build id covers the sources, not how they were built."""
    asked_and_said = (
        ("baud", options.baud, 10 * info.line_rate),
        ("codes per second", options.adc_rate, info.adc_rate),
        ("mV at full scale", options.reference, round(1000 * info.adc_reference)),
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
        raise FlashError(f"there is no firmware for {name}; --board accepts {', '.join(targets)}")
    return targets[name]
