"""``mtjlearn bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mtjlearn.bench.phases import FRAMES, REPEATS
from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar
from mtjlearn.cli.view.options import board_option
from mtjlearn.virtual.boards import SIMULATED

_UNO = "uno-sim"
_PARTS = ("steps", "stream", "alone", "resident")


@click.command(short_help="Measure steps and samples per second.")
@board_option
@click.option("--only", type=click.Choice(_PARTS), help="Measure one part only; simulated chips.")
@click.option(
    "--frames", type=click.IntRange(100, 10**7), default=FRAMES, show_default=True, help="Frames streamed to the simulated Uno."
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 1000),
    default=REPEATS,
    show_default=True,
    help="Repeats of each measurement by this computer's clock.",
)
@click.option("--reference", is_flag=True, help="Measure the float reference on this computer instead of a board.")
@click.option("--host", is_flag=True, help="Measure the host instead: CPU seconds of train and validate, and its memory.")
@click.option("--rows", type=click.IntRange(20, 10**7), metavar="N", help="Rows of the file that --host trains on: 100,000.")
@click.option(
    "--inference",
    metavar="MODEL",
    type=click.Path(path_type=Path),
    help="Measure predictions of this run or model on a simulated Uno instead of training.",
)
@command
def cli(
    board: str | None,
    only: str | None,
    frames: int,
    repeats: int,
    reference: bool,
    host: bool,
    rows: int | None,
    inference: Path | None,
) -> dict[str, Any]:
    """Measure training steps and samples per second.

    With --board uno-sim: cycles of a training step on an Uno R3, split into its parts, next to the limit counted from its
    operations; samples streamed at the line's rate; steps per second of autonomous learning; learning with the samples in the
    chip's memory. With --board m4-sim or m0-sim: instructions of a step on a Cortex-M4 or Cortex-M0. All are counts, so every run
    gives the same figures.

    Any other board: samples streamed and trained (those of iris with 4-8-3), end to end, and the round trip of a
    question; its network is replaced. With --board native also nanoseconds of a step in this process, split into its
    parts, the board learning autonomously in real time (where the noise sets the pace) and on the virtual clock, and the integer
    model in NumPy. With --board micropython also steps per second of the learner as viper, as bytecode and in C, its heap,
    and the sizes of its modules compiled for a Pico.

    With --reference: CPU seconds of an epoch of the paper's network (784-500-500-500-10, 60,000 samples, batches of 64, Adam) with
    the float reference, and with programs for torch where it is installed.

    With --host: CPU seconds and memory of a training from a CSV file (native board and reference, one epoch) and of a validation,
    and steps per second of the reference, compiled and in NumPy.

    With --inference: flash, RAM and cycles of a prediction on an Uno by the exported network, by the same network in floats, and by
    what emlearn generates for it where it is installed.
    """
    if host or rows is not None:
        if not host or reference or any(value is not None for value in (board, only, inference)):
            raise click.UsageError("--host measures this computer, and --rows goes with it: omit other choices")
        return _host(rows)
    if inference is not None:
        if board is not None or only is not None or reference:
            raise click.UsageError("--inference measures a simulated Uno: omit --board, --only and --reference")
        return _inference(inference)
    if reference:
        if board is not None or only is not None:
            raise click.UsageError("--reference measures this computer: omit --board and --only")
        from mtjlearn.bench.desktop.reference import measure_reference
        from mtjlearn.cli.view.bench_reference import tell_reference

        with bar("the reference") as progress:
            found = measure_reference(repeats, progress=progress.update)
        tell_reference(found)
        return found
    if board in SIMULATED:
        return _chip(board, only, frames)
    if only is not None:
        raise click.UsageError("--only goes with --board uno-sim, m4-sim or m0-sim")
    from mtjlearn.bench.desktop.autonomous import native_autonomous
    from mtjlearn.cli.view.bench import tell_native_autonomous
    from mtjlearn.cli.view.bench_desktop import line_figures, model_figures, step_figures
    from mtjlearn.discovery import open_board

    with open_board(board) as opened:
        name = opened.info.name
        line = line_figures(opened, repeats)
    result: dict[str, Any] = {"board": name, "unit": "ns", "nets": None, "steps_per_s": None, "stream": line}
    result.update(alone=None, model=None)
    if board == "micropython":
        from mtjlearn.bench.desktop.micropython import compiled_bytes, micropython_steps
        from mtjlearn.cli.view.bench_desktop import tell_micropython

        with bar("in MicroPython") as progress:
            found = micropython_steps(repeats, progress.update)
        sizes = compiled_bytes()
        result.update(nets=found, compiled_bytes=sizes)
        result["steps_per_s"] = {net: one["viper"]["steps_per_s"] for net, one in found.items()}
        tell_micropython(found, sizes)
    if board == "native":
        nets = step_figures(repeats)
        result["nets"] = nets
        result["limits"] = "none: how many operations a desktop processor does at once cannot be counted from outside"
        result["steps_per_s"] = {net: 1e9 / figures["step"] for net, figures in nets.items()}
        with bar("autonomous learning") as progress:
            result["alone"] = native_autonomous(repeats, progress.update)
        tell_native_autonomous(result["alone"])
        result["model"] = model_figures(repeats)
    result.update(dict.fromkeys(("flash_bytes", "ram_bytes", "stack_bytes")))
    return result


def _host(rows: int | None) -> dict[str, Any]:
    from mtjlearn.bench.desktop import host
    from mtjlearn.cli.view.bench_host import tell_host

    with bar("the host") as progress:
        found = host.measure_host(rows or host.ROWS, progress=progress.update)
    tell_host(found)
    return found


def _inference(path: Path) -> dict[str, Any]:
    from mtjlearn.bench.chip.inference import measure_inference
    from mtjlearn.cli.view.bench_inference import tell_inference
    from mtjlearn.training.models import load_model

    model = load_model(path)
    with bar("predictions") as progress:
        found = measure_inference(model, progress=progress.update)
    tell_inference(found)
    return found


def _chip(board: str, only: str | None, frames: int) -> dict[str, Any]:
    if only in _PARTS[1:] and board != _UNO:
        raise click.UsageError(f"--only {only} goes with --board {_UNO}")
    from mtjlearn.bench.chip.autonomous import uno_autonomous
    from mtjlearn.bench.chip.report import chip_report
    from mtjlearn.bench.chip.resident_rate import measure_resident
    from mtjlearn.bench.chip.streaming import stream
    from mtjlearn.bench.workload import STREAM_SIZES, workload
    from mtjlearn.cli.view.bench import tell_chip, tell_resident, tell_stream, tell_uno_autonomous

    result: dict[str, Any] = {"board": board, "stream": None, "alone": None, "resident": None}
    if only in (None, "steps"):
        with bar(board) as progress:
            result.update(chip_report(board, progress=progress.update))
        tell_chip(result)
    if only in (None, "stream") and board == _UNO:
        with bar("streaming") as progress:
            found = stream(workload(STREAM_SIZES), frames, progress=progress.update)
        result["stream"] = found.figures
        tell_stream(result["stream"])
    if only in (None, "alone") and board == _UNO:
        with bar("autonomous learning") as progress:
            result["alone"] = uno_autonomous(progress.update)
        tell_uno_autonomous(result["alone"])
    if only in (None, "resident") and board == _UNO:
        with bar("learning from memory") as progress:
            result["resident"] = measure_resident(progress=progress.update)
        tell_resident(result["resident"])
    return result
