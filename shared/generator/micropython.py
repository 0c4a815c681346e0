"""The target of the firmware in MicroPython: messages.py. It stands in a Pico's heap, so it holds numbers and layouts, no texts."""

from __future__ import annotations

from generator.c import OPEN_NONE
from generator.definition import NOTE, TYPES, Message, Protocol


def micropython_module(protocol: Protocol) -> str:
    """firmware/micropython/messages.py."""
    out = [
        '"""The messages of the serial protocol.',
        "",
        NOTE.format("shared/protocol.toml"),
        '"""',
        "",
        "from micropython import const",
        "",
        *(constant(name.upper(), value) for name, value in protocol.constants.items()),
        f"SCHEMA = 0x{protocol.schema:08X}",
    ]
    for name, members in {**protocol.enums, **protocol.flags}.items():
        out += ["", *(constant(f"{name.upper()}_{key}", value) for key, value in members.items())]
    out += ["", "# Types from here on travel from device to host.", constant("DEVICE_TYPES", TYPES["device"][0])]
    for message in protocol.messages:
        out += ["", *micropython_message(message)]
    out += ["", "# What a command needs."]
    out += [constant(f"NEEDS_{name.upper()}", 1 << bit) for bit, name in enumerate(protocol.needs)]
    for feature in ("", *protocol.features):
        out += ["", *micropython_commands(protocol, feature)]
    return "\n".join([*out, ""])


def constant(name: str, value: int) -> str:
    """A line with a number that modules may take into their code."""
    return f"{name} = const({value})"


def micropython_message(message: Message) -> list[str]:
    """Type, size, layout, ranges and field numbers of one message."""
    out = [constant(f"TYPE_{message.name}", message.type)]
    if message.fixed:
        out += [constant(f"SIZE_{message.name}", message.size), f'LAYOUT_{message.name} = "{message.layout}"']
    for field in message.fixed:
        for bound, value in (("MIN", field.low), ("MAX", field.high)):
            if value is not None:
                out.append(constant(f"{message.name}_{field.name.upper()}_{bound}", value))
    if message.is_command:
        out += [constant(f"FIELD_{message.name}_{field.name.upper()}", number) for number, field in enumerate(message.fields, 1)]
    return out


def micropython_commands(protocol: Protocol, feature: str) -> list[str]:
    """The table of a feature's commands, or of those that every image has."""
    needs = list(protocol.needs)
    rows = []
    for message in protocol.commands(feature):
        open_bits = message.tail.size - 1 if message.tail else OPEN_NONE
        bits = sum(1 << needs.index(need) for need in message.needs)
        rows.append(f'    0x{message.type:02X}: ("{message.name.lower()}", {message.size}, {open_bits}, {bits}),')
    return [
        "# Name, bytes of the fixed fields, bits that are 0 in the length of the rest, what it needs.",
        f"COMMANDS{'_' + feature.upper() if feature else ''} = {{",
        *rows,
        "}",
    ]
