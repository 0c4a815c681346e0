"""Builds the fuzz targets of the C parts: with clang for libFuzzer, where it is there, and with gcc for the plain driver.

What the targets know of the messages (types, lengths, ranges) is written here from shared/protocol.toml, so that new messages are
fuzzed without anybody thinking of it.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

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
BYTES = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8}


def message_table() -> str:
    """The messages as a C header."""
    protocol = tomllib.loads((PROJECT / "shared/protocol.toml").read_text(encoding="utf-8"))
    fields: list[str] = []
    rows: dict[str, list[str]] = {"host": [], "device": []}
    for name, message in protocol["messages"].items():
        if message["direction"] not in rows:
            continue
        first, offset, open_bytes = len(fields), 0, 0
        for field in message["fields"]:
            kind = field["type"]
            if kind == "bytes" or kind.endswith("[]"):
                open_bytes = 1 if kind == "bytes" else BYTES[kind[:-2]]
                continue
            size = BYTES.get(kind) or int("".join(filter(str.isdigit, kind)))
            if kind in BYTES and size <= 4:
                low, high = field_range(protocol, field, 8 * size)
                if (low, high) != (0, 2 ** (8 * size) - 1):
                    fields.append(f"{{{offset}, {size}, {low}u, {high}u}}, /* {name} {field['name']} */")
            offset += size
        rows[message["direction"]].append(
            f"{{{message['type']:#04x}, WIRE_SIZE_{name}, {open_bytes}, {first}, {len(fields) - first}}},"
        )
    parts = ["#include <stdint.h>", '#include "messages.h"']
    parts += ["struct fuzz_field { uint8_t offset, bytes; uint32_t low, high; };"]
    parts += ["struct fuzz_message { uint8_t type, size, open, first_field, field_count; };"]
    parts += ["static const struct fuzz_field fuzz_fields[] = {", *fields, "};"]
    for direction, messages in rows.items():
        parts += [f"#define FUZZ_{direction.upper()}_MESSAGES {len(messages)}"]
        parts += [f"static const struct fuzz_message fuzz_{direction}_messages[] __attribute__((unused)) = {{", *messages, "};"]
    return "\n".join(parts) + "\n"


def field_range(protocol: dict[str, Any], field: dict[str, Any], bits: int) -> tuple[int, int]:
    """Smallest and largest value of a fixed field."""
    low, high = field.get("min", 0), field.get("max", 2**bits - 1)
    if "enum" in field:
        low, high = 0, max(protocol["enums"][field["enum"]].values())
    if "flags" in field:
        high = sum(protocol["flags"][field["flags"]].values())
    return low, high


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
    (out / "fuzz_messages.h").write_text(message_table(), encoding="utf-8")
    sources = {name: HERE / name for name in (*SOURCES[target], *([] if clang else ["driver.c"]))}
    for folder in FOLDERS:
        sources.update({f"{folder}/{path.name}": path for path in sorted((FIRMWARE / folder).glob("*.c"))})
    return {name: compile_source(path, out / target / name, out, clang=clang) for name, path in sources.items()}


def compile_source(source: Path, place: Path, out: Path, *, clang: str | None = None, flags: Sequence[str] = ()) -> Path:
    """Compiles one source, which finds fuzz_messages.h in `out`, and returns the object beside `place`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{FIRMWARE / folder}" for folder in FOLDERS] + [f"-I{HERE}", f"-I{out}"]
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
