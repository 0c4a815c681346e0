"""What ``mtjlearn bench`` measures by this computer's clock."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from mtjlearn.bench.desktop.timing import (
    MODEL_REPLICAS,
    MODEL_SIZES,
    Spread,
    time_model,
    time_phases,
    time_round_trip,
    time_step,
    time_stream,
)
from mtjlearn.bench.phases import PHASES
from mtjlearn.bench.workload import STEP_SIZES, STREAM_SIZES, Workload, workload
from mtjlearn.board import Board
from mtjlearn.cli.view.console import bar, print_result
from mtjlearn.firmware.compiled import NotBuiltError
from mtjlearn.network import Loss
from mtjlearn.wire.messages import Features


def line_figures(board: Board, repeats: int) -> dict[str, Any]:
    """Samples per second over a board's line with both losses, and a question's round trip."""
    losses = [Loss.SQUARED] + [Loss.CROSS_ENTROPY] * (Features.CROSS_ENTROPY in board.info.features)
    found: dict[str, Any] = {}
    for loss in losses:
        load = workload(STREAM_SIZES, loss=loss)
        name = loss.name.lower().replace("_", "-")
        with bar(f"{load.name} {name}"):
            speed = time_stream(board, load, repeats=repeats)
        print_result(f"streamed to {board.info.name}: {load.name}, {name:13} {_per_second(speed)} samples/s")
        found[loss.name.lower()] = _figures(speed, "samples_per_s")
    trip = time_round_trip(board)
    print_result(f"round trip of a STATUS: {1e6 * trip.median:,.0f} us, {1e6 * trip.minimum:,.0f} to {1e6 * trip.maximum:,.0f}")
    squared = found.pop("squared")
    name = "-".join(map(str, STREAM_SIZES))
    return {"net": name, **squared, "cross_entropy": None, **found, "round_trip_ns": 1e9 * trip.median}


def step_figures(repeats: int) -> dict[str, dict[str, Any]]:
    """Nanoseconds of a step in this process and of its parts, by network."""
    print_result("nanoseconds of a training step in this process")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", *PHASES, "most", "steps/s"):
        table.add_column(heading, justify="right" if table.columns else "left", no_wrap=True)
    nets: dict[str, dict[str, Any]] = {}
    with bar("in this process") as progress:
        for sizes in STEP_SIZES:
            load = workload(sizes)
            progress.update(len(nets), len(STEP_SIZES), load.name)
            step, parts = time_step(load, repeats=repeats), _parts(load)
            nets[load.name] = {**_figures(step, "step"), **parts, "limit": None}
            cells = (step.median, *parts.values(), step.maximum, 1e9 / step.median)
            table.add_row(load.name, *("" if value is None else f"{value:,.0f}" for value in cells))
    print_result(table)
    return nets


def model_figures(repeats: int) -> dict[str, Any]:
    """Steps per second of the integer model in NumPy."""
    load = workload(MODEL_SIZES)
    with bar(f"NumPy model {load.name}"):
        speed = time_model(load, MODEL_REPLICAS, repeats=repeats)
    print_result(f"integer model in NumPy: {load.name}, {MODEL_REPLICAS} replicas at once: {_per_second(speed)} steps/s")
    return {"net": load.name, "replicas": MODEL_REPLICAS, **_figures(speed, "steps_per_s")}


def tell_micropython(nets: dict[str, dict[str, Any]], compiled: dict[str, int]) -> None:
    """Steps and memory, as micropython_steps() and compiled_bytes() return them."""
    print_result("training steps per second of the learner in MicroPython, and in C in this process")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "viper", "bytecode", "C", "viper of C", "heap: modules", "learner"):
        table.add_column(heading, justify="right" if table.columns else "left", no_wrap=True)
    for net, one in nets.items():
        speeds = (f"{one[how]['steps_per_s']:,.0f}" for how in ("viper", "bytecode", "c"))
        table.add_row(net, *speeds, f"{one['ratio']:.1%}", f"{one['module_bytes']:,}", f"{one['learner_bytes']:,}")
    print_result(table)
    sizes = ", ".join(f"{name} {size:,}" for name, size in compiled.items())
    print_result(f"compiled for a Pico, bytes: {sizes}; together {sum(compiled.values()):,}")


def _parts(load: Workload) -> dict[str, float | None]:
    try:
        found = time_phases(load)
    except NotBuiltError:
        return dict.fromkeys(PHASES[1:])
    return {name: found[name] for name in PHASES[1:]}


def _figures(spread: Spread, name: str) -> dict[str, float]:
    return {name: spread.median, "min": spread.minimum, "max": spread.maximum}


def _per_second(spread: Spread) -> str:
    return f"{spread.median:,.0f} ({spread.minimum:,.0f} to {spread.maximum:,.0f})"
