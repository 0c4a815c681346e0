"""What ``mtjlearn bench --inference`` measures."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from mtjlearn.cli.view.console import print_result

_CLOCK = 16e6
"""Cycles of an Uno per second."""


def tell_inference(found: dict[str, Any]) -> None:
    """Flash, RAM and cycles of each program, as measure_inference() returns them."""
    print_result(f"a prediction of {found['network']} on an Uno, {found['rows']} rows; {found['compiler']}")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "flash", "static RAM", "cycles", "most", "ms", "same class"):
        table.add_column(heading, justify="right" if table.columns else "left", no_wrap=True)
    for name, figures in found["programs"].items():
        cells = ["" if figures[what] is None else f"{figures[what]:,}" for what in ("flash", "ram")]
        if figures["fits"]:
            cycles = figures["cycles"]
            cells += [f"{cycles['median']:,.0f}", f"{cycles['most']:,}", f"{1e3 * cycles['median'] / _CLOCK:.2f}"]
            cells.append(f"{figures['same']} of {found['rows']}")
        else:
            cells.append("does not fit")
        table.add_row(name, *cells)
    print_result(table)
    if found["emlearn"] is None:
        print_result("emlearn is not installed, so it is not measured: pip install 'mtjlearn[bench]'")
    else:
        print_result(f"emlearn {found['emlearn']}: float, ReLUs in place of leaky ones")
