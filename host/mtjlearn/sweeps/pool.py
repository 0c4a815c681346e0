"""Where runs are computed: in processes of this computer (joblib), on a Dask cluster, or in this process."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, Literal, Protocol

from mtjlearn.errors import install_extra
from mtjlearn.sweeps.points import SweepError

BOARD = "board"
"""The resource of a Dask worker that owns a board."""
_AHEAD = 2
"""Runs submitted per worker: one that runs and one that waits, so that a worker does not wait for this process."""
_IDLE = 60
"""Seconds after which a process without work ends."""
_CONNECT = 10.0
"""Seconds until an address at which nobody answers is given up."""
_WATCH_INTERVAL = 0.5
_COUNT_INTERVAL = 2.0
"""Seconds after which a cluster's workers are counted again."""
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")} | {
    "VECLIB_MAXIMUM_THREADS": "1"
}

Death = Literal["this", "some"]
"""A worker died of this run, or of some run that was under way."""


class Pool(Protocol):
    """Computes functions elsewhere."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Starts a call; its future may be waited for."""

    def slots(self) -> int:
        """Calls that may be under way at once."""

    def restart(self) -> None:
        """After a worker died and took the others with it."""

    def close(self, *, at_once: bool) -> None:
        """Ends the workers; at once: without waiting for what they compute."""

    def death(self, error: BaseException) -> Death | None:
        """Whether the error says that a worker died, and of which run."""

    def check(self) -> None:
        """Called while runs are awaited.

        Raises:
            SweepError: nothing more will come.
        """


class Local:
    """Processes of this computer: joblib's, which also take functions of scripts and notebooks."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor = self._start()

    def _start(self) -> Executor:
        # Its futures can be waited for with a timeout, so that Ctrl-C is obeyed in the middle of a long run, and they report a
        # worker that died; joblib.Parallel does neither.
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.backend.resource_tracker import ensure_running

        # Started here, since before Python 3.12 its start lets Ctrl-C through again.
        if sys.platform != "win32":
            with _without_leak_warnings():
                resource_tracker.ensure_running()
                ensure_running()
        executor: Executor = get_reusable_executor(
            self._workers, env=_ONE_THREAD, timeout=_IDLE, initializer=_end_with, initargs=(os.getpid(),)
        )
        return executor

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """See :class:`Pool`."""
        with _without_interrupts():
            return self._executor.submit(function, *arguments)

    def slots(self) -> int:
        """See :class:`Pool`."""
        return _AHEAD * self._workers

    def restart(self) -> None:
        """See :class:`Pool`."""
        self._executor = self._start()

    def close(self, *, at_once: bool) -> None:
        """See :class:`Pool`. Otherwise the workers stay for the next sweep, and end after a minute without one."""
        if at_once:
            self._executor.shutdown(kill_workers=True)  # type: ignore[call-arg]

    def death(self, error: BaseException) -> Death | None:
        """See :class:`Pool`."""
        from concurrent.futures.process import BrokenProcessPool

        return "some" if isinstance(error, BrokenProcessPool) else None

    def check(self) -> None:
        """See :class:`Pool`."""


class Here:
    """This process, one run after the other."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """See :class:`Pool`."""
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future

    def slots(self) -> int:
        """See :class:`Pool`."""
        return 1

    def restart(self) -> None:
        """See :class:`Pool`."""

    def close(self, *, at_once: bool) -> None:
        """See :class:`Pool`."""

    def death(self, error: BaseException) -> Death | None:
        """See :class:`Pool`."""
        return None

    def check(self) -> None:
        """See :class:`Pool`."""


class Cluster:
    """The workers of a Dask cluster.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        board: each run needs a worker that owns a board.

    Raises:
        SweepError: Dask is missing, nobody answers at the address, or no worker can compute the runs.
    """

    def __init__(self, address: str, *, board: bool) -> None:
        try:
            import distributed
        except ImportError:
            raise SweepError(f"--scheduler needs Dask: {install_extra('sweep')}") from None
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=_CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise SweepError(
                f"no Dask scheduler answers at {address} ({error}); start one with: dask scheduler --host 127.0.0.1"
            ) from None
        self._address = address
        self._board = board
        self._slots, self._counted = 0, -_COUNT_INTERVAL
        try:
            self._check()
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False, **({"resources": {BOARD: 1}} if board else {}))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """See :class:`Pool`."""
        future: Future[Any] = self._executor.submit(function, *arguments)
        return future

    def slots(self) -> int:
        """See :class:`Pool`. Workers may come and go."""
        now = time.monotonic()
        if now - self._counted >= _COUNT_INTERVAL:
            self._slots, self._counted = _AHEAD * max(1, sum(self._capacities())), now
        return self._slots

    def restart(self) -> None:
        """See :class:`Pool`."""

    def close(self, *, at_once: bool) -> None:
        """See :class:`Pool`. What runs there ends by itself, and its result is not kept."""
        with suppress(Exception):
            self._executor.shutdown(wait=False)
        self._client.close()

    def death(self, error: BaseException) -> Death | None:
        """See :class:`Pool`."""
        import distributed
        from distributed.comm.core import CommClosedError

        if isinstance(error, CancelledError | distributed.CancelledError | CommClosedError):
            raise self._gone() from None
        return "this" if isinstance(error, distributed.KilledWorker) else None

    def check(self) -> None:
        """See :class:`Pool`."""
        if self._client.status != "running":
            raise self._gone()

    def _gone(self) -> SweepError:
        return SweepError(f"the scheduler {self._address} is gone; start it again, then the sweep: finished runs are kept")

    def _capacities(self) -> Sequence[int]:
        workers = self._client.scheduler_info(n_workers=-1).get("workers", {}).values()
        if self._board:
            return [int(worker["resources"].get(BOARD, 0)) for worker in workers]
        return [int(worker["nthreads"]) for worker in workers]

    def _check(self) -> None:
        capacities = self._capacities()
        if not capacities:
            raise SweepError(f"the scheduler {self._address} has no workers; start one with: dask worker {self._address}")
        if self._board and not any(capacities):
            start = f"dask worker {self._address} --nthreads 1 --resources {BOARD}=1"
            raise SweepError(f"no worker of {self._address} owns a board; start one with: {start}")
        try:
            versions = set(self._client.run(installed).values())
        except Exception as error:
            raise SweepError(f"a worker of {self._address} cannot use mtjlearn ({error}); install it there") from None
        if strange := versions - {installed()}:
            found = ", ".join(sorted(strange))
            raise SweepError(f"workers of {self._address} have mtjlearn {found}, not {installed()} as here; install that there")


def installed() -> str:
    """The version of mtjlearn here; also asked of the workers of a cluster."""
    return importlib.metadata.version("mtjlearn")


def _end_with(parent: int) -> None:
    """A worker ends when the process that it works for was killed, also in the middle of a long run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_INTERVAL)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _without_leak_warnings() -> Iterator[None]:
    """Trackers that are started within it remove what a process left that was killed or ended at once, and say nothing of it."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, "ignore:resource_tracker:UserWarning")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started within it never see Ctrl-C, which a terminal sends to all: this process alone ends the sweep."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
