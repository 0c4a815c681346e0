"""Names for the programs that a model is exported to."""

from __future__ import annotations

import keyword
import re

from mtjlearn.datasets.cells import list_names
from mtjlearn.models.model import Model, ModelError

_UNSAFE = re.compile(r"[^\x20-\x7e]|\*/|/\*|\\|\"\"\"|\?\?")
"""What could end a comment or a text."""
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_RESERVED = frozenset(
    {
        *("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float"),
        *("for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static"),
        *("struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main", "setup", "loop"),
        *("anp", "anp_inference"),
    }
)


def program_name(model: Model, asked: str | None) -> str:
    """A name for functions and files: the one that was asked for, or what the data's name leaves of letters and digits.

    Raises:
        ModelError: what was asked for cannot be a name in C and Python.
    """
    name = asked if asked is not None else re.sub(r"\W+", "_", model.name, flags=re.ASCII).strip("_").lower()[:40] or "model"
    if asked is None and not name[0].isalpha():
        name = f"model_{name}"[:40]
    if asked is None and (keyword.iskeyword(name) or name in _RESERVED):
        name += "_model"
    if not _IDENTIFIER.fullmatch(name) or keyword.iskeyword(name) or name in _RESERVED:
        raise ModelError(f"{name!r} cannot be a name in C and Python; give another with --name, e.g. iris")
    return name


def python_literal(text: str) -> str:
    """A text as Python and MicroPython read it, in ASCII."""
    return '"' + "".join(char if " " <= char <= "~" and char not in '"\\' else _escaped(ord(char)) for char in text) + '"'


def _escaped(point: int) -> str:
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def text_literal(text: str) -> str:
    """A text as C reads it: the bytes of its UTF-8, those that could mean something else as octal numbers."""
    data = text.encode("utf-8", "replace")
    return '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in data) + '"'


def origin_lines(model: Model) -> list[str]:
    """What a program says of where it came from, one line each, without anything that could end a comment."""
    network = model.network
    about = {"network": f"{network.name}, {network.loss.name.lower().replace('_', '-')} loss", **model.origin}
    return [_UNSAFE.sub("_", f"{name.replace('_', ' ')}: {value}") for name, value in about.items()]


def input_list(model: Model) -> str:
    """The inputs by name, in their order, and what those of a column of categories are, for a comment."""
    parts = [list_names([text_literal(name) for name in model.inputs], 20)]
    for category in model.categories:
        first, last = category.first + 1, category.first + len(category.values)
        values = list_names([text_literal(value) for value in category.values], 40)
        parts.append(f"features {first} to {last} are 1 for the {text_literal(category.column)} that it is, and else 0: {values}")
    return "; ".join(parts).replace("*/", "* /").replace("/*", "/ *")
