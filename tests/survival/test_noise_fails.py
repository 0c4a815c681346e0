"""The noise source fails while whole boards learn autonomously, and heals."""

from __future__ import annotations

import time

import pytest
from autonomous_support import XOR, autonomous
from health_support import latency_bound
from plain_client import configure
from survival_support import observer, see, wait

from mtjlearn.board import Board
from mtjlearn.discovery import VIRTUAL
from mtjlearn.inprocess.device import DeviceNoise
from mtjlearn.wire.messages import NoiseFault, Task

RATE = 9615
AFTER = {"native": 1.5, "uno-sim": 8.0, "micropython": 3.0}
"""Seconds of the board's own time, of which a simulated chip makes seven in one."""
SLACK = 0.1
"""Seconds that a board's clock and its converter's count may differ: a busy machine delays the one or loses codes of the other."""
FAULTS = ("stuck", "short", "open", "saturating", "slow", "drifting")


@pytest.mark.parametrize("fault", FAULTS)
def test_no_update_while_the_source_is_broken(name: str, fault: str) -> None:
    lasts = 5.0 if fault == "drifting" else 1.0
    with VIRTUAL[name].start(fault=fault, fault_after=AFTER[name], fault_lasts=lasts) as board:
        Board.open(board.url).close()  # it is up; the observer says everything once
        check(board.url, fault, AFTER[name] * RATE)


def check(url: str, fault: str, began: float) -> None:
    with observer(url) as client:
        client.tell(configure(XOR))
        client.tell(autonomous(Task.XOR))
        while True:
            told = wait(client, lambda seen: seen.health.fault != NoiseFault.NONE).health
            before = see(client)
            if before.health.fault != NoiseFault.NONE and before.health.faults == told.faults:
                break
        assert before.status.steps > 0
        weights = client.weights()
        frozen, until = before, time.monotonic() + 0.3
        while time.monotonic() < until:
            seen = see(client)
            # A source on the brink may look healthy for a window, and is learned from again.
            if seen.health.fault == NoiseFault.NONE or seen.health.faults != before.health.faults:
                break
            frozen = seen
            assert seen.status.steps == before.status.steps
        else:
            again, after = client.weights(), see(client)
            if after.health.fault != NoiseFault.NONE and after.health.faults == before.health.faults:
                assert again == weights
        assert fault == "drifting" or frozen.status.codes > before.status.codes  # time continued
        latency = before.health.fault_code - began
        assert -SLACK * RATE < latency < latency_bound(RATE, DeviceNoise[fault.upper()]) + SLACK * RATE
        healed = wait(client, lambda seen: seen.health.fault == NoiseFault.NONE)
        assert healed.learns
        wait(client, lambda seen: seen.status.steps > healed.status.steps)
