"""Single changes of sources, as mutants.py tries them: what may be changed where, found by Python's own parser, and in C by token.

A change is an operator, a constant, a condition or a call that is left out. Neither comments nor texts are changed, nor, in Python,
annotations; in C no line of the preprocessor. Whether a change makes a difference nobody knows before the tests have run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple


class Mutation(NamedTuple):
    """A change of one file: the bytes from ``start`` to ``end`` become ``text``."""

    path: str
    line: int
    column: int
    start: int
    end: int
    old: str
    text: str

    def apply(self, source: bytes) -> bytes:
        """The changed source."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {' '.join(self.old.split())} -> {' '.join(self.text.split()) or 'nothing'}"


_PYTHON = {
    **{ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")},
    **{ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.Is: ("is", "is not")},
    **{ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*")},
    **{ast.Mod: ("%", "+"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&")},
    **{ast.And: ("and", "or"), ast.Or: ("or", "and")},
}
_C = {
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"},
    **{"+": "-", "-": "+", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "%": "+", "*": "+", "/": "*", "+=": "-=", "-=": "+="},
    **{"true": "false", "false": "true"},
}
_C_OPERATOR = re.compile(r"(?<= )(<<|>>|<=|>=|==|!=|&&|\|\||\+=|-=|[-<>+&|%*/])(?= )|\b(?:true|false)\b")
_C_NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)(?=[uUlL]*(?![\w.]))")
_C_CONDITION = re.compile(r"\b(?:if|while) \(")
_C_CALL = re.compile(r"^ +[a-z_]\w*\([^;{}]*\);$", re.MULTILINE)
_C_HIDDEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*", re.DOTALL | re.MULTILINE
)


def python_mutations(path: str, source: bytes) -> Iterator[Mutation]:
    """Every change of a Python file."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def change(start: int, end: int, text: str) -> Mutation:
        line, column = source.count(b"\n", 0, start) + 1, start - source.rfind(b"\n", 0, start)
        return Mutation(path, line, column, start, end, source[start:end].decode(), text)

    def between(left: ast.expr, right: ast.expr, operator: ast.AST) -> Iterator[Mutation]:
        if type(operator) not in _PYTHON:
            return
        old, new = _PYTHON[type(operator)]
        start, end = span(left)[1], span(right)[0]
        at = source.find(old.encode(), start, end)
        if at >= 0 and b"#" not in source[start:end]:
            yield change(at, at + len(old), new)

    def of(node: ast.AST) -> Iterator[Mutation]:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                yield from between(left, right, operator)
            case ast.BinOp(left=left, op=operator, right=right):
                yield from between(left, right, operator)
            case ast.BoolOp(op=operator, values=[left, right, *_]):
                yield from between(left, right, operator)
            case ast.UnaryOp(op=ast.Not()):
                yield change(span(node)[0], span(node)[0] + len("not"), "")
            case ast.Constant(value=bool() as value):
                yield change(*span(node), str(not value))
            case ast.Constant(value=int() | float() as value):
                yield change(*span(node), repr(value + 1))
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield change(*span(test), f"not ({source[slice(*span(test))].decode()})")
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield change(*span(node), "pass")

    def walk(node: ast.AST) -> Iterator[Mutation]:
        yield from of(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                # The parser knows no places inside of f-strings before Python 3.12.
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    yield from walk(child)

    yield from walk(ast.parse(source))


def c_mutations(path: str, source: bytes) -> Iterator[Mutation]:
    """Every change of a C file, whose text is ASCII outside of comments."""
    text = source.decode("latin-1")  # a byte a character
    code = _C_HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)

    def change(start: int, end: int, new: str) -> Mutation:
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        return Mutation(path, line, column, start, end, text[start:end], new)

    for found in _C_OPERATOR.finditer(code):
        yield change(*found.span(), _C[found[0]])
    for found in _C_NUMBER.finditer(code):
        yield change(*found.span(), str(int(found[0], 0 if found[0][:2] in ("0x", "0X") else 10) + 1))
    for found in _C_CONDITION.finditer(code):
        end = _closing(code, found.end())
        yield change(found.end(), end, f"!({text[found.end() : end]})")
    for found in _C_CALL.finditer(code):
        yield change(*found.span(), ";")


def _closing(code: str, start: int) -> int:
    """Where the bracket that opens before ``start`` is closed."""
    depth = 1
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place
    return start
