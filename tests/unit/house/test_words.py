"""Words of the project: spelling, and phrases that have a plainer form (CONTRIBUTING.md, Words)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

PLAIN = {
    r"so many": "this many, or n",
    r"(?<!there )(?:is|are) no (?!longer|more|such|two-level)": "is not a, are not",
    r"(?:bits|bytes|codes|cycles|samples|steps|switches|times|trained|[\d,]+) a second\b": "per second",
    r"beside\b": "next to, or with",
    r"(?:is|are|was|were|who is) told (?:in|as|when|before|after|how)\b": "reported",
    r"progress: told\b": "called with",
    r"left out[:,]": "if omitted",
    r"(?:goes|go|went) on\b(?! and off)": "continues, or resumes",
    r"(?:learns?|learning|trains?) on (?:its|their) own\b": "autonomously",
    r"dearer\b": "slower",
    r"not to be had\b": "not available",
    r"hangs at\b": "is connected to",
    r"anew\b": "again",
    r"for ever\b": "forever",
    r"leave (?:it|--[a-z-]+) out\b": "omit",
}
"""What is not written: as a pattern, and what is written instead."""

BANNED = {re.compile(pattern): replacement for pattern, replacement in PLAIN.items()}
EXAMPLES = (
    *("after so many codes", "the file is no ELF file", "9,615 codes a second", "9,615 a second", "trained beside it"),
    *("what is found is told in WELCOME", "progress: told (done, all)", "left out: the only port", "it goes on from there"),
    *("the board learns on its own", "a dearer step", "it was not to be had", "if it hangs at one of these", "configure it anew"),
    *("it waits for ever", "leave --drop out"),
)
SUFFIXES = {".py", ".md", ".c", ".h", ".cpp", ".ino", ".S", ".toml", ".txt", ".svg"}
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "pyproject.toml", "platformio.ini", "tests/README.md")
FOLDERS = ("docs", "host", "firmware", "shared")


def written() -> list[Path]:
    """Pages and sources; what a tool made of them is not among them."""
    found = [path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*")) if path.suffix in SUFFIXES]
    return [PROJECT / page for page in PAGES] + [path for path in found if not {"__pycache__", "build"} & set(path.parts)]


def hits(text: str) -> list[tuple[int, str, str]]:
    """Line, phrase, and what to write, of each phrase; a row of a table that quotes phrases is not looked at."""
    lowered, found = text.lower(), []
    for pattern, replacement in BANNED.items():
        for hit in pattern.finditer(lowered):
            inside_a_word = lowered[hit.start() - 1 : hit.start()].isidentifier()
            if not inside_a_word and not lowered.startswith('| "', lowered.rfind("\n", 0, hit.start()) + 1):
                found.append((lowered.count("\n", 0, hit.start()) + 1, hit[0], replacement))
    return sorted(found)


@pytest.mark.parametrize("example", EXAMPLES)
def test_phrases_are_found(example: str) -> None:
    assert len(hits(f"first line\n{example}\n")) == 1


def test_every_pattern_has_an_example() -> None:
    found = [replacement for example in EXAMPLES for _, _, replacement in hits(example)]
    assert set(found) == set(PLAIN.values())


def test_correct_phrases_stay() -> None:
    text = "there is no port; it is no longer there; half a second; a second terminal; columns left out; they are told apart"
    assert hits(text) == []


def test_plain_english() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {phrase!r} -> {replacement}"
        for path in written()
        for number, phrase, replacement in hits(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(["write instead:", *found])


def test_spelling() -> None:
    places = [*PAGES, *FOLDERS, "tests"]
    command = [sys.executable, "-m", "codespell_lib", *places]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
