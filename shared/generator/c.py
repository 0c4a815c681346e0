"""The targets in C: messages.h, which knows no device and no board, and what the fuzz targets know of the messages."""

from __future__ import annotations

import textwrap

from generator.definition import NOTE, TYPES, WIDTH, Field, Message, Protocol

SENDERS = {"host": "host to device", "device": "device to host", "memory": "in the device's memory"}
OPEN_NONE = 0xFF
"""The bits that are 0 in the length of an open field: all where there is none."""


def c_header(protocol: Protocol) -> str:
    """firmware/lib/wire/src/messages.h."""
    out = [
        *c_comment(f"The messages of the serial protocol. {NOTE.format('shared/protocol.toml')}"),
        "#ifndef WIRE_MESSAGES_H",
        "#define WIRE_MESSAGES_H",
        "",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        "#define WIRE_ASSERT(condition) static_assert(condition, #condition)",
        "#else",
        "#define WIRE_ASSERT(condition) _Static_assert(condition, #condition)",
        "#endif",
        "",
        "/* The structs are the bytes on the wire. */",
        "WIRE_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);",
        "",
        *(f"#define WIRE_{name.upper()} {value}" for name, value in protocol.constants.items()),
        f"#define WIRE_SCHEMA 0x{protocol.schema:08x}u",
        "",
    ]
    for name, members in {**protocol.enums, **protocol.flags}.items():
        out += ["enum {", *(f"    WIRE_{name.upper()}_{key} = {value}," for key, value in members.items()), "};", ""]
    out += ["/* Types from here on travel from device to host. */", f"#define WIRE_DEVICE_TYPES 0x{TYPES['device'][0]:02X}", ""]
    out += ["enum {", *(f"    WIRE_TYPE_{m.name} = 0x{m.type:02X}," for m in protocol.messages), "};", ""]
    for message in protocol.messages:
        out += c_message(message)
    out += c_needs(protocol)
    for feature in ("", *protocol.features):
        out += c_commands(protocol, feature)
    return "\n".join([*out, "#endif", ""])


def c_message(message: Message) -> list[str]:
    """Size, ranges, field numbers and struct of one message."""
    sender = SENDERS[message.direction]
    out = [*c_comment(f"{message.name}, {sender}. {message.doc}"), f"#define WIRE_SIZE_{message.name} {message.size}"]
    if message.is_command:
        out.append(f"#define WIRE_OPEN_{message.name} {message.tail.size - 1 if message.tail else OPEN_NONE}")
    for field in message.fixed:
        for bound, value in (("MIN", field.low), ("MAX", field.high)):
            if value is not None:
                out.append(f"#define WIRE_{message.name}_{field.name.upper()}_{bound} {value}")
    if message.is_command and message.fields:
        prefix = f"    WIRE_FIELD_{message.name}_"
        out += ["enum {", *(f"{prefix}{field.name.upper()} = {number}," for number, field in enumerate(message.fields, 1)), "};"]
    if message.fixed:
        tag = f"struct wire_{message.name.lower()}"
        out.append(tag.replace("struct", "struct __attribute__((packed))") + " {")
        for field in message.fixed:
            kind = "char" if field.text_length else {"u": "uint", "i": "int"}[field.kind[0]] + f"{field.kind[1:]}_t"
            length = f"[{field.text_length}]" if field.text_length else ""
            out.append(f"    {kind + ' ' + field.name + length + ';':<32}/* {c_note(field)} */")
        out += ["};", f"WIRE_ASSERT(sizeof({tag}) == WIRE_SIZE_{message.name});"]
    if message.tail:
        out.append(f"/* then {message.tail.name}, {message.tail.kind}: {message.tail.note} */")
    return [*out, ""]


def c_needs(protocol: Protocol) -> list[str]:
    """What a command can need, as bits."""
    bits = {f"WIRE_NEEDS_{name.upper()} = {1 << bit},": doc for bit, (name, doc) in enumerate(protocol.needs.items())}
    return ["/* What a command needs. */", "enum {", *(f"    {bit:<32}/* {doc} */" for bit, doc in bits.items()), "};", ""]


def c_commands(protocol: Protocol, feature: str) -> list[str]:
    """The list of a feature's commands, or of those that every image has."""
    suffix = f"_{feature.upper()}" if feature else ""
    what = f"a feature that an image can leave out: {protocol.features[feature]}" if feature else "every image"
    rows = []
    for message in protocol.commands(feature):
        needs = " | ".join(f"WIRE_NEEDS_{need.upper()}" for need in message.needs) or "0"
        rows.append(f"    COMMAND({message.name}, {message.name.lower()}, {needs})")
    comment = c_comment(f"The commands of {what}. COMMAND(name, name in small letters, what it needs)")
    return [*comment, " \\\n".join([f"#define WIRE_COMMANDS{suffix}(COMMAND)", *rows]), ""]


def c_note(field: Field) -> str:
    """A field's comment: meaning, unit and the constants it takes."""
    return f"{field.note}; WIRE_{field.values.upper()}_..." if field.values else field.note


def c_comment(text: str) -> list[str]:
    """A block comment, wrapped."""
    return textwrap.wrap(f"/* {text} */", WIDTH, subsequent_indent=" * ", break_long_words=False)


def fuzz_header(protocol: Protocol) -> str:
    """tests/fuzz/fuzz_messages.h: what the fuzz targets know of the messages, so that new ones are fuzzed as well."""
    fields: list[str] = []
    rows: dict[str, list[str]] = {"host": [], "device": []}
    for message in protocol.messages:
        if message.direction not in rows:
            continue
        first, offset = len(fields), 0
        for field in message.fixed:
            if field.kind.startswith("u") and field.size <= 4:
                low, high = protocol.range_of(field)
                if (low, high) != (0, 2 ** (8 * field.size) - 1):
                    fields.append(f"    {{{offset}, {field.size}, {low}u, {high}u}}, /* {message.name} {field.name} */")
            offset += field.size
        length = f"WIRE_SIZE_{message.name}, {message.tail.size if message.tail else 0}"
        bounds = f"{first}, {len(fields) - first}"
        rows[message.direction].append(f"    {{WIRE_TYPE_{message.name}, {length}, {bounds}, {int(message.writes_memory)}}},")
    out = [
        *c_comment(f"Types, lengths and ranges for the fuzz targets. {NOTE.format('shared/protocol.toml')}"),
        "#ifndef FUZZ_MESSAGES_H",
        "#define FUZZ_MESSAGES_H",
        "",
        "#include <stdint.h>",
        "",
        '#include "messages.h"',
        "",
        "/* A field that does not take everything that its bytes hold. */",
        "struct fuzz_field {",
        "    uint8_t offset, bytes;",
        "    uint32_t low, high;",
        "};",
        "",
        "struct fuzz_message {",
        "    uint8_t type, size;",
        "    uint8_t open;                 /* bytes of a value of the open field; 0: there is none */",
        "    uint8_t first_field, field_count;",
        "    uint8_t writes_memory;",
        "};",
        "",
        "static const struct fuzz_field fuzz_fields[] = {",
        *fields,
        "};",
        "",
    ]
    for direction, messages in rows.items():
        out += [f"#define FUZZ_{direction.upper()}_MESSAGES {len(messages)}"]
        out += [f"static const struct fuzz_message fuzz_{direction}_messages[] __attribute__((unused)) = {{", *messages, "};", ""]
    return "\n".join([*out, "#endif", ""])
