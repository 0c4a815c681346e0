"""What ``mtjlearn bench --reference`` measures."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from mtjlearn.cli.view.console import print_result


def tell_reference(found: dict[str, Any]) -> None:
    """Seconds of an epoch, ratios and memory, as measure_reference() returns them."""
    print_result(
        f"CPU seconds of an epoch: {found['network']}, {found['samples']:,} samples, batches of {found['batch']}, Adam, "
        f"one thread; the fastest of {found['rounds']} rounds"
    )
    seconds: dict[str, dict[str, float]] = found["cpu_s_per_epoch"]
    rules = list(seconds["numpy float32"])
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", *rules):
        table.add_column(heading, justify="right" if table.columns else "left", no_wrap=True)
    for program, figures in seconds.items():
        table.add_row(program, *(f"{figures[rule]:,.1f}" if rule in figures else "" for rule in rules))
    print_result(table)
    ratios = found["danp_ratios"]
    if ratios is None:
        print_result("torch is not installed, so nothing is measured next to it: pip install 'mtjlearn[torch]'")
    else:
        print_result(
            f"DANP: the authors' structure takes {ratios['authors_over_numpy']:.2f} times the time of NumPy in float32, "
            f"which takes {ratios['numpy_over_plain_torch']:.2f} times that of the plain loop; medians over the rounds"
        )
    memory = found["memory_mib"]
    print_result(f"memory of DANP, without the data: {memory['float32']:.0f} MiB in float32, {memory['float64']:.0f} in float64")
