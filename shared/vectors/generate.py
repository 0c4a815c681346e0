"""Writes the golden vectors next to this file; with --check compares them instead and exits 1 where they differ."""

from __future__ import annotations

import argparse
import json
import sys
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


def steps_text() -> str:
    """One case a line."""
    lines = [compact({**case, "expected": steps.run(case)}) for case in steps.cases()]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    differing = []
    for path, text in ((HERE / "primitives.json", primitives_text()), (HERE / "steps.json", steps_text())):
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            differing.append(path.name)
    if differing:
        print(
            f"{' and '.join(differing)} differ from the specification; run shared/vectors/generate.py", file=sys.stderr
        )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
