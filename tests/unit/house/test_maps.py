"""The maps of docs/architecture.md show the imports that there are."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def maps(project: Path) -> dict[str, Any]:
    """The names of docs/maps.py."""
    return runpy.run_path(str(project / "docs" / "maps.py"))


@pytest.mark.thorough
def test_maps_are_up_to_date(maps: dict[str, Any]) -> None:
    old = [path.name for path, text in maps["maps"]().items() if path.read_text(encoding="utf-8") != text]
    assert not old, f"{', '.join(old)}: run python docs/maps.py, and look at the result"


@pytest.mark.thorough
def test_arrows_are_imports(maps: dict[str, Any]) -> None:
    host, firmware = maps["host_graph"](), maps["firmware_graph"]()
    assert {"board", "virtual"} <= host["discovery"]
    assert host["network"] == {"errors"}
    assert firmware["src"] == {"lib/anp/src", "lib/wire/src"}
    assert not firmware["lib/wire/src"]
    micropython = maps["micropython_graph"]()
    assert "learner" in micropython["autonomous"]
    assert not micropython["messages"]


def test_what_follows_is_not_drawn_and_a_circle_is_refused(maps: dict[str, Any]) -> None:
    reduced: Callable[[Any], Any] = maps["reduced"]
    assert reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert maps["floors"]({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": 2, "b": 1, "c": 0}
    with pytest.raises(SystemExit, match="a circle: a imports b imports a"):
        maps["floors"]({"a": {"b"}, "b": {"a"}})


def test_a_room_without_a_row_is_named(maps: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match="a row is missing for b"):
        maps["draw"]({"a": {"b"}, "b": set()}, {"a": "one"}, "")
    with pytest.raises(SystemExit, match="there is no b"):
        maps["draw"]({"a": set()}, {"a": "one", "b": "two"}, "")
