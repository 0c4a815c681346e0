"""Computes figures into a run directory, continues an interrupted one, and draws a finished one again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.plots import FigureFormat
from mtjlearn.reproduction.catalogue import FIGURES, Figure
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Progress, Results, compute, cpu_seconds, stored_in, strange_in
from mtjlearn.runs import Run, RunError, read_config, read_meta
from mtjlearn.runs.storage import describe, plain, write_atomic

COMMAND = "reproduce"
ALL = "all"
NUMBERS = "numbers.json"


@dataclass(frozen=True)
class Reproduction:
    """What a reproduction found.

    Args:
        run: the run directory.
        numbers: of each figure, by its name; also in the run's numbers.json.
        plots: the files, by the figure's name.
        seconds: that this call computed for.
        again: pieces that it computed again, because other source code had computed them.
    """

    run: Path
    numbers: dict[str, Any]
    plots: dict[str, Path]
    seconds: float
    again: int = 0


def reproduce(
    name: str,
    options: Options,
    root: Path,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    figures: FigureFormat = "png",
) -> Reproduction:
    """Computes one figure, or all of them.

    Args:
        name: of a figure, or ``all``.
        options: how.
        root: directory of all runs.
        jobs: processes, each of one thread; 0 computes in this one.
        progress: called with what is done.
        figures: what the plots are written as.

    Raises:
        UserError: data, a program or a board is missing; the text says what to do.
        KeyboardInterrupt: the run can be resumed.
    """
    chosen = _chosen(name)
    for figure in chosen:
        figure.check(options)
    run = Run.create(root, COMMAND, name, options.seed, {"figure": name, **options.config()})
    return _carry_out(run, chosen, options, jobs, progress, figures)


def resume(path: Path, *, jobs: int = 1, progress: Progress | None = None, figures: FigureFormat = "png") -> Reproduction:
    """Continues a reproduction that was interrupted; what it computed is not computed again, unless other source code did.

    Raises:
        RunError: it is not an interrupted reproduction.
        UserError: as :func:`reproduce`.
    """
    name, options = _asked(path)
    if read_meta(path)["state"] == "finished":
        raise RunError(f"{path} is finished; --replot {path} draws it again")
    chosen = _chosen(name)
    for figure in chosen:
        figure.check(options)
    run = Run.open(path)
    run.keep()
    return _carry_out(run, chosen, options, jobs, progress, figures)


def redraw(path: Path, *, figures: FigureFormat = "png") -> Reproduction:
    """Draws a finished reproduction again, from what it stored.

    Raises:
        RunError: it is not a reproduction, or not finished.
    """
    name, options = _asked(path)
    if read_meta(path)["state"] != "finished":
        raise RunError(f"{path} is not finished; --resume {path} computes the rest")
    numbers, plots = _draw(path, _chosen(name), options, stored_in(path), figures)
    return Reproduction(path, numbers, plots, 0.0)


def _carry_out(
    run: Run, chosen: list[Figure], options: Options, jobs: int, progress: Progress | None, figures: FigureFormat
) -> Reproduction:
    with run:
        started = time.monotonic()
        pieces = [piece for figure in chosen for piece in figure.pieces(options)]
        again = strange_in(run.path)
        try:
            results = compute(run, pieces, jobs, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted; continue with: mtjlearn reproduce --resume {run.path}") from None
        numbers, plots = _draw(run.path, chosen, options, results, figures)
        seconds = time.monotonic() - started
        run.finish(
            {
                "figures": [figure.name for figure in chosen],
                "seconds": round(seconds, 1),
                "cpu_seconds": cpu_seconds(run.path),
                "numbers": NUMBERS,
            }
        )
    return Reproduction(run.path, numbers, plots, seconds, again)


def _draw(
    path: Path, chosen: Iterable[Figure], options: Options, results: Results, figures: FigureFormat
) -> tuple[dict[str, Any], dict[str, Path]]:
    numbers: dict[str, Any] = {}
    plots: dict[str, Path] = {}
    for figure in chosen:
        try:
            own = {piece.key.partition("/")[2]: results[piece.key] for piece in figure.pieces(options)}
        except KeyError:
            raise RunError(f"{path} lacks a piece of {figure.name}; compute it again") from None
        numbers[figure.name] = figure.numbers(options, own)
        plots[figure.name] = path / f"{figure.name}.{figures}"
        try:
            figure.draw(numbers[figure.name], plots[figure.name])
        except OSError as error:
            raise RunError(describe(plots[figure.name], error)) from None
    try:
        write_atomic(path / NUMBERS, (json.dumps(plain(numbers), allow_nan=False) + "\n").encode())
    except OSError as error:
        raise RunError(describe(path / NUMBERS, error)) from None
    return numbers, plots


def _chosen(name: str) -> list[Figure]:
    if name == ALL:
        return list(FIGURES.values())
    if name not in FIGURES:
        raise RunError(f"{name} is not a figure; use {', '.join(FIGURES)} or {ALL}")
    return [FIGURES[name]]


def _asked(path: Path) -> tuple[str, Options]:
    """Name and options of the reproduction in this directory."""
    if read_meta(path)["command"] != COMMAND:
        raise RunError(f"{path} is not a reproduction; use a run that mtjlearn reproduce made")
    config = read_config(path)
    return str(config.pop("figure", "")), Options.from_config(config)
