"""The target of the learner in C: the tables of shared/numerics.md, section 9."""

from __future__ import annotations

import decimal
import textwrap

from generator.definition import NOTE, WIDTH


def anp_tables() -> str:
    """firmware/lib/anp/src/anp_tables.h, rounded from 60 digits."""
    with decimal.localcontext(decimal.Context(prec=60)):
        two = decimal.Decimal(2)
        places = [decimal.Decimal(i) / 64 for i in range(67)]
        exp2neg = [round(2**20 * (1 - x / 2 - two**-x)) for x in places]
        log2 = [round(2**19 * ((1 + x).ln() / two.ln() - x)) for x in places]
    out = [
        f"/* {NOTE.format('shared/numerics.md, section 9')} */".replace(" from ", " for "),
        "#ifndef ANP_TABLES_H",
        "#define ANP_TABLES_H",
        "",
        '#include "anp_flash.h"',
        "",
    ]
    for comment, name, table in (
        ("2^20 (1 - x/2 - 2^-x), x = i/64, modulo 2^16", "anp_exp2neg_table", exp2neg),
        ("2^19 (log2(1 + x) - x), x = i/64, modulo 2^16", "anp_log2_table", log2),
    ):
        numbers = textwrap.wrap(", ".join(str(value % 2**16) for value in table), WIDTH - 4)
        head = f"static const uint16_t {name}[{len(table)}] ANP_FLASH = {{"
        out += [f"/* {comment} */", head, *(f"    {row}" for row in numbers)]
        out += ["};", ""]
    return "\n".join([*out, "#endif", ""])


