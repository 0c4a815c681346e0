"""Builds the fuzz targets of the C parts: with clang for libFuzzer, where it is there, and with gcc for the plain driver.

What the targets know of the messages (types, lengths, ranges) is in fuzz_messages.h, which shared/generate.py writes from
shared/protocol.toml, so that new messages are fuzzed without anybody thinking of it.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
FOLDERS = ["lib/wire/src", "lib/anp/src", "src", "src/alone"]
SOURCES = {
    "frame": ["frame_target.c", "fuzz_board.c"],
    "device": ["device_target.c", "script.c", "fuzz_board.c"],
}
"""Sources of each target in this folder; all of the firmware's portable parts come with them."""
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
WARNINGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-strict-aliasing"]


def libfuzzer() -> str | None:
    """A clang that can build with libFuzzer."""
    for name in ("clang", *(f"clang-{version}" for version in range(21, 12, -1))):
        command = [shutil.which(name) or "false", "-fsanitize=fuzzer,address", "-xc", "-", "-o", "/dev/null"]
        program = "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }"
        if subprocess.run(command, input=program, text=True, capture_output=True, check=False).returncode == 0:
            return shutil.which(name)
    return None


def build(
    target: str, out: Path, *, clang: str | None = None, firmware: Path = PROJECT / "firmware", flags: Sequence[str] = ()
) -> Path:
    """Builds a target and returns the program.

    Args:
        target: a key of SOURCES.
        out: folder for what is made.
        clang: the compiler for libFuzzer; None: gcc and the plain driver.
        firmware: folder of the sources.
        flags: for the compiler, e.g. ``--coverage``.

    Raises:
        RuntimeError: it does not compile; the compiler's words.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    sources = [HERE / name for name in SOURCES[target]]
    sources += [path for folder in FOLDERS for path in sorted((firmware / folder).glob("*.c"))]
    includes = [f"-I{firmware / folder}" for folder in FOLDERS] + [f"-I{HERE}"]
    program = out / f"{target}-{'libfuzzer' if clang else 'driver'}"
    if clang:
        command = [clang, "-fsanitize=fuzzer"]
    else:
        sources.append(HERE / "driver.c")
        command = ["gcc"]
    command += [*WARNINGS, *SANITIZERS, *flags, *includes, *map(str, sources), "-lm", "-o", str(program)]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{' '.join(itertools.islice(command, 4))} ...\n{run.stderr}")
    return program
