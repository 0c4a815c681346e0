"""Draws the maps of docs/architecture.md: the rooms of the host and of both firmwares, on floors, with what they import.

Run it after a change of imports or of the page's tables: ``python docs/maps.py``. Arrows come from the sources, and what
is in a room from the tables of the page. A test compares the result with the files.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html import escape
from itertools import pairwise
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "architecture.md"
PACKAGE = PROJECT / "host" / "mtjlearn"
FIRMWARE = PROJECT / "firmware"
Graph = dict[str, set[str]]

_BOX, _HEIGHT = 172, 58
_GAP = 18
_FLOOR = 112
"""From the top of a floor's boxes to that of the next."""
_MARGIN, _LABEL = 16, 44
_WAY = 10
"""Width of the way that an arrow takes through a floor where it does not end."""
_LETTERS = 26
"""Letters of a line in a box."""
_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def host_graph() -> Graph:
    """For each module or package directly below mtjlearn the others that it imports."""
    graph: Graph = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if not room.startswith("__"):
            graph.setdefault(room, set()).update(name for name in _imported_rooms(path) if name != room)
    return {room: used & graph.keys() for room, used in graph.items()}


def _imported_rooms(path: Path) -> Iterator[str]:
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            names = [".".join(filter(None, [base, node.module, alias.name])) for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("mtjlearn."))


def firmware_graph() -> Graph:
    """For each folder of the floor test the others whose headers it includes."""
    allowed = _constant("MAY_INCLUDE")
    graph: Graph = {}
    for folder, others in allowed.items():
        graph[folder] = set()
        for path in sorted((FIRMWARE / folder).glob("*.[ch]*")):
            for header in _INCLUDE.findall(path.read_text(encoding="utf-8")):
                places = [place for place in (folder, *others) if (FIRMWARE / place / header).is_file()]
                graph[folder].update(place for place in places[:1] if place != folder)
    return graph


def micropython_graph() -> Graph:
    """For each room of the firmware in MicroPython, which the page's table makes of modules, the others that it imports."""
    rows = re.findall(r"^\| `([^`]+)` \|[^|]*\|([^|]*)\|", _section("The firmware in MicroPython"), re.MULTILINE)
    rooms = {room: re.findall(r"`([^`]+)`", modules) for room, modules in rows}
    folder = FIRMWARE / "micropython"
    home = {module: room for room, modules in rooms.items() for module in modules}
    graph: Graph = {room: set() for room in rooms}
    for path in sorted(folder.rglob("*.py")):
        module = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
        room = home.get(module) or home.get(f"{module.partition('.')[0]}.*")
        if room is None:
            sys.exit(f"docs/architecture.md: no room has {module}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = (home.get(name) or home.get(f"{name.partition('.')[0]}.*") for name in names)
            graph[room].update(other for other in used if other not in (None, room))
    return graph


def _section(heading: str) -> str:
    return PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _constant(name: str) -> dict[str, list[str]]:
    """The value of a constant of the tests, which is a literal."""
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body if name in text else []:
            if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
                found: dict[str, list[str]] = ast.literal_eval(node.value)
                return found
    sys.exit(f"no test has a constant {name}")


def descriptions(heading: str) -> dict[str, str]:
    """The rows of the first table below a heading of the page: room, what is in it."""
    return {room: text.strip() for room, text in re.findall(r"^\| `([^`]+)` \| ([^|]*)\|", _section(heading), re.MULTILINE)}


def floors(graph: Graph) -> dict[str, int]:
    """The floor of each room: one above the highest that it imports."""
    found: dict[str, int] = {}

    def floor(room: str, above: tuple[str, ...]) -> int:
        if room in above:
            sys.exit(f"a circle: {' imports '.join((*above, room))}")
        if room not in found:
            found[room] = max((floor(used, (*above, room)) + 1 for used in sorted(graph[room])), default=0)
        return found[room]

    for room in sorted(graph):
        floor(room, ())
    return found


def reduced(graph: Graph) -> Graph:
    """Without the arrows that follow from others."""

    def reachable(room: str) -> set[str]:
        return set().union(*({used} | reachable(used) for used in graph[room])) if graph[room] else set()

    return {room: {used for used in uses if not any(used in reachable(other) for other in uses)} for room, uses in graph.items()}


@dataclass
class Place:
    """A box, or the place where an arrow passes a floor."""

    room: str
    width: float
    x: float = 0.0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)


