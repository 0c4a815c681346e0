"""On a board imported constants are numbers, and everything else is as it was."""

from __future__ import annotations

import ast

import pytest

from mtjlearn.firmware.micropython_constants import inline_constants
from mtjlearn.firmware.micropython_sources import micropython_sources
from mtjlearn.firmware.mpy_cross import compile_modules

MESSAGES = "from micropython import const\n\nDONE = const(7)\nLATER = const(8)\nONLY_HERE = const(9)\nTEXT = 'x'\n"


def inlined(text: str) -> str:
    return inline_constants({"messages.py": MESSAGES, "user.py": text})["user.py"]


def test_an_imported_constant_becomes_a_number_of_the_module() -> None:
    text = inlined("import sys\nfrom messages import (\n    DONE,\n    TEXT,\n)\n\nvalues = [DONE, sys.DONE, 'DONE']  # DONE\n")
    assert text.splitlines() == [
        "import sys",
        "from messages import TEXT",
        *("", ""),
        "from micropython import const; _DONE = const(7)",
        *("", "values = [_DONE, sys.DONE, 'DONE']  # DONE"),
    ]


def test_several_uses_in_a_line_and_wide_letters_before_them() -> None:
    assert inlined("from messages import DONE, LATER\nx = 'äöü', DONE + LATER * DONE\n").endswith(
        "_DONE = const(7); _LATER = const(8)\nx = 'äöü', _DONE + _LATER * _DONE\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "from messages import DONE\nDONE = 3\n",
        "from messages import DONE\ndef f(DONE):\n    return DONE\n",
        "from messages import DONE\n_DONE = 5\nx = DONE + _DONE\n",
        "from messages import TEXT\nx = TEXT\n",
        "import messages\nx = messages.DONE\n",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert inlined(text) == text


def test_a_constant_through_another_module() -> None:
    texts = {
        "messages.py": MESSAGES,
        "middle.py": "from messages import DONE\nx = DONE\n",
        "user.py": "from middle import DONE, x\ny = DONE\n",
    }
    assert inline_constants(texts)["user.py"].splitlines()[0] == (
        "from middle import x; from micropython import const; _DONE = const(7)"
    )


def test_messages_keep_what_is_asked_for() -> None:
    kept = inline_constants({"messages.py": MESSAGES, "user.py": "import messages\nx = messages.LATER\n"})["messages.py"]
    assert "LATER = const(8)" in kept
    assert "DONE" not in kept
    assert "TEXT" in kept


def test_the_firmware_means_the_same() -> None:
    """With each number in place of its name the trees are those of the sources, where these have the number too."""
    before = micropython_sources(viper=True)
    after = inline_constants(before)
    numbers = {}
    for text in before.values():
        for node in ast.parse(text).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"), args=[number])):
                    numbers.setdefault(name, set()).add(ast.unparse(number))

    def body(text: str, mine: bool) -> str:
        tree = ast.parse(text)
        tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        own = {
            node.targets[0].id
            for node in tree.body
            if mine
            and isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and f"; {node.targets[0].id} = const(" in text
        }
        tree.body = [node for node in tree.body if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in own)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in own:
                node.id = node.id.removeprefix("_")
        return ast.dump(tree)

    changed = 0
    for name in before:
        if name != "messages.py":
            assert body(after[name], True) == body(before[name], False), name
            changed += before[name] != after[name]
            for found, number in ast_constants(after[name]):
                assert number in numbers[found.removeprefix("_")], (name, found)
    assert changed > 15


def ast_constants(text: str) -> list[tuple[str, str]]:
    """Names and numbers of the constants that were put in."""
    line = next((line for line in text.splitlines() if "; from micropython import const; _" in line), "")
    return [
        (ast.unparse(node.targets[0]), ast.unparse(node.value.args[0]))
        for node in ast.parse(line).body
        if isinstance(node, ast.Assign)
    ]  # type: ignore[attr-defined]


def test_it_is_smaller() -> None:
    texts = {name: text for name, text in micropython_sources(viper=True).items() if not name.startswith("virtual/")}
    before, after = (sum(map(len, compile_modules(some, "x64").values())) for some in (texts, inline_constants(texts)))
    assert after < 0.93 * before
