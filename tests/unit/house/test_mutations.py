"""The single changes that tests/soak/mutants.py tries: each is one change, at the place that it names, and is code. Each meets the
tests that reach it."""

from __future__ import annotations

import json
import subprocess

import mutant_tests
import mutants
import pytest
import reach
from mutant_place import Place
from mutations import c_mutations, python_mutations
from places import PROJECT

pytestmark = pytest.mark.thorough

PYTHON = b'''"""Not 1 < 2."""
def f(a: int = 3, b="x < 1") -> int:  # a < b
    if a < 3 and not (b or a):
        print("\xc3\xa9", a + 1)
        raise ValueError(f"{a + 1}")
    return a << 2 if b in "x" else True
'''
C = b"""#include <a.h> /* 1 < 2 */
#define A (1 + \\
           2)
static int f(int a, char *b) { // a < b
  if (a < 3 && (b[0] == '<')) {
    g("1 < 2", a->b, &a);
  }
  a++;
  return -a + 0x10u;
}
"""


def changed(mutations):
    return sorted((mutation.line, mutation.old, mutation.text) for mutation in mutations)


def test_changes_of_python():
    assert changed(python_mutations("f.py", PYTHON)) == sorted(
        [
            (2, "3", "4"),
            (3, "<", "<="),
            (3, "3", "4"),
            (3, "a < 3 and not (b or a)", "not (a < 3 and not (b or a))"),
            (3, "and", "or"),
            (3, "not", ""),
            (3, "or", "and"),
            (4, 'print("é", a + 1)', "pass"),
            (4, "+", "-"),
            (4, "1", "2"),
            (5, 'raise ValueError(f"{a + 1}")', "pass"),
            (6, "<<", ">>"),
            (6, "2", "3"),
            (6, 'b in "x"', 'not (b in "x")'),
            (6, "in", "not in"),
            (6, "True", "False"),
        ]
    )


def test_changes_of_c():
    assert changed(c_mutations("f.c", C)) == sorted(
        [
            (5, "<", "<="),
            (5, "3", "4"),
            (5, "&&", "||"),
            (5, "==", "!="),
            (5, "0", "1"),
            (5, "a < 3 && (b[0] == '<')", "!(a < 3 && (b[0] == '<'))"),
            (6, '    g("1 < 2", a->b, &a);', ";"),
            (9, "+", "-"),
            (9, "0x10", "17"),
        ]
    )


def test_a_changed_source_is_python_and_differs_in_one_place():
    path = PROJECT / "host/mtjlearn/datasets/labels.py"
    source = path.read_bytes()
    for mutation in python_mutations(path.name, source):
        text = mutation.apply(source)
        compile(text, path, "exec")
        assert text != source
        assert source[: mutation.start].count(b"\n") + 1 == mutation.line
        assert source[mutation.start : mutation.end].decode() == mutation.old


def test_every_test_that_the_table_names_exists():
    for _, words in mutant_tests.TESTS:
        for word in words.split():
            place = PROJECT / word if word.startswith("tests/") else PROJECT / "tests/unit"
            assert place.exists() if word.startswith("tests/") else list(place.rglob(f"{word}.py")), word


@pytest.fixture
def place(tmp_path, needs_tool):
    """A place whose tree is a package with two functions, and tests of them."""
    needs_tool("cmake", "cmake")
    for name, text in {
        "conftest.py": 'def pytest_addoption(parser):\n    parser.addoption("--board")\n',
        "thing/a.py": "def one(x):\n    return x + 1\n\n\ndef other():\n    def inner(): return 2\n    return inner()\n",
        "test_a.py": "from thing import a\ndef test_one():\n    assert a.one(1) == 2\ndef test_two():\n    assert a.other() == 2\n",
        "thing/__init__.py": "",
        "firmware/CMakeLists.txt": "cmake_minimum_required(VERSION 3.20)\nproject(nothing LANGUAGES NONE)\n",
    }.items():
        (tmp_path / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sources" / name).write_text(text)
    return Place(tmp_path / "sources", tmp_path)


def test_tests_that_hang_are_not_passed(place):
    for body, timeout, expected in (("pass", 60, True), ("__import__('time').sleep(99)", 2, False)):
        place.write("test_it.py", f"def test_it():\n    {body}\n".encode())
        assert place.test(["test_it.py"], reach.Trial(None, {}), timeout) is expected


def test_a_change_meets_the_tests_that_reach_its_function_and_is_taken_back(place, tmp_path, monkeypatch):
    source = (place.sources / "thing/a.py").read_text()
    probed, functions = reach.python_probes("thing/a.py", source, 0)
    place.write("thing/a.py", probed.encode())
    monkeypatch.setenv(reach.VARIABLE, "")
    reach.map_room(tmp_path / "reached")
    assert place.test(["test_a.py"], reach.Recorder(tmp_path / "reached", tmp_path / "tests"), 60)
    place.restore("thing/a.py")
    (tmp_path / "functions").write_text(json.dumps(functions))
    found = reach.Reach(tmp_path / "functions", tmp_path / "tests")
    assert found.of("thing/a.py", 2) == ["test_a.py::test_one"]
    assert found.of("thing/a.py", 6) == found.of("thing/a.py", 7) == ["test_a.py::test_two"]
    assert sorted(found.of("thing/a.py", 3)) == ["test_a.py::test_one", "test_a.py::test_two"]
    assert found.of("thing/b.py", 1) == []
    for mutation in python_mutations("thing/a.py", source.encode()):
        tests = mutants.trials(mutation, found)
        assert mutants.attempt(place, mutation, tests, 60) == "caught"
        assert place.caught_by() == found.of("thing/a.py", mutation.line)[0]
        assert (place.tree / "thing/a.py").read_text() == source


def test_probes_of_c_note_which_functions_ran(tmp_path, needs_tool):
    source = "static int one(int x)\n{\n    return x;\n}\n\nint main(void)\n{\n    return one(0);\n}\n"
    probed, functions = reach.c_probes("a.c", source, 5)
    assert functions == [("a.c", 1, 4), ("a.c", 6, 9)]
    (tmp_path / "a.c").write_text(probed)
    subprocess.run([needs_tool("gcc", "gcc"), "-Wall", "-Wextra", "-Werror", "-o", "a", "a.c"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "a"], check=True)
    (tmp_path / "reached").write_bytes(bytes(reach.ROOM))
    subprocess.run([tmp_path / "a"], check=True, env={reach.VARIABLE: str(tmp_path / "reached")})
    assert [place for place, byte in enumerate((tmp_path / "reached").read_bytes()) if byte] == [5, 6]
