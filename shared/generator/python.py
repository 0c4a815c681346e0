"""The target of the host in Python: messages.py. Packing and unpacking are not generated: host/mtjlearn/wire/layout.py."""

from __future__ import annotations

import textwrap

from generator.definition import NOTE, WIDTH, Message, Protocol, camel, type_range

PYTHON_TYPES = {"bytes": "bytes", "i16[]": "npt.NDArray[np.int16]", "u16[]": "npt.NDArray[np.uint16]"}
PYTHON_DTYPES = {"bytes": "", "i16[]": "<i2", "u16[]": "<u2"}


def python_module(protocol: Protocol) -> str:
    """host/mtjlearn/wire/messages.py."""
    out = [
        '"""The messages of the serial protocol.',
        "",
        NOTE.format("shared/protocol.toml"),
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "import enum",
        "import struct",
        "from dataclasses import dataclass",
        "",
        "import numpy as np",
        "import numpy.typing as npt",
        "",
        "from mtjlearn.wire.layout import Layout",
        "from mtjlearn.wire.layout import MessageError as MessageError",
        "",
        *(f"{name.upper()} = {value}" for name, value in protocol.constants.items()),
        f"SCHEMA = 0x{protocol.schema:08X}",
    ]
    for base, groups in (("IntEnum", protocol.enums), ("IntFlag", protocol.flags)):
        for name, members in groups.items():
            out += ["", "", f"class {camel(name)}(enum.{base}):", f'    """Values of {name.replace("_", " ")}."""', ""]
            out += [f"    {key} = {value}" for key, value in members.items()]
    out += ["", "", "class Message(Layout):", '    """A message of this protocol."""', "", "    LIMIT = MAX_PAYLOAD"]
    for message in protocol.messages:
        out += ["", "", *python_message(protocol, message)]
    return "\n".join([*out, "", "", *python_lists(protocol), ""])


def python_lists(protocol: Protocol) -> list[str]:
    """What is to be known of the messages besides their fields."""
    commands = [message for message in protocol.messages if message.is_command]
    sides = {side: ", ".join(camel(message.name) for message in protocol.sent_by(side)) for side in ("host", "device")}
    numbered = [message.name for message in commands if any(field.numbered for field in message.fields)]
    return [
        *(
            line
            for side, names in sides.items()
            for line in (f"{side.upper()}_MESSAGES: tuple[type[Message], ...] = (", *python_indent(f"{names},"), ")")
        ),
        "MESSAGES: dict[int, type[Message]] = {kind.TYPE: kind for kind in (*HOST_MESSAGES, *DEVICE_MESSAGES)}",
        "",
        "ANSWERS: dict[int, type[Message]] = {",
        *(f"    {camel(message.name)}.TYPE: {camel(message.answer)}," for message in commands if message.answer),
        "}",
        '"""The questions and their answers. A question changes nothing, so it may be asked again when the answer got lost."""',
        *python_set("WRITERS", [message.name for message in commands if message.writes_memory]),
        '"""Commands that may be acknowledged only after nonvolatile memory was written."""',
        "FEATURE_OF: dict[int, str] = {",
        *(f'    {camel(message.name)}.TYPE: "{message.feature}",' for message in commands if message.feature),
        "}",
        '"""Commands that an image can leave out, with the feature that each belongs to."""',
        *python_set("NUMBERED", numbered),
        '"""Commands whose OUT_OF_RANGE gives the number of a value in the open field; with the others it is that of a field."""',
        "NAMES: dict[int, dict[str, type[enum.IntEnum]]] = {",
        *(line for message in protocol.messages if message.direction != "memory" for line in python_names(message)),
        "}",
        '"""Fields whose values have names."""',
    ]


def python_names(message: Message) -> list[str]:
    """The fields of a message whose values have names."""
    named = ", ".join(f'"{field.name}": {camel(field.names)}' for field in message.fields if field.names)
    return python_indent(f"{camel(message.name)}.TYPE: {{{named}}},") if named else []


def python_set(name: str, messages: list[str]) -> list[str]:
    """A set of message types."""
    types = ", ".join(f"{camel(message)}.TYPE" for message in messages)
    return [f"{name}: frozenset[int] = frozenset(", *python_indent(f"{{{types}}}"), ")"]


def python_indent(text: str) -> list[str]:
    """Items of a list, wrapped."""
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)


def python_message(protocol: Protocol, message: Message) -> list[str]:
    """The dataclass of one message."""
    docs = [f"{message.doc}"]
    for field in message.fields:
        values = f"; see {camel(field.values)}" if field.values else ""
        docs.append(f"    {field.name}: {field.note}{values}.")
    out = ["@dataclass(frozen=True, eq=False)", f"class {camel(message.name)}(Message):"]
    lines = textwrap.wrap(f'"""{docs[0]}', WIDTH - 4)
    if len(docs) > 1:
        lines += ["", "Args:", *(line for doc in docs[1:] for line in python_wrap(doc)), '"""']
    else:
        lines[-1] += '"""'
    out += [f"    {line}".rstrip() for line in lines]
    out += ["", f"    TYPE = 0x{message.type:02X}", f'    NAME = "{message.name}"']
    out.append(f'    LAYOUT = struct.Struct("{message.layout}")')
    bounds = {f.name: protocol.range_of(f) for f in message.fixed if not f.text_length}
    narrow = {f.name: bounds[f.name] for f in message.fixed if f.name in bounds and bounds[f.name] != type_range(f.kind)}
    if narrow:
        out += [
            "    BOUNDS = {  # noqa: RUF012",
            *(f'        "{name}": {pair},' for name, pair in narrow.items()),
            "    }",
        ]
    if message.tail:
        out.append(f'    TAIL = ("{message.tail.name}", "{PYTHON_DTYPES[message.tail.kind]}")')
    if message.fields:
        out.append("")
    for field in message.fields:
        kind = "str" if field.text_length else PYTHON_TYPES.get(field.kind, "int")
        out.append(f"    {field.name}: {kind}")
    return out


def python_wrap(text: str) -> list[str]:
    """A line of an Args section, wrapped."""
    return textwrap.wrap(text, WIDTH - 4, subsequent_indent=" " * 8)
