"""Writes the golden vectors next to this file; with --check compares them instead and exits 1 where they differ."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "host"))

import primitives  # noqa: E402
import steps  # noqa: E402


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def primitives_text() -> str:
    """One case a line."""
    parts = []
    for name, entry in primitives.primitives().items():
        head = ",".join(f"{compact(key)}:{compact(value)}" for key, value in entry.items() if key != "cases")
        lines = ",\n".join(compact(case) for case in entry["cases"])
        parts.append(f'{compact(name)}:{{{head},"cases":[\n{lines}]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def steps_text(cases: Iterable[steps.Case]) -> str:
    """One case a line."""
    lines = [compact({**case, "expected": steps.run(case)}) for case in cases]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    differing = []
    for name, text in (
        ("primitives.json", primitives_text()),
        ("steps.json", steps_text(steps.cases())),
        ("rules.json", steps_text(steps.rule_cases())),
    ):
        path = HERE / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            differing.append(path.name)
    if differing:
        print(f"{' and '.join(differing)} differ from the specification; run shared/vectors/generate.py", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
