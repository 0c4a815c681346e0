"""The excerpts of docs/learner-in-python.md are lines of the firmware."""

from __future__ import annotations

import re

import pytest
from places import PROJECT

PAGE = (PROJECT / "docs" / "learner-in-python.md").read_text(encoding="utf-8")
EXCERPTS = re.findall(r"^```py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\(\.\./firmware/micropython/(\w+\.py)\)")


def bare(text: str) -> str:
    """The lines without their indentation, which an excerpt starts anew."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_an_excerpt_is_in_the_file_that_was_named_last(excerpt: str) -> None:
    name = FILE.findall(PAGE[: PAGE.index(excerpt)])[-1]
    source = "\n" + bare((PROJECT / "firmware" / "micropython" / name).read_text(encoding="utf-8")) + "\n"
    at = 0
    for piece in excerpt.split("...\n"):
        found = source.find(f"\n{bare(piece)}\n", at)
        assert found >= 0, f"{name} lacks:\n{piece}"
        at = found + 1


def test_the_page_has_excerpts_of_every_part_of_a_step() -> None:
    assert {"learner.py", "noise.py", "forward.py", "loss.py", "update.py", "decorrelation.py"} == set(FILE.findall(PAGE))
    assert len(EXCERPTS) > 12
