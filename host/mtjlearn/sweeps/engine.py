"""Hands out points to a pool and gives back what came of them, whatever happens to workers, boards and Ctrl-C."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import Any, Self

from mtjlearn import interruption
from mtjlearn.sweeps.measure import FAILED, LOST, Outcome, measure
from mtjlearn.sweeps.points import Point, SweepError
from mtjlearn.sweeps.pool import Cluster, Here, Local, Pool

Task = Callable[[dict[str, Any]], Mapping[str, Any]]
Keep = Callable[[Point, Outcome], None]

_POLL = 0.2
"""Seconds after which Ctrl-C is obeyed, at most."""
_MOST_LOSSES = 3
"""Virtual boards, or boards of a cluster's workers, that vanish one after the other: then no run is begun any more."""
_DIED = "the process that computed it died: out of memory, or a crash in compiled code"


class Engine:
    """Computes a task elsewhere; a context manager that ends the workers, at once after an exception.

    Args:
        task: a function of a module.
        settings: what all runs share.
        scheduler: address of a Dask scheduler; None: processes of this computer.
        workers: processes; None: as many as there are cores; 0: in this process.
        boards: ports, each used by one run at a time.
        board_resource: each run needs a Dask worker with the resource ``board``.
        runs: that will be computed at once, at most.

    Raises:
        SweepError: there is no such cluster, or ports were given for one.
    """

    def __init__(
        self,
        task: Task,
        settings: Mapping[str, Any],
        *,
        scheduler: str | None,
        workers: int | None,
        boards: Iterable[str],
        board_resource: bool,
        runs: int,
    ) -> None:
        ports = list(boards)
        self._task = task
        self._settings = dict(settings)
        self._free = deque(ports) if ports else None
        self._pool = _pool(scheduler, workers, ports, board_resource, runs)
        self._under_way: dict[Future[Outcome], tuple[Point, str | None]] = {}
        self._lost: list[Point] = []
        self._losses = 0

    def compute(self, points: Iterable[Point], keep: Keep) -> None:
        """Computes these points.

        Args:
            points: in the order in which they are begun.
            keep: called with each point and its outcome, as they end.

        Raises:
            SweepError: nothing more can be computed.
            KeyboardInterrupt: what has ended was kept.
        """
        waiting = deque(points)
        while waiting or self._under_way:
            while waiting and len(self._under_way) < self._pool.slots() and (self._free is None or self._free):
                self._submit(waiting.popleft())
            suspects = self._collect(keep)
            if suspects:
                # A worker died. What was under way is computed one by one, so that the run that ends a worker is known.
                while self._under_way:
                    suspects += self._collect(keep)
                for point in suspects:
                    self._compute_alone(point, keep)
            while self._lost:
                waiting.append(self._lost.pop())

    def _compute_alone(self, point: Point, keep: Keep) -> None:
        self._pool.restart()
        self._submit(point)
        died: list[Point] = []
        while self._under_way:
            died += self._collect(keep)
        if died:
            keep(point, Outcome(FAILED, {}, _DIED, None))
            self._pool.restart()

    def _submit(self, point: Point) -> None:
        port = None if self._free is None else self._free.popleft()
        parameters = {**self._settings, **point, **({} if port is None else {"board": port})}
        self._under_way[self._pool.submit(measure, self._task, parameters)] = (point, port)

    def _collect(self, keep: Keep) -> list[Point]:
        """Waits until runs have ended and keeps what came of them; the points that some dead worker may have computed."""
        done: set[Future[Outcome]] = set()
        while not done:
            interruption.check()
            self._pool.check()
            done, _ = wait(self._under_way, _POLL, FIRST_COMPLETED)
        suspects: list[Point] = []
        for future in done:
            point, port = self._under_way.pop(future)
            error = future.exception()
            outcome = None if error is not None else future.result()
            if outcome is not None and outcome.status == LOST:
                self._lose(point, port, outcome)
                continue
            if self._free is not None and port is not None:
                self._free.append(port)
            if outcome is not None:
                self._losses = 0
                keep(point, outcome)
                continue
            assert error is not None
            death = self._pool.death(error)
            if death == "this":
                keep(point, Outcome(FAILED, {}, _DIED, None))
            elif death == "some":
                suspects.append(point)
            else:
                raise SweepError(f"runs cannot be computed there: {type(error).__name__}: {error}") from error
        return suspects

    def _lose(self, point: Point, port: str | None, outcome: Outcome) -> None:
        """A board is gone: its port is not used again, and another board gets the run."""
        self._lost.append(point)
        self._losses += 1
        remaining = len(self._free or ()) + sum(used is not None for _, used in self._under_way.values())
        if remaining == 0 if port is not None else self._losses >= _MOST_LOSSES:
            what = "all boards are lost" if port is not None else f"{self._losses} boards were lost one after the other"
            raise SweepError(f"{what} ({outcome.error}); connect them, then start the sweep again: finished runs are kept")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._pool.close(at_once=kind is not None)


def _pool(scheduler: str | None, workers: int | None, ports: list[str], board_resource: bool, runs: int) -> Pool:
    if scheduler is not None:
        if ports:
            raise SweepError("ports belong to one computer; on a cluster each worker owns its board")
        return Cluster(scheduler, board=board_resource)
    if workers == 0:
        return Here()
    from joblib import cpu_count

    most = min(runs, len(ports)) if ports else runs
    return Local(max(1, min(workers or cpu_count(), most)))
