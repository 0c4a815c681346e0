"""A Dask cluster of processes: a scheduler, and workers that own one virtual board each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from places import PROJECT

PATIENCE = 120.0
"""Seconds until a worker that does not come is given up."""


class Cluster:
    """A scheduler with workers of one thread each; a context manager that ends them.

    Args:
        workers: how many.
        environments: variables of each worker; fewer than workers: the others have none of their own.
        resources: of each worker.
    """

    def __init__(self, workers: int = 2, environments: tuple[dict[str, str], ...] = (), resources: str = "board=1") -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        own = [*environments, *[{}] * workers][:workers]
        self._processes = [_start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
        options = ("--nthreads", "1", "--resources", resources, "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        self._processes += [_start("worker", self.address, *options, **variables) for variables in own]
        try:
            self._wait(workers)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends all of it at once."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.kill()

    def _wait(self, workers: int) -> None:
        from distributed import Client

        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), Client(self.address, timeout=5, set_as_default=False) as client:
                if workers:
                    client.wait_for_workers(workers, timeout=max(1.0, deadline - time.monotonic()))
                return
            assert time.monotonic() < deadline, "the cluster does not start"


def _start(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(PROJECT / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables},
    )
