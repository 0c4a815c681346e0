"""How many runs a cluster is given ahead, and what local workers leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mtjlearn.sweeps import pool
from mtjlearn.sweeps.pool import Cluster


def test_a_cluster_gets_two_runs_for_each_thread_as_workers_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    now, capacities = [100.0], [0]
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(Cluster, "_capacities", lambda self: capacities)
    cluster = Cluster.__new__(Cluster)
    cluster._slots, cluster._counted = 0, 0.0
    # A worker may come: one run waits for it, and one behind.
    assert cluster.slots() == 2
    capacities[:] = [1]
    now[0] += 1.9
    assert cluster.slots() == 2
    capacities[:] = [3, 1]
    assert cluster.slots() == 2
    now[0] += 0.1
    assert cluster.slots() == 8
    capacities[:] = [1]
    now[0] += 2
    assert cluster.slots() == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there, nothing is left behind")
def test_a_process_that_ends_at_once_leaves_neither_semaphores_nor_warnings_of_them() -> None:
    script = (
        "import os; from mtjlearn.sweeps.pool import Local; pool = Local(1); pool.submit(int).result(); "
        "print(os.getpid(), os.environ.get('PYTHONWARNINGS'), flush=True); os._exit(130)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=environment, check=False)
    pid, warnings = ended.stdout.split()
    assert (ended.returncode, ended.stderr, warnings) == (130, "", "None")
    assert not list(Path("/dev/shm").glob(f"sem.loky-{pid}-*"))
