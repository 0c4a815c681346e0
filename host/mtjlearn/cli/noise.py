"""``mtjlearn noise``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.options import (
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


@click.command()
@board_option
@seed_option
@device_noise_options
@runs_option
@click.option("--file", type=click.Path(path_type=Path), help="Characterise this recording (.npz, .npy, .csv, .txt), not a board.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Samples per second, if the file does not state it.")
@click.option("--seconds", type=click.FloatRange(0, 3600, min_open=True), help=f"How long to record; {SECONDS:g} unless given.")
@click.option("--codes", type=click.IntRange(NOISE_BUFFER, 10_000_000), help="How many codes to record.")
@click.option(
    "--burst",
    type=click.IntRange(0, NOISE_BUFFER),
    help="Record contiguous bursts of this many codes, 0 for all; if omitted, bursts of 200 where the line cannot carry all.",
)
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Also save the recording here (.npz).")
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
    seconds: float | None,
    codes: int | None,
    burst: int | None,
    save: Path | None,
    plot: Path | None,
    set_limits: bool,
) -> dict[str, Any]:
    """Record a board's noise and characterise it.

    Shows the two levels of the junction, how often it switches, how long it remembers, an estimate of its entropy, what
    the board's own tests see, and what to do about the wiring when something is off. A signal that is periodic or
    pseudo-random is unusable, however random its states look. A run directory keeps the recording and a plot. Ctrl-C
    ends a recording early.
    """
    _check_targets(save, plot)
    virtual = virtual_options(board, device_noise=device_noise, preset=preset)
    from mtjlearn.board import BoardLost
    from mtjlearn.cli.view import noise as view
    from mtjlearn.cli.view import noise_health
    from mtjlearn.discovery import open_board
    from mtjlearn.noise import load_recording
    from mtjlearn.runs import Run

    if file is not None:
        _refuse_with_file(board=board, seconds=seconds, codes=codes, burst=burst, set_limits=set_limits or None)
        source = view.Source(file.name, load_recording(file, rate))
    else:
        if rate is not None:
            raise click.UsageError("--rate goes with --file; a board says how fast it samples")
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
        result = view.keep(run, source, save, plot)
        run.finish(result)
    return result


def _check_targets(save: Path | None, plot: Path | None) -> None:
    for option, path, suffix in (("--save", save, ".npz"), ("--plot", plot, ".png")):
        if path is not None and path.suffix.lower() != suffix:
            raise click.UsageError(f"{option} writes {suffix} files; {path} is named otherwise")
        if path is not None and not path.parent.is_dir():
            raise click.UsageError(f"{option}: there is no directory {path.parent}; make it first")


def _refuse_with_file(**options: Any) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(f"{given[0]} is for recording from a board; omit it, or omit --file")