def arrange(graph: Graph) -> list[list[Place]]:
    """Floors from the top, each from left to right, with few crossings."""
    level = floors(graph)
    rows: list[list[Place]] = [[] for _ in range(max(level.values()) + 1)]
    boxes = {room: Place(room, _BOX) for room in sorted(graph)}
    for room, box in boxes.items():
        rows[level[room]].append(box)
    for room, uses in sorted(reduced(graph).items()):
        for used in sorted(uses):
            way = [Place("", _WAY) for _ in range(level[room] - level[used] - 1)]
            for place, floor in zip(way, range(level[room] - 1, level[used], -1), strict=True):
                rows[floor].append(place)
            for upper, lower in pairwise([boxes[room], *way, boxes[used]]):
                upper.below.append(lower)
                lower.above.append(upper)
    rows.reverse()
    _order(rows)
    _align(rows)
    return rows


def _order(rows: list[list[Place]]) -> None:
    best, fewest = [[*row] for row in rows], _crossings(rows)
    for sweep in range(24):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            rank = {id(place): index for other in rows for index, place in enumerate(other)}
            old = {id(place): index for index, place in enumerate(row)}

            middles: dict[int, tuple[float, int]] = {}
            for place in row:
                near = [rank[id(other)] for other in (place.above if down else place.below)]
                middles[id(place)] = (sum(near) / len(near) if near else old[id(place)], old[id(place)])
            row.sort(key=partial(_middle_of, middles))
        if (count := _crossings(rows)) < fewest:
            best, fewest = [[*row] for row in rows], count
    for row, order in zip(rows, best, strict=True):
        row[:] = order


def _middle_of(middles: dict[int, tuple[float, int]], place: Place) -> tuple[float, int]:
    return middles[id(place)]


