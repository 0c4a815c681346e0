"""Puts the numbers of constants where modules of the firmware in MicroPython import them.

A constant that a module imports by name costs a board its name, an entry in each of two modules and a search at each use: together
a tenth of the heap that the firmware takes. One whose name begins with an underscore is only a number in the compiled code. So each
import of a constant becomes such a constant of the module's own, and messages.py keeps what is still asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

_DEFINITION = re.compile(r"^(\w+) = const\(.*\)\n", re.MULTILINE)


def inline_constants(texts: Mapping[str, str]) -> dict[str, str]:
    """The modules' texts with their imported constants as numbers.

    Args:
        texts: of all modules that are imported, by their paths.
    """
    modules = {_module(name): text for name, text in texts.items()}
    constants: dict[str, dict[str, int]] = {}
    for module in modules:
        _find_constants(module, modules, constants)
    inlined = {name: _inline(text, constants) for name, text in texts.items()}
    if "messages.py" in inlined:
        others = [text for name, text in inlined.items() if name != "messages.py"]
        wanted = set(re.findall(r"\w+", "\n".join(others)))
        inlined["messages.py"] = _DEFINITION.sub(lambda line: line[0] if line[1] in wanted else "", inlined["messages.py"])
    return inlined


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _find_constants(module: str, modules: Mapping[str, str], found: dict[str, dict[str, int]]) -> None:
    """Adds the public constants of a module, those that it imports included."""
    if module in found:
        return
    numbers = found[module] = {}
    for node in ast.parse(modules[module]).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(number))])
            ) if not name.startswith("_"):
                numbers[name] = number
            case ast.ImportFrom(module=str(other)) if other in modules:
                _find_constants(other, modules, found)
                numbers.update({alias.name: found[other][alias.name] for alias in node.names if alias.name in found[other]})


def _inline(text: str, constants: Mapping[str, Mapping[str, int]]) -> str:
    tree = ast.parse(text)
    # A name that the module uses for something else as well stays an import.
    other = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    other |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    other |= {node.id.removeprefix("_") for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.startswith("_")}
    numbers: dict[str, int] = {}
    lines = text.splitlines(keepends=True)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        known = constants.get(node.module or "", {}) if isinstance(node, ast.ImportFrom) else {}
        taken = {alias.name: known[alias.name] for alias in node.names if alias.name in known and alias.name not in other}
        if taken and isinstance(node, ast.ImportFrom):
            numbers |= taken
            kept = ", ".join(alias.name for alias in node.names if alias.name not in taken)
            # As many lines as before, so that reports of faults name the lines of the sources.
            count = (node.end_lineno or node.lineno) - node.lineno
            lines[node.lineno - 1 : node.end_lineno] = [f"from {node.module} import {kept}\n" if kept else "\n", *(count * ["\n"])]
    if not numbers:
        return text
    for use in sorted(_uses(tree, numbers), key=lambda name: (name.lineno, name.col_offset), reverse=True):
        line = lines[use.lineno - 1].encode()
        lines[use.lineno - 1] = (line[: use.col_offset] + f"_{use.id}".encode() + line[use.end_col_offset :]).decode()
    definitions = "; ".join(f"_{name} = const({number})" for name, number in numbers.items())
    last = max(node.end_lineno or node.lineno for node in imports)
    lines[last - 1] = f"{lines[last - 1].rstrip()}; from micropython import const; {definitions}\n".removeprefix("; ")
    return "".join(lines)


def _uses(tree: ast.Module, names: Mapping[str, int]) -> Iterator[ast.Name]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in names)
