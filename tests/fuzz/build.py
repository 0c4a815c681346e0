"""Builds the fuzz targets of the C parts: with clang for libFuzzer, where it is there, and with gcc for the plain driver.

What the targets know of the messages (types, lengths, ranges) is in fuzz_messages.h, which shared/generate.py writes from
shared/protocol.toml, so that new messages are fuzzed without anybody thinking of it.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
FIRMWARE = PROJECT / "firmware"
FOLDERS = ["lib/wire/src", "lib/anp/src", "src", "src/autonomous"]
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


def compile_target(target: str, out: Path, *, clang: str | None = None) -> dict[str, Path]:
    """Compiles the sources of a target.

    Args:
        target: a key of SOURCES.
        out: folder for what is made.
        clang: the compiler for libFuzzer; None: gcc and the plain driver.

    Returns:
        The objects by source: relative to firmware/, or the name of a file in this folder.

    Raises:
        RuntimeError: it does not compile; the compiler's words.
    """
    out.mkdir(parents=True, exist_ok=True)
    sources = {name: HERE / name for name in (*SOURCES[target], *([] if clang else ["driver.c"]))}
    for folder in FOLDERS:
        sources.update({f"{folder}/{path.name}": path for path in sorted((FIRMWARE / folder).glob("*.c"))})
    return {name: compile_source(path, out / target / name, clang=clang) for name, path in sources.items()}


def compile_source(source: Path, place: Path, *, clang: str | None = None, flags: Sequence[str] = ()) -> Path:
    """Compiles one source and returns the object, which lies next to `place`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    includes = [*(f"-I{FIRMWARE / folder}" for folder in FOLDERS), f"-I{HERE}"]
    return run([*compiler(clang), *WARNINGS, *flags, *includes, "-c", str(source)], place.with_suffix(".o"))


def link(objects: Iterable[Path], program: Path, *, clang: str | None = None) -> Path:
    """Links a target and returns the program."""
    return run([*compiler(clang), *map(str, objects), "-lm"], program)


def build(target: str, out: Path, *, clang: str | None = None) -> Path:
    """Compiles and links a target; as compile_target()."""
    program = out / f"{target}-{'libfuzzer' if clang else 'driver'}"
    return link(compile_target(target, out, clang=clang).values(), program, clang=clang)


def compiler(clang: str | None) -> list[str]:
    """The compiler, with the sanitizers."""
    return [*([clang, "-fsanitize=fuzzer"] if clang else ["gcc"]), *SANITIZERS]


def run(command: Sequence[str], result: Path) -> Path:
    """Makes a file with a compiler."""
    made = subprocess.run([*command, "-o", str(result)], cwd=result.parent, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"{' '.join(itertools.islice(command, 4))} ...\n{made.stderr}")
    return result
