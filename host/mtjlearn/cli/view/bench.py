"""How ``mtjlearn bench`` shows the figures of simulated chips."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from mtjlearn.bench.phases import PHASES
from mtjlearn.cli.view.console import print_result


def tell_chip(report: dict[str, Any]) -> None:
    """Training steps, interrupts and memory, as chip_report() returns them."""
    print_result(
        f"{report['unit']} of a training step on {report['board']}, median of {report['steps']:,} steps; {report['compiler']}"
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", *PHASES, "most", "limit", "of it"):
        table.add_column(heading, justify="right" if table.columns else "left", no_wrap=True)
    for net, figures in (report["nets"] | report["variants"]).items():
        if figures is not None:
            cells = [*(figures[name] for name in PHASES), figures["max"], figures["limit"]]
            ratio = "" if figures["ratio"] is None else f"{figures['ratio']:.2f}"
            table.add_row(net, *("" if cell is None else f"{cell:,.0f}" for cell in cells), ratio)
    print_result(table)
    for net, reason in report["left_out"].items():
        print_result(f"{net} not measured: {reason}")
    interrupts = ", ".join(f"{name} {one['mean']:.1f}" for name, one in report["interrupts"].items() if one["calls"])
    print_result(f"interrupts, not in these figures: {interrupts or 'none'}")
    memory = f"flash {report['flash_bytes']:,} bytes, static RAM {report['ram_bytes']:,}, deepest stack {report['stack_bytes']:,}"
    print_result(f"{memory}, never touched {report['untouched_bytes']:,}")


def tell_stream(found: dict[str, Any]) -> None:
    """As Streaming.figures."""
    limits = f"line {found['line_limit']:,.0f}, learner {found['learner_limit']:,.0f}"
    lost = found["rx_overruns"]
    rate = f"{found['net']} streamed at the line's rate: {found['samples_per_s']:,.0f} samples/s"
    print_result(f"{rate}, {found['share']:.1%} of the lesser limit ({limits})")
    print_result(f"{found['frames']:,} frames; lost bytes: {lost['firmware']} in the firmware's ring, {lost['uart']} in the UART")


def tell_uno_autonomous(found: dict[str, Any]) -> None:
    """As uno_autonomous() returns it."""
    print_result("autonomous learning, by the chip's clock")
    table = _table("task", "steps/s", "of the step alone", "streamed/s", "codes per step")
    for net, one in found.items():
        cells = (f"{one['steps_per_s']:,.0f}", f"{one['share']:.1%}", f"{one['streamed_per_s']:,.0f}", f"{one['codes_a_step']:.1f}")
        table.add_row(net, one["task"], *cells)
    print_result(table)


def tell_native_autonomous(found: dict[str, Any]) -> None:
    """As native_autonomous() returns it."""
    print_result("steps per second, autonomous and streamed; in real time an autonomous step waits for a fresh noise code")
    table = _table("task", "real time", "streamed", "virtual clock", "streamed")
    for net, one in found.items():
        speeds = [one[clock][name] for clock in ("real_time", "virtual_clock") for name in ("steps_per_s", "streamed_per_s")]
        table.add_row(net, one["task"], *(f"{speed:,.0f}" for speed in speeds))
    print_result(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", *headings):
        table.add_column(heading, justify="left" if heading in ("", "task") else "right", no_wrap=True)
    return table


def tell_resident(found: dict[str, Any]) -> None:
    """As measure_resident() returns it."""
    print_result(
        f"{found['net']} with {found['samples']} samples in memory: {found['steps_per_s']:,.0f} steps/s while the converter gives "
        f"{found['codes_per_s']:,.0f} codes/s ({found['codes_lost']} lost); "
        f"with one call for noise per millisecond: {found['paper_steps_per_s']:,}"
    )
    for where, name in (("on_chip", "on the chip"), ("in_process", "the same in this process")):
        one = found[where]
        low, high = one["ci95"]
        print_result(
            f"final loss, sMTJ over Gaussian noise, {name}: {one['ratio']:.2f} ({low:.2f} to {high:.2f}, {one['pairs']} pairs)"
        )
