"""Every module compiles for every chip that a port of MicroPython has, and what a Pico gets is whole and small."""

from __future__ import annotations

import ast

import pytest

from mtjlearn.firmware import FirmwareError
from mtjlearn.firmware.micropython_sources import micropython_root, micropython_sources
from mtjlearn.firmware.mpy_cross import ARCHITECTURES, compile_modules, format_version, needed_modules

PICO = ["entry.py", "main.py", "boards/rp2.py"]
OF_THE_PORTS = {
    *("array", "binascii", "errno", "gc", "io", "machine", "micropython", "os", "rp2", "select", "struct", "sys", "time"),
    "uctypes",
}
"""Modules that MicroPython itself has on a Pico."""
OF_UNIX = ("virtual/", "boards/unix.py")
"""Modules of the virtual board, whose viper needs integers of 64 bits."""


@pytest.mark.parametrize("architecture", ["armv6m", "armv7em", "armv7emsp", "xtensawin", "rv32imc", ""])
def test_every_module_of_a_chip_compiles(architecture: str) -> None:
    texts = {name: text for name, text in micropython_sources(viper=bool(architecture)).items() if not name.startswith(OF_UNIX)}
    compiled = compile_modules(texts, architecture)
    assert len(compiled) == len(texts)
    for name, content in compiled.items():
        # The format, and in the upper bits of the flags the machine code, which a module without viper has none of.
        assert content[0] == ord("M")
        assert content[1] == format_version()[0]
        assert ARCHITECTURES[content[2] >> 2 & 15] in ("", architecture), name
    assert (ARCHITECTURES[compiled["forward.mpy"][2] >> 2 & 15] == architecture) or not architecture


def test_a_module_that_does_not_compile_is_named() -> None:
    with pytest.raises(FirmwareError, match=r"wrong\.py does not compile: SyntaxError"):
        compile_modules({"wrong.py": "def f(:\n"}, "armv6m")


def test_a_pico_gets_all_that_it_imports_and_nothing_of_other_boards() -> None:
    texts = micropython_sources(viper=True)
    needed = needed_modules(texts, PICO)
    ours = {name.removesuffix(".py").replace("/", ".") for name in needed}
    for name in needed:
        for node in ast.walk(ast.parse(texts[name])):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert set(modules) <= ours | OF_THE_PORTS, name
    assert {"device", "learner", "session", "autonomous", "noise_tests", "storage"} <= ours
    assert not {name for name in ours if name.startswith("virtual")} | ours & {"boards.unix", "boards.esp32"}


def test_what_only_the_type_checker_knows_is_in_annotations_alone() -> None:
    """It believes that the names are there, and a board finds out when it runs the line."""
    texts = {path.relative_to(micropython_root()).as_posix(): path.read_text("utf-8") for path in micropython_root().rglob("*.py")}
    users = 0
    for name, text in texts.items():
        tree = ast.parse(text)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "kinds"]
        known = {alias.name for node in imports for alias in node.names}
        users += bool(known)
        annotations = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation]
        annotations += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.returns]
        typed = {id(node) for annotation in annotations for node in ast.walk(annotation)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in typed}
        assert not used & known, name
        assert "from kinds" not in micropython_sources(viper=True)[name], name
    assert users > 30


def test_no_circle_of_imports() -> None:
    """A module that is imported in the middle of its own import lacks names; MicroPython says so only on the board."""
    texts = micropython_sources(viper=True)
    seen: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' imports '.join((*above, name))}"
        if name in seen:
            return
        seen.add(name)
        for node in ast.parse(texts[name]).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                path = f"{module.replace('.', '/')}.py"
                if path in texts:
                    visit(path, (*above, name))

    for name in texts:
        visit(name, ())


def test_files_say_why_they_exist() -> None:
    for name, text in micropython_sources(viper=True).items():
        assert ast.get_docstring(ast.parse(text)), name
