"""The targets of the learners in C and MicroPython: the tables of shared/numerics.md, section 9."""

from __future__ import annotations

import decimal
import textwrap

from generator.definition import NOTE, WIDTH


def tables() -> list[tuple[str, str, list[int]]]:
    """Formula, name and entries of each table, rounded from 60 digits."""
    with decimal.localcontext(decimal.Context(prec=60)):
        two = decimal.Decimal(2)
        places = [decimal.Decimal(i) / 64 for i in range(67)]
        exp2neg = [round(2**20 * (1 - x / 2 - two**-x)) for x in places]
        log2 = [round(2**19 * ((1 + x).ln() / two.ln() - x)) for x in places]
    return [
        ("2^20 (1 - x/2 - 2^-x), x = i/64, modulo 2^16", "exp2neg", [value % 2**16 for value in exp2neg]),
        ("2^19 (log2(1 + x) - x), x = i/64, modulo 2^16", "log2", [value % 2**16 for value in log2]),
    ]


def anp_tables() -> str:
    """firmware/lib/anp/src/anp_tables.h."""
    out = [
        f"/* {NOTE.format('shared/numerics.md, section 9')} */".replace(" from ", " for "),
        "#ifndef ANP_TABLES_H",
        "#define ANP_TABLES_H",
        "",
        '#include "anp_flash.h"',
        "",
    ]
    for formula, name, table in tables():
        head = f"static const uint16_t anp_{name}_table[{len(table)}] ANP_FLASH = {{"
        out += [f"/* {formula} */", head, *(f"    {row}" for row in _rows(table))]
        out += ["};", ""]
    return "\n".join([*out, "#endif", ""])


def micropython_tables() -> str:
    """firmware/micropython/tables.py."""
    out = [
        '"""The tables of the cross-entropy loss.',
        "",
        NOTE.format("shared/numerics.md, section 9").replace(" from ", " for "),
        '"""',
        "",
        "import array",
    ]
    for formula, name, table in tables():
        rows = [f"        {row}" for row in _rows(table)]
        out += ["", f"# {formula}", f"{name.upper()} = array.array(", '    "H",', "    (", *rows, "    ),", ")"]
    return "\n".join([*out, ""])


def _rows(table: list[int]) -> list[str]:
    return textwrap.wrap(", ".join(map(str, table)), WIDTH - 4)
