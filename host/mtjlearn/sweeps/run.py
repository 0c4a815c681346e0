"""Runs a sweep: hands out points, keeps what comes back, and resumes where an earlier call ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtjlearn.sweeps.engine import Engine, Task
from mtjlearn.sweeps.measure import FAILED, Outcome
from mtjlearn.sweeps.points import Point, SweepError, key_of, name_of, normalise
from mtjlearn.sweeps.results import Results, check_pyarrow, gather, in_order, refuse_reserved, write_results
from mtjlearn.sweeps.store import Store

Progress = Callable[[int, int, str], None]


def run_sweep(
    task: Task,
    points: Iterable[Mapping[str, Any]],
    directory: str | Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    settings: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    boards: Iterable[str] | None = None,
    board_resource: bool = False,
    command: Callable[[Point], str] | None = None,
) -> Results:
    """Computes a task for all points that the directory has no result of.

    Whatever ends it, Ctrl-C, a kill, a full disk or a power cut: called again with the same task and directory, it continues, and
    what was kept is not computed again. Points may be added. A run that raises an exception is kept as failed, and the others
    are computed all the same.

    Args:
        task: a function of a module, from a point's parameters (and the settings) to a dictionary of what it found: numbers, texts,
            None, or one-dimensional lists of numbers. All randomness must follow from its parameters.
        points: as :func:`mtjlearn.sweeps.grid` makes them, one parameter usually called ``seed``; each is computed once.
        directory: holds the sweep; made if it does not exist.
        scheduler: address of a Dask scheduler; None: processes of this computer.
        workers: processes; None: as many as there are cores; 0: in this process. A cluster has its own.
        progress: called with runs done, runs in all, and a note.
        settings: what all runs share, given to the task with each point; a sweep with other settings needs another directory.
        retry_failed: compute again what failed.
        boards: ports, each used by one run at a time; the task finds its own as the parameter ``board``.
        board_resource: each run needs a Dask worker with the resource ``board``.
        command: gives a row's column ``command``: what repeats this run by itself.

    Returns:
        The rows of these points, in their order. ``results.parquet`` has those of all points that the directory ever got, sorted by
        the parameters' values.

    Raises:
        SweepError: the directory is in use, holds another sweep, or cannot be written; a package is missing; the cluster is gone.
        KeyboardInterrupt: what was computed is kept.
    """
    asked = normalise(points)
    check_pyarrow()
    settings = dict(settings or {})
    with Store(Path(directory), name_of(task), settings, asked) as store:
        todo = [point for point in asked if _is_open(store, point, retry_failed)]
        computed = failed = 0

        def tell() -> None:
            if progress is not None:
                progress(len(asked) - len(todo) + computed, len(asked), f"{failed} failed" if failed else "")

        def keep(point: Point, outcome: Outcome) -> None:
            nonlocal computed, failed
            refuse_reserved(list(point), outcome.numbers)
            store.add(point, asdict(outcome))
            computed += 1
            failed += outcome.status == FAILED
            tell()

        tell()
        try:
            if todo:
                with Engine(
                    task,
                    settings,
                    scheduler=scheduler,
                    workers=workers,
                    boards=boards or (),
                    board_resource=board_resource,
                    runs=len(todo),
                ) as engine:
                    engine.compute(todo, keep)
        except BaseException:
            with suppress(SweepError):  # the journal has everything
                _write(store, command)
            raise
        _write(store, command)
        return gather(store.directory, store.description, store.records, asked, computed=computed, damaged=store.damaged)


def _is_open(store: Store, point: Point, retry_failed: bool) -> bool:
    record = store.records.get(key_of(point))
    return record is None or (retry_failed and record["status"] == FAILED)


def _write(store: Store, command: Callable[[Point], str] | None) -> None:
    points = in_order(store.description)
    write_results(gather(store.directory, store.description, store.records, points), store.description.settings, command)
