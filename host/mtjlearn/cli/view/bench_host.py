"""What ``mtjlearn bench --host`` measures."""

from __future__ import annotations

from typing import Any

from mtjlearn.cli.view.console import print_result


def tell_host(found: dict[str, Any]) -> None:
    """CPU seconds, memory and steps per second, as measure_host() returns them."""
    for name, what in (("train", f"train, {found['rows']:,} rows, one epoch"), ("validate", "validate")):
        cost = found[name]
        print_result(f"{what}: {cost['cpu_s']:.1f} CPU s ({cost['wall_s']:.1f} s), {cost['memory_mib']:.0f} MiB")
    for network, rates in found["reference"].items():
        fast = "not built" if rates["compiled"] is None else f"{rates['compiled']:,.0f}"
        print_result(f"reference {network}, steps per CPU second: {fast} compiled, {rates['numpy']:,.0f} in NumPy")
