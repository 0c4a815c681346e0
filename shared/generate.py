"""Turns shared/protocol.toml and the tables of shared/numerics.md into the sources that both sides of the wire share.

Usage: ``python shared/generate.py`` writes the files; with ``--check`` it only compares them and exits with 1 when one
is out of date. Needs nothing but the standard library. generator/definition.py is the reader; each language has a module
of its own there, and generator/targets.py says which file is filled by which function.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from generator.definition import load
from generator.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "shared" / "protocol.toml"


def main(arguments: list[str]) -> int:
    """Writes or compares all targets; the exit code."""
    parser = argparse.ArgumentParser(description="Generates the sources that host and firmware share.")
    parser.add_argument("--check", action="store_true", help="compare only; exit with 1 when a file is out of date")
    check = parser.parse_args(arguments).check
    protocol = load(SOURCE.read_text(encoding="utf-8"))
    stale = []
    for name, emit in TARGETS.items():
        path, text = ROOT / name, emit(protocol)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name} is out of date: run python shared/generate.py" if check else f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
