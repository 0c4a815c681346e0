"""``mtjlearn noise``."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.options import (
    FIGURES,
    board_option,
    device_noise_options,
    refuse_what_ends,
    runs_option,
    seed_option,
    virtual_options,
)
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.virtual.boards import board_options

SECONDS = 3.0
_BIAS = "Field or current over the one that removes a barrier; positive: more time at high resistance."


@click.group(invoke_without_command=True)
@board_option
@seed_option
@device_noise_options
@runs_option
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Characterise this recording, not a board: .npz, .npy, .csv, .txt, an oscilloscope's export, Parquet (.pqt), or a "
    "folder or quoted pattern of numbered Parquet files.",
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Samples per second, if the file does not state it.")
@click.option("--unit", type=click.Choice(["V", "mV", "uV", "codes"]), help="Of the file's samples, if the file does not state it.")
@click.option("--column", metavar="NAME", help="The file's column of samples, if it has several.")
@click.option(
    "--fit", is_flag=True, help="Also fit a hidden Markov model: levels, noise and switching, even where the levels overlap."
)
@click.option("--seconds", type=click.FloatRange(0, 3600, min_open=True), help=f"How long to record; {SECONDS:g} unless given.")
@click.option("--codes", type=click.IntRange(NOISE_BUFFER, 10_000_000), help="How many codes to record.")
@click.option(
    "--burst",
    type=click.IntRange(0, NOISE_BUFFER),
    help="Record contiguous bursts of this many codes, 0 for all; if omitted, bursts of 200 where the line cannot carry all.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also save the recording here (.npz; .f32 for boards start --voltages).",
)
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the plot here, not in the run directory.")
@click.option("--set-limits", is_flag=True, help="Set the limits of the board's own tests to those of this source.")
@command
def cli(
    board: str | None,
    seed: int,
    device_noise: str | None,
    preset: str | None,
    root: Path,
    file: Path | None,
    rate: float | None,
    unit: str | None,
    column: str | None,
    fit: bool,
    seconds: float | None,
    codes: int | None,
    burst: int | None,
    save: Path | None,
    plot: Path | None,
    set_limits: bool,
) -> dict[str, Any] | None:
    """Record a board's noise and characterise it, or a file's.

    Shows the two levels of the junction, how often it switches, how long it remembers, an estimate of its entropy, what
    the board's own tests see, and what to do about the wiring when something is off. A signal that is periodic or
    pseudo-random is unusable, however random its states look. A run directory keeps the recording and a plot. Ctrl-C
    ends a recording early.
    """
    if (name := click.get_current_context().invoked_subcommand) is not None:
        _refuse_before(name)
        return None
    _check_targets(save, plot)
    if rate is not None and math.isnan(rate):
        raise click.UsageError("--rate must be a number")
    virtual = virtual_options(board, device_noise=device_noise, preset=preset)
    from mtjlearn.board import BoardLost
    from mtjlearn.cli.view import noise as view
    from mtjlearn.cli.view import noise_health
    from mtjlearn.discovery import open_board
    from mtjlearn.runs import Run

    if file is not None:
        _refuse_with_file(board=board, seconds=seconds, codes=codes, burst=burst, set_limits=set_limits or None)
        source = view.read(file, rate, unit, column)
    else:
        for option, value in (("--rate", rate), ("--unit", unit), ("--column", column)):
            if value is not None:
                raise click.UsageError(f"{option} goes with --file; a board says what it samples, and how fast")
        if seconds is not None and codes is not None:
            raise click.UsageError("--seconds and --codes exclude each other")
        if set_limits:
            refuse_what_ends(board)
        if "seed" in board_options(board):
            virtual["seed"] = seed
        with open_board(board, **virtual) as opened:
            source = view.record(opened, SECONDS if seconds is None else seconds, codes, burst)
            if set_limits:
                noise_health.set_limits(opened, source.recording)
            with suppress(BoardLost):  # then the recording ends there, and is kept
                source = replace(source, health=opened.health())
    asked = {"board": board, "file": file, "rate": rate, "seconds": seconds, "codes": codes}
    with Run.create(root, "noise", source.name, seed, {**asked, "burst": source.burst, "virtual": virtual}) as run:
        run.keep()
        result = view.keep(run, source, save, plot, fit)
        run.finish(result)
    return result


@cli.command(short_help="Simulate a recording.")
@click.option(
    "--save", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Write it here (.npz, .pqt, .csv, .f32)."
)
@click.option("--seconds", type=click.FloatRange(0, 86_400, min_open=True), default=3.0, show_default=True, help="How long.")
@click.option("--rate", type=click.FloatRange(1, 1e9), default=40_000.0, show_default=True, help="Samples per second.")
@seed_option
@click.option(
    "--switching", metavar="HZ", type=click.FloatRange(1e-3, 1e9), help="Rate out of each state at balance; 3,530 unless given."
)
@click.option(
    "--barrier", metavar="KT", type=click.FloatRange(1, 100), help="Energy barrier at balance in k_B T, in place of --switching."
)
@click.option(
    "--temperature", metavar="K", type=click.FloatRange(1, 1000), help="Temperature; the barrier stays; 300 unless given."
)
@click.option("--bias", type=click.FloatRange(-1, 1, min_open=True, max_open=True), default=0.0, show_default=True, help=_BIAS)
@click.option("--drive", type=click.Choice(["field", "current"]), default="field", show_default=True, help="What the bias is.")
@click.option("--junctions", metavar="N", type=click.IntRange(1, 1000), default=1, show_default=True, help="Equal junctions.")
@click.option(
    "--wiring", type=click.Choice(["series", "parallel"]), default="series", show_default=True, help="Of several junctions."
)
@click.option("--resistances", metavar="RP,RAP", default="3000,6000", show_default=True, help="Of a junction's two states, ohm.")
@click.option(
    "--supply", metavar="V", type=click.FloatRange(0, 100, min_open=True), default=3.3, show_default=True, help="Divider."
)
@click.option(
    "--series", metavar="OHM", type=click.FloatRange(0, 1e9, min_open=True), default=1e5, show_default=True, help="Resistor."
)
@click.option("--cutoff", metavar="HZ", type=click.FloatRange(0, min_open=True), help="Of a low-pass before the converter.")
@click.option(
    "--observation", metavar="MV", type=click.FloatRange(0, 1000), default=1.0, show_default=True, help="Noise added, rms."
)
@click.option("--bits", type=click.IntRange(1, 16), help="Save codes of a converter with this resolution, not volts.")
@click.option("--reference", metavar="V", type=click.FloatRange(0, 100, min_open=True), help="Its full scale; 5 unless given.")
@command
def simulate(save: Path, **options: Any) -> dict[str, Any]:
    """Simulate junctions in the read-out circuit and save a recording of any length.

    The junctions are those of the paper's bench: 3 and 6 kohm below 100 kohm at 3.3 V. A bias tilts the two barriers, so one
    state lasts longer. A virtual board plays the result: --save noise.f32, then boards start native --voltages noise.f32.
    """
    from mtjlearn.cli.view.noise_simulate import simulated

    return simulated(save, **options)


def _check_targets(save: Path | None, plot: Path | None) -> None:
    for option, path, suffixes in (("--save", save, (".npz", ".f32")), ("--plot", plot, FIGURES)):
        if path is not None and path.suffix.lower() not in suffixes:
            *others, last = suffixes
            raise click.UsageError(f"{option} writes {', '.join(others)} and {last} files; {path} is named otherwise")
        if path is not None and not path.parent.is_dir():
            raise click.UsageError(f"{option}: there is no directory {path.parent}; make it first")


def _refuse_before(name: str) -> None:
    """Options in front of a command of this group, which it would not see."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{parameter.opts[0]} stands before {name} and would be ignored; write it behind, or omit it")


def _refuse_with_file(**options: Any) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(f"{given[0]} is for recording from a board; omit it, or omit --file")
