"""The C learner, compiled with sanitizers, against the golden vectors of its primitives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# These vectors describe quantities that the C code has no function of its own for; they are covered by the steps they are part of.
NOT_SEPARATE = {"configured_deviation", "initial_limit"}


def flat(value: Any) -> Iterator[int]:
    """Integers as the C program reads them: a list is its length, then its values; a matrix is one list."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = [entry for row in value for entry in row]
    if isinstance(value, list):
        yield len(value)
        yield from (int(entry) for entry in value)
    else:
        yield int(value)


@pytest.fixture(scope="module")
def vectors(project: Path) -> dict[str, Any]:
    return json.loads((project / "shared/vectors/primitives.json").read_text())


@pytest.fixture(scope="module")
def program(compile_c: Any, project: Path) -> Path:
    return compile_c([project / "tests/c/primitives.c"], [project / "firmware/lib/anp/src"])


@pytest.mark.thorough
def test_every_primitive_gives_its_golden_value(program: Path, vectors: dict[str, Any]) -> None:
    lines, expected = [], []
    for name, primitive in vectors.items():
        if name in NOT_SEPARATE:
            continue
        arguments = len(primitive["arguments"])
        for case in primitive["cases"]:
            given, results = case[:arguments], case[arguments:]
            # A class is a list of one target to the C program.
            if name == "cross_entropy_loss" or (name == "correct" and given[0] == 1 and not isinstance(given[2], list)):
                given = [*given[:-1], [given[-1]]]
            lines.append(" ".join([name, *(str(number) for value in given for number in flat(value))]))
            wanted = [number for value in results for number in (list(flat(value))[1:] if isinstance(value, list) else [value])]
            expected.append((name, given, wanted))
    run = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    answers = run.stdout.splitlines()
    assert len(answers) == len(expected)
    unreachable = 0
    for (name, given, wanted), answer in zip(expected, answers, strict=True):
        if answer.startswith("unreachable"):
            unreachable += 1
            continue
        assert [int(number) for number in answer.split()] == wanted, f"{name}{given}"
    # Of the noise gains most can be asked for through noise_std or a ring.
    assert unreachable < len(vectors["noise_gain"]["cases"]) / 2
