"""The figures on the wiring page are those of the divider and the converters, and its drawings are well-formed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mtjlearn.noise.smtj import PRESETS, divider

CONVERTERS = ((10, 1.1), (10, 5.0), (14, 5.0))
ROWS = {
    "3 kΩ": divider(3_000.0),
    "6 kΩ": divider(6_000.0),
    "the recording's low level": PRESETS["recording"].low,
    "the recording's high level": PRESETS["recording"].high,
    "open": 3.3,
    "short": 0.0,
}


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return (project / "docs" / "wiring.md").read_text(encoding="utf-8")


def code(volts: float, bits: int, reference: float) -> int:
    return min(int(volts / reference * 2**bits), 2**bits - 1)


@pytest.mark.parametrize("name", ROWS)
def test_voltages_and_codes_of_the_table(page: str, name: str) -> None:
    volts = ROWS[name]
    row = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
    cells = [cell.strip().replace(",", "") for cell in row.strip("|").split("|")][1:]
    number, unit = cells[0].split()
    assert float(number) == pytest.approx(volts * (1000 if unit == "mV" else 1), abs=0.05)
    assert [int(cell.split()[0]) for cell in cells[1:]] == [code(volts, *converter) for converter in CONVERTERS]


def test_the_resistor_for_checking(page: str) -> None:
    volts = divider(4_700.0)
    assert f"must give {1000 * volts:.0f} mV at A0" in page
    assert f"code {code(volts, 10, 1.1)} on an R3 and {code(volts, 14, 5.0)} on an R4" in " ".join(page.split())


def test_drawings_are_there_and_well_formed_and_tell_the_same_codes(page: str, project: Path) -> None:
    drawings = re.findall(r"!\[[^]]+\]\((images/wiring-[^)]+\.svg)\)", page)
    assert len(drawings) == 3
    texts = {}
    for drawing in drawings:
        root = ET.parse(project / "docs" / drawing).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        # An opaque ground of its own, so that it reads the same on a dark page.
        rectangle = root.find("{http://www.w3.org/2000/svg}rect")
        assert rectangle is not None
        assert rectangle.get("fill") == "#ffffff"
        texts[drawing] = " ".join(root.itertext())
    for board, converter in (("uno-r3", (10, 1.1)), ("uno-r4", (14, 5.0))):
        low, high = (code(divider(ohms), *converter) for ohms in (3_000.0, 6_000.0))
        assert f"codes {low} and {high}" in texts[f"images/wiring-{board}.svg"]