def _crossings(rows: list[list[Place]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        rank = {id(place): index for index, place in enumerate(lower)}
        ends = [sorted(rank[id(other)] for other in place.below) for place in upper]
        count += sum(1 for i, left in enumerate(ends) for right in ends[i + 1 :] for a in left for b in right if a > b)
    return count


def _align(rows: list[list[Place]]) -> None:
    """Puts boxes under what uses them, without overlaps, and the whole to the left."""
    for row in rows:
        x = -sum(place.width + _GAP for place in row) / 2
        for place in row:
            place.x = x + place.width / 2
            x += place.width + _GAP
    for turn in range(200):
        for row in rows if turn % 2 == 0 else reversed(rows):
            for place in row:
                near = [other.x for other in (*place.above, *place.below) or row]
                place.x = (place.x + sum(near) / len(near)) / 2
            for _ in range(2 * len(row)):
                for left, right in pairwise(row):
                    lack = (left.width + right.width) / 2 + _GAP - (right.x - left.x)
                    if lack > 0:
                        left.x -= lack / 2
                        right.x += lack / 2
    least = min(place.x - place.width / 2 for row in rows for place in row)
    for row in rows:
        for place in row:
            place.x += _MARGIN + _LABEL - least


def _lines(text: str) -> list[str]:
    """A text in lines of a box."""
    lines = [""]
    for word in text.split():
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(f"{lines[-1]} {word}") <= _LETTERS else [*lines, word]
    if len(lines) > 2:
        sys.exit(f"docs/architecture.md: {text!r} needs {len(lines)} lines in its box, which has 2")
    return lines


def draw(graph: Graph, said: dict[str, str], title: str) -> str:
    """The map as SVG."""
    for room in sorted(graph.keys() ^ said.keys()):
        sys.exit(f"docs/architecture.md: {'a row is missing for' if room in graph else 'there is no'} {room}")
    rows = arrange(graph)
    width = round(max(place.x + place.width / 2 for row in rows for place in row) + _MARGIN)
    height = len(rows) * _FLOOR - (_FLOOR - _HEIGHT) + 2 * _MARGIN
    top = {id(place): _MARGIN + index * _FLOOR for index, row in enumerate(rows) for place in row}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#5b6b7b"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index in range(len(rows)):
        y = _MARGIN + index * _FLOOR
        parts.append(f'<rect x="0" y="{y - 8}" width="{width}" height="{_HEIGHT + 16}" fill="#f4f6f8"/>')
        number = f'<text x="{_MARGIN}" y="{y + _HEIGHT / 2 + 6:.0f}" font-size="18" fill="#9aa7b4">{len(rows) - 1 - index}</text>'
        parts.append(number)
    parts += [_arrow(box, first, top) for row in rows for box in row if box.room for first in box.below]
    parts += [_box(place, said[place.room], top[id(place)]) for row in rows for place in row if place.room]
    return "\n".join([*parts, "</svg>", ""])


def _port(place: Place, others: list[Place], other: Place) -> float:
    """Where at a box the arrow from or to another place ends."""
    order = sorted(range(len(others)), key=lambda index: (others[index].x, index))
    index = order.index(next(index for index, one in enumerate(others) if one is other))
    return place.x + (index + 1) * place.width / (len(others) + 1) - place.width / 2


def _arrow(box: Place, first: Place, top: dict[int, int]) -> str:
    x, y = _port(box, box.below, first), top[id(box)] + _HEIGHT
    path, upper, place = f"M{x:.0f} {y}", box, first
    while True:
        end = place.x if not place.room else _port(place, place.above, upper)
        head = top[id(place)] - (3 if place.room else 0)
        half = (y + head) / 2
        path += f" C{x:.0f} {half:.0f} {end:.0f} {half:.0f} {end:.0f} {head}"
        if place.room:
            return f'<path d="{path}" fill="none" stroke="#5b6b7b" stroke-width="1.3" marker-end="url(#arrow)"/>'
        path += f" V{head + _HEIGHT}"
        x, y, upper, place = end, head + _HEIGHT, place, place.below[0]


def _box(place: Place, text: str, y: int) -> str:
    lines = [f'<text x="{place.x:.0f}" y="{y + 18}" font-size="13" font-weight="bold" fill="#12304d">{escape(place.room)}</text>']
    lines += [
        f'<text x="{place.x:.0f}" y="{y + 34 + 14 * index}" font-size="11" fill="#33475b">{escape(line)}</text>'
        for index, line in enumerate(_lines(text))
    ]
    rect = f'<rect x="{place.x - _BOX / 2:.0f}" y="{y}" width="{_BOX}" height="{_HEIGHT}" rx="6" fill="#e3eef9" stroke="#7c9cbb"/>'
    return f'<g text-anchor="middle">{rect}{"".join(lines)}</g>'


def maps() -> dict[Path, str]:
    """The files and what they should hold."""
    host = draw(host_graph(), descriptions("The host"), "Rooms of the host and what they import")
    firmware = draw(firmware_graph(), descriptions("The firmware"), "Folders of the firmware and what they include")
    said = descriptions("The firmware in MicroPython")
    micropython = draw(micropython_graph(), said, "Rooms of the firmware in MicroPython and what they import")
    images = PROJECT / "docs" / "images"
    return {
        images / "host-floors.svg": host,
        images / "firmware-floors.svg": firmware,
        images / "micropython-floors.svg": micropython,
    }


if __name__ == "__main__":
    for path, text in maps().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(PROJECT)}")
