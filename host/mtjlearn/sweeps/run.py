"""Runs a sweep: hands out points, keeps what comes back, and resumes where an earlier call ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtjlearn import interruption
from mtjlearn.sweeps.measure import FAILED, Outcome, measure
from mtjlearn.sweeps.points import Point, SweepError, key_of, normalise
from mtjlearn.sweeps.pool import Cluster, Here, Local, Pool
from mtjlearn.sweeps.results import Results, check_pyarrow, gather, in_order, refuse_reserved, write_results
from mtjlearn.sweeps.store import Store

Task = Callable[[dict[str, Any]], Mapping[str, Any]]
Progress = Callable[[int, int, str], None]

_POLL = 0.2
"""Seconds after which Ctrl-C is obeyed, at most."""
_DIED = "the process that computed it died: out of memory, or a crash in compiled code"


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
    ports = list(boards or [])
    settings = dict(settings or {})
    name = f"{task.__module__}:{task.__qualname__}"
    with Store(Path(directory), name, settings, asked) as store:
        todo = [point for point in asked if _is_open(store, point, retry_failed)]
        sweep = _Sweep(store, task, settings, ports, todo, len(asked), progress)
        try:
            if todo:
                sweep.run(todo, _pool(scheduler, workers, ports, board_resource, len(todo)))
        except BaseException:
            with suppress(SweepError):  # the journal has everything
                _write(store, command)
            raise
        _write(store, command)
        return gather(store.directory, store.description, store.records, asked, computed=sweep.computed, damaged=store.damaged)


class _Sweep:
    """One call of run_sweep."""

    def __init__(
        self,
        store: Store,
        task: Task,
        settings: Mapping[str, Any],
        ports: list[str],
        todo: Sequence[Point],
        total: int,
        progress: Progress | None,
    ) -> None:
        self._store = store
        self._task = task
        self._settings = settings
        self._free = deque(ports) if ports else None
        self._progress = progress
        self._under_way: dict[Future[Outcome], tuple[dict[str, Any], str | None]] = {}
        self._total = total
        self._known = total - len(todo)
        self._failed = 0
        self.computed = 0

    def run(self, todo: list[dict[str, Any]], pool: Pool) -> None:
        """Computes these points.

        Raises:
            SweepError, KeyboardInterrupt: what was computed is kept.
        """
        waiting = deque(todo)
        finished = False
        try:
            self._tell()
            while waiting or self._under_way:
                while waiting and len(self._under_way) < pool.slots() and (self._free is None or self._free):
                    self._submit(pool, waiting.popleft())
                suspects = self._collect(pool)
                if suspects:
                    # A worker died. What was under way is computed one by one, so that the run that ends a worker is known.
                    while self._under_way:
                        suspects += self._collect(pool)
                    for point in suspects:
                        self._alone(pool, point)
            finished = True
        finally:
            pool.close(at_once=not finished)

    def _alone(self, pool: Pool, point: dict[str, Any]) -> None:
        pool.restart()
        self._submit(pool, point)
        died: list[dict[str, Any]] = []
        while self._under_way:
            died += self._collect(pool)
        if died:
            self._keep(point, Outcome(FAILED, {}, _DIED, None))
            pool.restart()

    def _submit(self, pool: Pool, point: dict[str, Any]) -> None:
        port = None if self._free is None else self._free.popleft()
        parameters = {**self._settings, **point, **({} if port is None else {"board": port})}
        self._under_way[pool.submit(measure, self._task, parameters)] = (point, port)

    def _collect(self, pool: Pool) -> list[dict[str, Any]]:
        """Waits until a run has ended and keeps what came of it; the points whose worker died."""
        done: set[Future[Outcome]] = set()
        while not done:
            interruption.check()
            pool.check()
            done, _ = wait(self._under_way, _POLL, FIRST_COMPLETED)
        died = []
        for future in done:
            point, port = self._under_way.pop(future)
            if self._free is not None and port is not None:
                self._free.append(port)
            if (error := future.exception()) is None:
                self._keep(point, future.result())
            elif death := pool.died(error):
                if death == "this":
                    self._keep(point, Outcome(FAILED, {}, _DIED, None))
                else:
                    died.append(point)
            else:
                raise SweepError(f"runs cannot be computed there: {type(error).__name__}: {error}") from error
        return died

    def _keep(self, point: dict[str, Any], outcome: Outcome) -> None:
        refuse_reserved(list(point), outcome.numbers)
        self._store.add(point, asdict(outcome))
        self.computed += 1
        self._failed += outcome.status == FAILED
        self._tell()

    def _tell(self) -> None:
        if self._progress is None:
            return
        note = f"{self._failed} failed" if self._failed else ""
        self._progress(self._known + self.computed, self._total, note)


def _is_open(store: Store, point: Point, retry_failed: bool) -> bool:
    record = store.records.get(key_of(point))
    return record is None or (retry_failed and record["status"] == FAILED)


def _pool(scheduler: str | None, workers: int | None, ports: list[str], board_resource: bool, runs: int) -> Pool:
    if scheduler is not None:
        if ports:
            raise SweepError("ports belong to one computer; on a cluster each worker owns its board")
        return Cluster(scheduler, board=board_resource)
    if workers == 0:
        return Here()
    from joblib import cpu_count

    most = min(runs, len(ports)) if ports else runs
    return Local(min(workers or cpu_count(), most))


def _write(store: Store, command: Callable[[Point], str] | None) -> None:
    points = in_order(store.description)
    write_results(gather(store.directory, store.description, store.records, points), store.description.settings, command)
