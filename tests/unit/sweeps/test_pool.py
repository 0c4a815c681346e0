"""How many runs a cluster is given ahead."""

from __future__ import annotations

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
