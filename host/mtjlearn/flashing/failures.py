"""What the tools that build and upload say when they fail, and what to do then, in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtjlearn.wire.errors import BoardError


class FlashError(BoardError):
    """The firmware could not be built or uploaded, or something else runs on the board; the text says what to do."""


_RULES = "https://docs.platformio.org/en/latest/core/installation/udev-rules.html"

_BUILDING: tuple[tuple[str, str], ...] = (
    (
        r"HTTPClientError|InternetConnectionError|not connected to the Internet|Max retries exceeded|Name or service not known"
        r"|name resolution|HTTPConnectionPool|HTTPSConnectionPool|Could not find the package",
        "PlatformIO's registry cannot be reached, and {board} needs tools from there once; connect this computer to the "
        "internet (behind a proxy, set HTTPS_PROXY), or, for boards with an AVR, use the tools installed here with --offline",
    ),
    (
        r"(?P<tool>\S+): (?:command )?not found|No such file or directory: '(?P<program>[^'/]+)'",
        "{tool} is missing; install it (Debian, Ubuntu: apt-get install {tool})",
    ),
    (
        r"region `?\w+'? overflowed|greater than maximum allowed|will not fit in region|is not within region",
        "the firmware does not fit into {board}: {line}",
    ),
    (r"(?:fatal )?error: ", "the firmware does not compile for {board}: {line}"),
)
_UPLOADING: tuple[tuple[str, str], ...] = (
    (
        r"[Dd]evice signature = (?P<signature>0x[0-9a-fA-F]{6})[^\n]*\n(?:[^\n]*\n)*?[^\n]*Expected signature for (?P<chip>\w+)",
        "the chip at {port} (signature {signature}) is no {chip}, so this is not {board}; give its real name with --board",
    ),
    (
        r"not in sync|programmer is not responding|stk500v2_\w+\(\): timeout|stk500_recv|unable to open programmer",
        "no bootloader answers at {port}: see that it is {board} and nothing else hangs on its pins 0 and 1, press reset and "
        "try again; if it stays so, its bootloader is gone and a programmer must burn it again",
    ),
    (
        r"verification (?:error|mismatch)|verify(?:ing)? failed",
        "what {port} stored differs from what was sent; try again, with another cable or without a hub",
    ),
    (
        r"LIBUSB_ERROR_ACCESS|Cannot open DFU device|udev rules|appears to be a RP\w+ device in BOOTSEL mode, but",
        f"you may not open the USB device of {{board}}'s bootloader; install PlatformIO's udev rules ({_RULES}), connect it again",
    ),
    (
        r"No DFU capable USB device",
        "{board} did not enter its bootloader; press reset twice within a second, so that its LED fades in and out, and try again",
    ),
    (
        r"No device found on|SAM-BA operation failed|Device unsupported|bossac: extra arguments",
        "{board} at {port} did not enter its bootloader; press reset twice within a second, and try again",
    ),
    (
        r"No accessible RP\w+[\w/-]* devices? in BOOTSEL|No drive to deploy|RP2040 device returned an error",
        "{board} did not enter its bootloader; hold BOOTSEL while you connect it, and try again",
    ),
    (
        r"This chip is (?P<chip>[\w-]+)[^\n]* not (?P<asked>[\w-]+)",
        "the chip at {port} is {chip}, not {asked}, so this is not {board}",
    ),
    (
        r"Failed to connect to ESP|Wrong boot mode detected|No serial data received",
        "no bootloader answers at {port}: hold the button BOOT of {board} while this connects, and try again",
    ),
    (
        r"specify `?upload_port|upload_port.{0,30}not (?:found|defined)",
        "PlatformIO found no port to upload to; name it with --port (`mtjlearn boards` lists them)",
    ),
)
_PORT = re.compile(
    r"(?:can't|cannot|could not|unable to) open (?:device|port|serial)|Permission denied|Device or resource busy|Access is denied"
)


def blames_port(output: Sequence[str]) -> bool:
    """Whether an upload tool could not open its port; trying it tells why better than the tool does."""
    return any(_PORT.search(line) for line in output)


def explain(output: Sequence[str], board: str, port: str | None) -> str:
    """One line that tells why PlatformIO failed and what to do.

    Args:
        output: the lines that PlatformIO and its tools printed.
        board: name of the board, as a person knows it.
        port: where it was uploaded to; None: it was only built.
    """
    text = "\n".join(output)
    uploading = any(line.startswith(("Uploading", "Looking for upload port")) for line in output)
    for pattern, advice in (*_UPLOADING, *_BUILDING) if uploading else (*_BUILDING, *_UPLOADING):
        found = re.search(pattern, text)
        if found:
            names = {name: value for name, value in found.groupdict().items() if value}
            names.setdefault("tool", names.pop("program", ""))
            return advice.format(**names, board=board, port=port or "the board", line=_line(text, found.start()))
    said = next((line for line in reversed(output) if re.match(r"(?!\*\*\*|===).*([Ee]rror|[Ff]ailed)", line)), "")
    return f"PlatformIO failed{f': {said.strip()}' if said else ''}; see all it says with --verbose"


def _line(text: str, place: int) -> str:
    start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    return text[start : end if end >= 0 else None].strip()
