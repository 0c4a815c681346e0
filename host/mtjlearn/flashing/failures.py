"""What the tools that build and upload say when they fail, and what to do then, in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtjlearn.errors import BoardError


class FlashError(BoardError):
    """The firmware could not be built or uploaded, or something else runs on the board; the text says what to do."""


_RULES = "https://docs.platformio.org/en/latest/core/installation/udev-rules.html"

_EITHER: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|[Dd]isk (?:is )?full|Disk quota exceeded|not enough space on the disk",
        "the disk is full: {line}; make room and try again",
    ),
    (
        r"HTTPClientError|InternetConnectionError|not connected to the Internet|Max retries exceeded|Name or service not known"
        r"|name resolution|HTTPConnectionPool|HTTPSConnectionPool|Could not find the package",
        "PlatformIO's registry cannot be reached, and {board} needs tools from it once; connect this computer to the "
        "internet (behind a proxy, set HTTPS_PROXY), or, for boards with an AVR, use the tools installed here with --offline",
    ),
    (
        r"(?P<tool>\S+): (?:command )?not found|No such file or directory: '(?P<program>[^'/]+)'",
        "{tool} is missing; install it (Debian, Ubuntu: apt-get install {tool})",
    ),
)
_BUILDING: tuple[tuple[str, str], ...] = (
    (
        r"region `?\w+'? overflowed|greater than maximum allowed|will not fit in region|is not within region",
        "the firmware does not fit into {board}: {line}",
    ),
    (r"(?:fatal )?error: ", "the firmware does not compile for {board}: {line}"),
)
_UPLOADING: tuple[tuple[str, str], ...] = (
    (
        r"ser_\w+\(\): (?:write|read) error|\[Errno (?:5|6|19|71)\]|\((?:5|6|19|71), '|Protocol error|Input/output error"
        r"|[Nn]o such device|[Dd]evice (?:has been )?disconnected|[Dd]evice not configured|ClearCommError failed",
        "{port} vanished during the upload ({line}); check the cable and the hub, connect the board again and try again",
    ),
    (
        r"Invalid head of packet|[Pp]ossible serial noise|Serial data stream stopped|[Pp]acket content transfer stopped",
        "there are errors on the line to {port} ({line}); use a shorter cable, no hub and nothing else on the port's pins",
    ),
    (
        r"[Dd]evice signature = (?P<signature>0x[0-9a-fA-F]{6}|(?:[0-9a-fA-F]{2} ?){3})[^\n]*\n"
        r"(?:[^\n]*\n)*?[^\n]*[Ee]xpected signature for (?P<chip>\w+)",
        "the chip at {port} (signature {signature}) is not {chip}, so this is not {board}; name the board with --board",
    ),
    (
        r"not in sync|programmer is not responding|stk500v2_\w+\(\): timeout|stk500_recv|unable to open programmer",
        "no bootloader answers at {port}: check that it is {board} and that its pins 0 and 1 are free, press reset and "
        "try again; if this does not help, its bootloader is lost and must be burned again with a programmer",
    ),
    (
        r"verification (?:error|mismatch)|verify(?:ing)? failed",
        "what {port} stored differs from what was sent; try again, with another cable or without a hub",
    ),
    (
        r"LIBUSB_ERROR_ACCESS|Cannot open DFU device|udev rules|appears to be an? RP[\w/-]+ device in BOOTSEL mode, but",
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
        r"No accessible RP[\w/-]+ devices? in BOOTSEL|No drive to deploy|RP[\w/-]+ device returned an error",
        "{board} did not enter its bootloader; hold BOOTSEL while you connect it, and try again",
    ),
    (
        r"This chip is (?P<chip>[\w-]+)[^\n]* not (?P<asked>[\w-]+)",
        "the chip at {port} is {chip}, not {asked}, so this is not {board}",
    ),
    (
        r"Failed to connect to ESP|Wrong boot mode detected|No serial data received",
        "no bootloader answers at {port}: hold the BOOT button of {board} while the tool connects, and try again",
    ),
    (
        r"specify `?upload_port|upload_port.{0,30}not (?:found|defined)",
        "PlatformIO found no port to upload to; name it with --port (`mtjlearn boards` lists them)",
    ),
)
_PORT = re.compile(
    r"(?:can't|cannot|could not|unable to) open (?:device|port|serial)|Permission denied|Device or resource busy|Access is denied"
)


_UPLOAD_BEGINS = ("Uploading", "Looking for upload port")
_LAST_LINES = 3
_FRAME = re.compile(r"\s*$|\*\*\* \[|={3,}|-{3,}")
"""What PlatformIO prints around a tool's words."""


def blames_port(output: Sequence[str]) -> bool:
    """Whether an upload tool could not open its port; trying it shows why better than the tool does."""
    uploaded = _upload(output)
    if uploaded is None:
        return False
    overtaken = _cause("\n".join(uploaded), _UPLOADING) is None
    return any(_PORT.search(line) for line in (output if overtaken else uploaded))


def explain(output: Sequence[str], board: str, port: str | None, tool: str = "PlatformIO") -> str:
    """One line that says why a tool failed and what to do.

    What was printed in the phase that failed counts first: a compiler's warning is not the cause of a failed upload, and
    an upload tool's "error:" is not the compiler's. PlatformIO reads the two outputs of a tool in two threads, so an
    upload tool's error can stand before the line that its upload begins; therefore the rest is searched next.

    Args:
        output: the lines that PlatformIO and its tools printed.
        board: name of the board, as a person knows it.
        port: where it was uploaded to; None: it was only built.
        tool: what was run.
    """
    uploaded = _upload(output)
    lines, rules = (output, _BUILDING) if uploaded is None else (uploaded, _UPLOADING)
    for text in ("\n".join(lines), "\n".join(output)):
        cause = _cause(text, rules)
        if cause is not None:
            advice, found = cause
            names = {name: value.strip() for name, value in found.groupdict().items() if value}
            names.setdefault("tool", names.pop("program", ""))
            return advice.format(**names, board=board, port=port or "the board", line=_line(text, found.start()))
    said = [line.strip() for line in lines if not _FRAME.match(line)][-_LAST_LINES:]
    return f"{tool} failed{': ' if said else ''}{' / '.join(said)}; see all it says with --verbose"


def _cause(text: str, rules: Sequence[tuple[str, str]]) -> tuple[str, re.Match[str]] | None:
    """The advice that fits, and what was found; None: nothing known."""
    return next(((advice, found) for pattern, advice in (*_EITHER, *rules) if (found := re.search(pattern, text))), None)


def _upload(output: Sequence[str]) -> Sequence[str] | None:
    """The lines from the upload's beginning on; None: it did not come so far."""
    return next((output[place:] for place, line in enumerate(output) if line.startswith(_UPLOAD_BEGINS)), None)


def _line(text: str, place: int) -> str:
    start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    return text[start : end if end >= 0 else None].strip()
