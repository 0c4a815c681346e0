"""Writes the reference of the messages into docs/reference/protocol.md: what shared/protocol.toml says, as tables.

The page has a line ``<!-- protocol -->``, which this replaces when Sphinx reads the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.definition import Field, Message, Protocol, load

PAGE = "docs/reference/protocol"
MARK = "<!-- protocol -->"
SOURCE = Path(__file__).resolve().parent.parent.parent / "shared" / "protocol.toml"
DIRECTIONS = {
    "host": "From the host to the device",
    "device": "From the device to the host",
    "memory": "In nonvolatile memory",
}
_NOTE = re.compile(r"^(\w+) = .*?# (.*)$")
_SECTION = re.compile(r"^\[([\w.]+)\]")


def notes(text: str) -> dict[tuple[str, str], str]:
    """The comments of a definition's lines ``name = value``, by section and name."""
    section, found = "", {}
    for line in text.splitlines():
        if begins := _SECTION.match(line):
            section = begins[1]
        elif noted := _NOTE.match(line):
            found[section, noted[1]] = noted[2]
    return found


def reference(text: str) -> str:
    """The definition as Markdown."""
    protocol, said = load(text), notes(text)
    return "\n".join([*_constants(protocol, said), *_messages(protocol), *_values(protocol, said)]) + "\n"


def _constants(protocol: Protocol, said: dict[tuple[str, str], str]) -> Iterator[str]:
    yield from ("## Constants", "", f"Schema: `0x{protocol.schema:08X}`, the CRC-32 of this definition.", "")
    yield from ("| constant | value | |", "|---|--:|---|")
    for name, value in protocol.constants.items():
        yield f"| `{name}` | {value:,} | {_cell(said.get(('protocol', name), ''))} |"
    yield ""


def _messages(protocol: Protocol) -> Iterator[str]:
    for direction, title in DIRECTIONS.items():
        yield from (f"## {title}", "")
        for message in protocol.sent_by(direction):
            yield from _message(protocol, message)


def _message(protocol: Protocol, message: Message) -> Iterator[str]:
    yield from (f"### {message.name}", "", f"`0x{message.type:02X}`. {_cell(message.doc)}", "")
    if message.is_command:
        conditions = [f"Needs: {_cell(protocol.needs[need])}." for need in message.needs]
        conditions += [f"Answer: {message.answer or 'ACK alone'}."]
        conditions += ["Acknowledged after nonvolatile memory was written."] if message.writes_memory else []
        conditions += [f"Feature: {_cell(protocol.features[message.feature])}."] if message.feature else []
        yield from (*(f"* {condition}" for condition in conditions), "")
    if message.fields:
        yield from ("| field | type | values | meaning |", "|---|---|---|---|")
        yield from (_field(protocol, field) for field in message.fields)
    else:
        yield "No fields."
    yield ""


def _field(protocol: Protocol, field: Field) -> str:
    values = f"[{field.values}](#{field.values})" if field.values else ""
    if not values and (field.low is not None or field.high is not None):
        values = "{:,} to {:,}".format(*protocol.range_of(field))
    unit = f" [{field.unit}]" if field.unit else ""
    return f"| `{field.name}` | `{field.kind}` | {values} | {_cell(field.doc)}{unit} |"


def _values(protocol: Protocol, said: dict[tuple[str, str], str]) -> Iterator[str]:
    for kind, title, sets in (("enums", "Numbers with names", protocol.enums), ("flags", "Bits with names", protocol.flags)):
        yield from (f"## {title}", "")
        for name, values in sets.items():
            yield from (f"### {name}", "", "| name | value | |", "|---|--:|---|")
            yield from (f"| `{key}` | {value} | {_cell(said.get((f'{kind}.{name}', key), ''))} |" for key, value in values.items())
            yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*").replace("[", "\\[")


def _write(app: Any, docname: str, source: list[str]) -> None:
    if docname == PAGE:
        app.env.note_dependency(str(SOURCE), docname=docname)
        source[0] = source[0].replace(MARK, reference(SOURCE.read_text(encoding="utf-8")))


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
