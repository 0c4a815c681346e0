"""Runs PlatformIO or its upload tool, shows what it does, and reads from its output what came of it."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from mtjlearn import interruption
from mtjlearn.errors import install_extra
from mtjlearn.flashing.failures import FlashError

Progress = Callable[[str, str], None]
"""Called with what is going on and a detail of it, which may be empty."""

QUIET = 10.0
"""Seconds without output after which the user is informed that PlatformIO still works; its downloads say nothing."""
_STOP_TIMEOUT = 3.0
_POLL = 0.25

_PHASES = (
    (r"(?:Platform|Tool|Library|Package) Manager: (?:Installing|Updating) (?P<detail>\S+)", "PlatformIO fetches its tools"),
    (r"Downloading", "PlatformIO fetches its tools"),
    (r"Compiling (?P<detail>.+)", "compiling"),
    (r"Linking|Checking size|Building \S+\.(?:hex|bin|elf|uf2)", "linking"),
    (r"Looking for upload port|Uploading", "uploading"),
    (r"(?P<detail>Writing|Reading) \|", "uploading"),
    (r".*(?P<detail>attempt \d+ of \d+): not in sync", "no bootloader answers yet; pressing the board's reset may help"),
)
_USED = re.compile(r"^(RAM|Flash):.*\(used (\d+) bytes from (\d+) bytes\)")


@dataclass(frozen=True)
class Sizes:
    """Bytes of an image, and what the board has."""

    flash: int
    flash_limit: int
    ram: int
    ram_limit: int

    @classmethod
    def of(cls, output: Sequence[str]) -> Sizes | None:
        """What PlatformIO says of an image; None if it said nothing."""
        found = {match[1]: (int(match[2]), int(match[3])) for line in output if (match := _USED.match(line))}
        return cls(*found["Flash"], *found["RAM"]) if len(found) == 2 else None


def find_platformio() -> list[str]:
    """The command that runs PlatformIO: the module next to this Python, or ``pio`` on the PATH.

    Raises:
        FlashError: if there is none.
    """
    if find_spec("platformio") is not None:
        return [sys.executable, "-m", "platformio"]
    program = shutil.which("pio") or shutil.which("platformio")
    if program is None:
        raise FlashError(f"PlatformIO is missing; install it: {install_extra('chips')}")
    return [program]


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    progress: Progress,
    output: Callable[[str], None],
    phase: str = "PlatformIO starts",
) -> int:
    """Runs a command to its end and follows what it prints; returns its exit status.

    An interruption ends the command too.

    Args:
        command: program and arguments.
        environment: variables to set besides this process's own.
        progress: called with what happens now.
        output: called with every line that it prints.
        phase: what is going on until its output tells.

    Raises:
        FlashError: if it cannot be started.
    """
    variables = {**os.environ, "PLATFORMIO_DISABLE_PROGRESSBAR": "true", "PLATFORMIO_NO_ANSI": "true", **environment}
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise FlashError(f"{command[0]} cannot be started: {error.strerror}") from error
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), name="output of a tool", daemon=True)
    reader.start()
    try:
        _follow(lines, progress, output, phase)
        return process.wait()
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT)
        process.kill()
        process.wait()
        raise
    finally:
        reader.join(_STOP_TIMEOUT)
        process.stdout.close()


def _follow(lines: queue.Queue[str | None], progress: Progress, output: Callable[[str], None], phase: str) -> None:
    silent, shown = 0.0, 0.0
    while True:
        interruption.check()
        try:
            line = lines.get(timeout=min(QUIET, _POLL))
        except queue.Empty:
            silent += min(QUIET, _POLL)
            if silent - shown >= QUIET:
                shown = silent
                progress(phase, f"no word from it for {silent:.0f} s, still waiting")
            continue
        if line is None:
            return
        silent = shown = 0.0
        output(line)
        for pattern, text in _PHASES:
            if match := re.match(pattern, line):
                phase = text
                progress(phase, match.groupdict().get("detail") or "")
                break


def _read(stream: IO[bytes], lines: queue.Queue[str | None]) -> None:
    """Puts lines into the queue, then None. Upload tools draw bars without ending their line for a long time."""
    rest = b""
    with contextlib.suppress(OSError, ValueError):
        while part := stream.read1(4096):  # type: ignore[attr-defined]
            *whole, rest = re.split(rb"[\r\n]+", rest + part)
            for line in whole:
                lines.put(line.decode(errors="replace"))
    if rest:
        lines.put(rest.decode(errors="replace"))
    lines.put(None)
