"""Which tests reach which function of host and firmware: probes for a copy of the sources, and the plugins of pytest that use them.

A probe is a call at the start of a function. It sets one byte of a file that all processes of a test map into their memory, so that
native boards and commands in processes of their own are seen too. mutants.py gives a change to the tests that reach its function.
"""

from __future__ import annotations

import ast
import builtins
import faulthandler
import json
import mmap
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, settings

ROOM = 1 << 16
"""Bytes of the mapped file, hence the most probes."""
VARIABLE = "MTJLEARN_REACHED"
OUTSIDE = f"""import builtins, mmap, os
if "{VARIABLE}" in os.environ:
    with open(os.environ["{VARIABLE}"], "r+b") as file:
        reached = mmap.mmap(file.fileno(), 0)
    builtins.reached_ = lambda probe: reached.__setitem__(probe, 1)
"""
"""What a process of Python runs when it starts."""
_C_PROBES = f"""#if defined(REACHED_)
#elif defined(__linux__)
extern char *getenv(const char *);
extern int open(const char *, int, ...);
extern void *mmap(void *, unsigned long, int, int, int, long);
static unsigned char *reached_;
__attribute__((constructor)) static void reached_map_(void)
{{
    char *name = getenv("{VARIABLE}");
    int file = name ? open(name, 2) : -1;
    if (file >= 0)
        reached_ = (unsigned char *)mmap(0, {ROOM}, 3, 1, file, 0);
}}
#define REACHED_(probe) if (reached_) reached_[probe] = 1;
#else
#define REACHED_(probe)
#endif
#line 1
"""
_C_BODY = re.compile(r"^(?:[A-Za-z_][^;={}]*\))\s*(\{)", re.MULTILINE)


class Function(NamedTuple):
    """A function of a source and the lines that it has; a nested one has its own."""

    path: str
    first: int
    last: int


def python_probes(path: str, source: str, number: int) -> tuple[str, list[Function]]:
    """The source with a probe in each function, numbered from ``number``, and these functions."""
    lines, places, found = source.splitlines(keepends=True), [], []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            if body:
                first = min((body[0].lineno, *(item.lineno for item in getattr(body[0], "decorator_list", []))))
                places.append((first, len(found), body[0].col_offset, node.lineno == first))
                found.append(Function(path, node.lineno, node.end_lineno or node.lineno))
    for first, index, column, is_same_line in sorted(places, reverse=True):
        line = lines[first - 1].encode()
        probe = b"reached_(%d)" % (number + index)
        ahead = [line[:column], probe, b"; ", line[column:]] if is_same_line else [b" " * column, probe, b"\n", line]
        lines[first - 1] = b"".join(ahead).decode()
    return "".join(lines), found


def c_probes(path: str, source: str, number: int) -> tuple[str, list[Function]]:
    """The same for C, whose functions begin and end in the first column."""
    found, parts, at = [], [_C_PROBES], 0
    for start in _C_BODY.finditer(source):
        end = source.find("\n}", start.end(1))
        parts += [source[at : start.end(1)], f" REACHED_({number + len(found)})"]
        at = start.end(1)
        found.append(Function(path, source.count("\n", 0, start.start()) + 1, source.count("\n", 0, end) + 2))
    return "".join((*parts, source[at:])), found


class Reach:
    """What a recording has found; ``of`` says which tests reach a line."""

    def __init__(self, functions: Path, tests: Path) -> None:
        self.functions = [Function(*one) for one in json.loads(functions.read_text())]
        self.seconds: dict[str, float] = {}
        self.breadth: dict[str, int] = {}
        self._tests: dict[int, list[str]] = defaultdict(list)
        self._files: dict[str, set[str]] = defaultdict(set)
        for record in map(json.loads, tests.read_text().splitlines()):
            name = record["test"]
            if record["passed"]:
                self.seconds[name], self.breadth[name] = record["seconds"], len(record["reached"])
                for number in record["reached"]:
                    self._tests[number].append(name)
                    self._files[self.functions[number].path].add(name)

    def of(self, path: str, line: int) -> list[str]:
        """Tests that reach the function of a line, or else any function of its file; quick ones that reach little come first."""
        around = self._around(path, line)
        inner = max(around, key=lambda index: self.functions[index].first, default=-1)
        tests = self._tests.get(inner) or self._files.get(path, set())
        return sorted(tests, key=lambda name: (self.seconds[name] + 0.02) * self.breadth[name])

    def is_in_function(self, path: str, line: int) -> bool:
        """Whether what a line does can be seen from the functions that tests reach; a constant can be read without any."""
        return bool(self._around(path, line))

    def _around(self, path: str, line: int) -> list[int]:
        return [index for index, one in enumerate(self.functions) if one.path == path and one.first <= line <= one.last]


class Recorder:
    """A plugin that writes for each test how long it took, whether it passed, and which probes it reached."""

    def __init__(self, reached: Path, results: Path) -> None:
        with reached.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 0)
        self._results = results
        self._has_passed = False
        builtins.reached_ = lambda probe: self._bytes.__setitem__(probe, 1)  # type: ignore[attr-defined]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            self._has_passed = report.passed

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._bytes[:] = bytes(ROOM)
        self._has_passed, begun = False, time.monotonic()
        yield
        seconds = round(time.monotonic() - begun, 3)
        reached = [number for number, value in enumerate(self._bytes[:]) if value]
        record = {"test": item.nodeid, "passed": self._has_passed, "seconds": seconds, "reached": reached}
        with self._results.open("a") as file:
            file.write(json.dumps(record) + "\n")


class Trial:
    """A plugin that runs the tests named, in this order, ends one that hangs, and seeks no smallest failing example."""

    def __init__(self, names: list[str] | None, limits: dict[str, float]) -> None:
        self._places = None if names is None else {name: place for place, name in enumerate(names)}
        self._limits = limits

    def pytest_sessionstart(self) -> None:
        settings.register_profile("trial", settings(), phases=(Phase.explicit, Phase.reuse, Phase.generate), print_blob=False)
        settings.load_profile("trial")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        places = self._places
        if places is not None:
            items[:] = sorted((item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid])

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        faulthandler.dump_traceback_later(max(30.0, 20 * self._limits.get(item.nodeid, 6.0)), exit=True)
        yield
        faulthandler.cancel_dump_traceback_later()


def map_room(path: Path) -> None:
    """Makes the file that the probes map."""
    path.write_bytes(bytes(ROOM))
    os.environ[VARIABLE] = str(path)
