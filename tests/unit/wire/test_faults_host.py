"""The host's link and the real device in C, with a line between them that damages what it carries, on a virtual clock."""

from __future__ import annotations

from random import Random

import pytest
from faulty_link_support import (
    KINDS,
    NETWORK,
    FaultyLine,
    assert_same,
    configure,
    inject,
    learner,
    run_faults,
    samples,
    status,
    teach,
)
from link_support import Rig, train

from mtjlearn.inprocess.device import InProcessDevice

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_alone(kind: str) -> None:
    run_faults(1000, 400, seed=3, kinds=(kind,))


@pytest.mark.parametrize("window", [256, 4096])
def test_other_windows(window: int) -> None:
    run_faults(2000, 300, seed=9, window=window)


@pytest.mark.parametrize("faults", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_many_faults(faults: int) -> None:
    """No corrupt sample is trained, and every acknowledged sample exactly once."""
    rig = run_faults(faults, 400, seed=1)
    assert rig.link.counters.resent > faults
    assert rig.link.counters.received_bad > faults / 5


def test_refused_commands_are_all_reported_whatever_gets_lost() -> None:
    random = Random(4)
    rig = Rig(InProcessDevice(), latency=0.0005)
    rig.open().finish(configure(NETWORK), *inject())
    line = FaultyLine(random, 300)
    rig.up = rig.down = line
    model = learner()
    in_doubt = 0
    for batch in range(200):
        rows = samples(60, batch)
        commands = [train(row.tobytes()) for row in rows]
        refused = {i for i in range(60) if random.random() < 0.2}
        for i in refused:
            commands[i].payload = commands[i].payload[:-2] + b"\0\x80"  # -32768, which no sample may hold
        rig.finish(*commands, limit=1000)
        reported = {i for i, c in enumerate(commands) if c.refusal is not None}
        assert reported >= refused
        in_doubt += len(reported - refused)
        teach(model, rows[[i for i in range(60) if i not in refused]])
        assert status(rig).steps == model.counters.steps
    assert in_doubt < 0.05 * 200 * 60
    assert line.count > 1000
    rig.up = rig.down = lambda data: data
    assert_same(rig, model)
