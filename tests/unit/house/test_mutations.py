"""The single changes that tests/soak/mutants.py tries: each is one change, at the place that it names, and is code."""

from __future__ import annotations

import mutants
import pytest
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
    for _, words in mutants.TESTS:
        for word in words.split():
            place = PROJECT / word if word.startswith("tests/") else PROJECT / "tests/unit"
            assert place.exists() if word.startswith("tests/") else list(place.rglob(f"{word}.py")), word


def test_tests_that_hang_are_not_passed(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "TREE", tmp_path)
    (tmp_path / "conftest.py").write_text('def pytest_addoption(parser):\n    parser.addoption("--board")\n')
    file = tmp_path / "test_it.py"
    for body, timeout, expected in (("pass", 60, True), ("__import__('time').sleep(99)", 2, False)):
        file.write_text(f"def test_it():\n    {body}\n")
        assert mutants.passes([str(file)], timeout) is expected
