"""The one reader of platformio.ini: what each environment builds, by PlatformIO's own rules.

An option is the section's own, else that of the sections it extends, the last of which counts most, else that of ``[env]``.
``${section.option}`` stands for another section's option with all that it inherits, ``${this.option}`` for the environment's own.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mtjlearn.firmware.compilers import FirmwareError

FILE = "platformio.ini"
_PREFIX = "env:"
_COMMON = "env"
_FOLDER = re.compile(r"\+<boards/(\w+)/?>")
_REFERENCE = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")
_DEEPEST = 16
"""References within references; more of them lead back to the first."""


@dataclass(frozen=True)
class Environment:
    """What ``pio run -e`` builds. Options of the file that are not here are PlatformIO's alone.

    Args:
        name: of the environment.
        board: PlatformIO's id of the board; empty: this computer.
        folder: of the board's sources in firmware/boards; empty: none of them.
        source_filter: the files that are compiled, as build_src_filter has it.
        flags: the compiler's.
        extends: environments whose options it takes over, the most important first.
    """

    name: str
    board: str
    folder: str
    source_filter: str
    flags: tuple[str, ...]
    extends: tuple[str, ...] = ()


def read_environments(root: Path) -> dict[str, Environment]:
    """All environments by name, in the order of the file.

    Args:
        root: the folder that holds platformio.ini.

    Raises:
        FirmwareError: the file cannot be read, or an option refers to what is not there.
    """
    ini = _Ini(root / FILE)
    return {name: _environment(ini, name) for name in ini.environments()}


def _environment(ini: _Ini, name: str) -> Environment:
    section = _PREFIX + name
    source_filter = ini.option(section, "build_src_filter")
    folder = _FOLDER.search(source_filter)
    ancestors = list(ini.lineage(section))[1:]
    return Environment(
        name,
        board=ini.option(section, "board"),
        folder=folder[1] if folder else "",
        source_filter=source_filter,
        flags=tuple(ini.option(section, "build_flags").split()),
        extends=tuple(other.removeprefix(_PREFIX) for other in ancestors if other.startswith(_PREFIX)),
    )


class _Ini:
    """The file's sections.

    Raises:
        FirmwareError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._config = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#", ";"))
        try:
            self._config.read_string(path.read_text(encoding="utf-8"), str(path))
        except (OSError, ValueError, configparser.Error) as error:
            raise FirmwareError(f"{path} cannot be read ({' '.join(str(error).split())}); install mtjlearn again") from None

    def environments(self) -> list[str]:
        return [section.removeprefix(_PREFIX) for section in self._config.sections() if section.startswith(_PREFIX)]

    def lineage(self, section: str) -> Iterator[str]:
        """The section and those that it takes options over from, the most important first."""
        waiting = [_COMMON] * section.startswith(_PREFIX) + [section]
        seen = set()
        while waiting:
            found = waiting.pop()
            if found in seen or not self._config.has_section(found):
                continue
            seen.add(found)
            yield found
            waiting += re.split(r"[,\s]+", self._config.get(found, "extends", fallback="").strip())

    def option(self, section: str, name: str) -> str:
        """Its value with references replaced; empty if no section of the lineage has it."""
        return self._replaced(self._raw(section, name) or "", section, 0)

    def _raw(self, section: str, name: str) -> str | None:
        return next((self._config.get(one, name) for one in self.lineage(section) if self._config.has_option(one, name)), None)

    def _replaced(self, value: str, this: str, depth: int) -> str:
        def replacement(found: re.Match[str]) -> str:
            section = this if found[1] == "this" else found[1]
            raw = self._raw(section, found[2])
            if raw is None or depth == _DEEPEST:
                what = "is not there" if raw is None else "leads back to itself"
                raise FirmwareError(f"{FILE}: [{this}] refers to {found[0]}, which {what}")
            return self._replaced(raw, section, depth + 1)

        return _REFERENCE.sub(replacement, value)
