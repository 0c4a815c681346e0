"""``mtjlearn bench``."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from mtjlearn.bench import (
    MODEL_REPLICAS,
    MODEL_SIZES,
    REPEATS,
    STEP_SIZES,
    STREAM_SIZES,
    Spread,
    step_network,
    time_model,
    time_round_trip,
    time_step,
    time_stream,
)
from mtjlearn.board import Board
from mtjlearn.cli.common import bar, board_option, command, console, say
from mtjlearn.discovery import open_board
from mtjlearn.network import Loss
from mtjlearn.wire.messages import Features


@click.command()
@board_option
@click.option("--repeats", type=click.IntRange(1, 1000), default=REPEATS, show_default=True, help="Repeats of each measurement.")
@command
def cli(board: str | None, repeats: int) -> dict[str, Any]:
    """Measure steps and samples per second.

    Over the board's line: samples streamed and trained (those of iris with 4-8-3), end to end, and the round trip of a
    question. The board's network is replaced. With --board native also what this computer does without a line: training
    steps of the C learner in this process and of the integer model in NumPy. Figures are medians of the repeats.
    """
    with open_board(board) as opened:
        name = opened.info.name
        stream = _stream(opened, repeats)
    result: dict[str, Any] = {"board": name, "unit": "ns", "nets": None, "steps_per_s": None, "stream": stream, "model": None}
    if board == "native":
        nets = _nets(repeats)
        result["nets"] = {net: _figures(step, "step") for net, step in nets.items()}
        result["steps_per_s"] = {net: 1e9 / step.median for net, step in nets.items()}
        result["model"] = _model(repeats)
    return result


def _stream(board: Board, repeats: int) -> dict[str, Any]:
    losses = [Loss.SQUARED] + [Loss.CROSS_ENTROPY] * (Features.CROSS_ENTROPY in board.info.features)
    found: dict[str, Any] = {}
    for loss in losses:
        network = step_network(STREAM_SIZES, loss)
        name = loss.name.lower().replace("_", "-")
        with bar(f"{network.name} {name}"):
            speed = time_stream(board, network, repeats=repeats)
        say(f"streamed to {board.info.name}: {network.name}, {name:13} {_per_second(speed)} samples/s")
        found[loss.name.lower()] = _figures(speed, "samples_per_s")
    trip = time_round_trip(board)
    say(f"round trip of a STATUS: {1e6 * trip.median:,.0f} us, {1e6 * trip.minimum:,.0f} to {1e6 * trip.maximum:,.0f}")
    squared = found.pop("squared")
    name = "-".join(map(str, STREAM_SIZES))
    return {"net": name, **squared, "cross_entropy": None, **found, "round_trip_ns": 1e9 * trip.median}


def _nets(repeats: int) -> dict[str, Spread]:
    table = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("in this process", "parameters", "ns a step", "slowest", "steps/s"):
        table.add_column(heading, justify="left" if heading == "in this process" else "right")
    nets: dict[str, Spread] = {}
    with bar("in this process") as progress:
        for sizes in STEP_SIZES:
            network = step_network(sizes)
            progress.update(len(nets), len(STEP_SIZES), network.name)
            step = nets[network.name] = time_step(network, repeats=repeats)
            cells = (network.parameters, step.median, step.maximum, 1e9 / step.median)
            table.add_row(network.name, *(f"{value:,.0f}" for value in cells))
    console.print(table)
    return nets


def _model(repeats: int) -> dict[str, Any]:
    network = step_network(MODEL_SIZES)
    with bar(f"NumPy model {network.name}"):
        speed = time_model(network, MODEL_REPLICAS, repeats=repeats)
    say(f"integer model in NumPy: {network.name}, {MODEL_REPLICAS} replicas at once: {_per_second(speed)} steps/s")
    return {"net": network.name, "replicas": MODEL_REPLICAS, **_figures(speed, "steps_per_s")}


def _figures(spread: Spread, name: str) -> dict[str, float]:
    return {name: spread.median, "min": spread.minimum, "max": spread.maximum}


def _per_second(spread: Spread) -> str:
    return f"{spread.median:,.0f} ({spread.minimum:,.0f} to {spread.maximum:,.0f})"
