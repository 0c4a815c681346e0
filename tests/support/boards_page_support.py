"""What docs/boards.md states of an image's size, which its tests compare with what they build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtjlearn.firmware.sizes import ImageSize

TOLERANCE = 0.03
"""As for the cycles of a step: changes of this size are to be written down."""


def check_stated(project: Path, name: str, image: Path) -> None:
    """Compares flash and static RAM of an ELF file with the page's row of this name."""
    page = (project / "docs" / "boards.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| [^|]*`{name}` .*\| ([\d,]+) and ([\d,]+) of ", page, re.MULTILINE)
    assert found, f"docs/boards.md states no size of {name}"
    size, stated = ImageSize.read(image), [int(number.replace(",", "")) for number in found.groups()]
    assert stated == pytest.approx([size.flash, size.ram], rel=TOLERANCE)
