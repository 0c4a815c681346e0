"""What a board reports about itself, for people and as ``--json`` prints it."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtjlearn.board import BoardInfo
from mtjlearn.cli.view.autonomous import RESTORED
from mtjlearn.cli.view.console import print_rows
from mtjlearn.wire.messages import Features


def info_values(info: BoardInfo) -> dict[str, Any]:
    """What a board reports about itself, as --json prints it."""
    features = [feature.name for feature in Features if feature in info.features]
    return {**dataclasses.asdict(info), "features": features, "millivolts_per_code": info.millivolts_per_code}


def show_info(info: BoardInfo, sources: str) -> None:
    """As a table; what its firmware was built from is reported in words."""
    line = f"{info.line_rate:,} bytes/s" if info.line_rate else "no limit known"
    cause = info.reset_cause.name.lower().replace("_", " ")
    rows = (
        ("board", f"{info.name} at {info.url}"),
        ("firmware", f"build {info.build}, protocol {info.version}"),
        ("", f"built from {sources}"),
        ("start", f"number {info.boot_count}, reset cause: {cause}"),
        *((("", f"last error before it: {info.last_error}"),) if info.last_error else ()),
        ("converter", f"{info.adc_bits} bits, {info.adc_rate:,} codes/s, full scale {info.adc_reference:g} V"),
        ("", f"{info.millivolts_per_code:.3g} mV per code"),
        ("memory for a network", f"{info.arena:,} bytes"),
        ("nonvolatile memory", f"{info.memory:,} bytes; {RESTORED[info.restored]}" if info.memory else "none"),
        ("line", f"{line}; payloads to {info.max_payload} bytes, {info.receive_window} bytes in flight"),
        ("features", ", ".join(_words(feature) for feature in Features if feature in info.features)),
    )
    print_rows(rows)


def _words(feature: Features) -> str:
    return str(feature.name).lower().replace("_", " ")
