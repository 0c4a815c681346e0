"""The noise source fails while whole boards learn on their own, and heals."""

from __future__ import annotations

import time

import pytest
from autonomous_support import XOR, autonomous
from health_support import latency_bound
from plain_client import configure
from survival_support import observer, see, wait

from mtjlearn.discovery import VIRTUAL
from mtjlearn.virtual.memory import DeviceNoise
from mtjlearn.wire.messages import NoiseFault, Task

RATE = 9615
AFTER = 1.5
SLACK = 0.1
"""Seconds that a board's clock and its converter's count may differ: a busy machine delays the one or loses codes of the other."""
KINDS = {
    "stuck": NoiseFault.STUCK,
    "short": NoiseFault.SHORTED,
    "open": NoiseFault.OPEN,
    "saturating": NoiseFault.SATURATING,
    "slow": NoiseFault.TOO_SLOW,
    "drifting": NoiseFault.DRIFTING,
}


@pytest.mark.parametrize("fault", KINDS)
def test_no_update_while_the_source_is_broken(name: str, fault: str) -> None:
    lasts = 5.0 if fault == "drifting" else 1.0
    with VIRTUAL[name].start(fault=fault, fault_after=AFTER, fault_lasts=lasts) as board, observer(board.url) as client:
        client.tell(configure(XOR))
        client.tell(autonomous(Task.XOR))
        before = wait(client, lambda seen: seen.health.fault != NoiseFault.NONE)
        assert before.status.steps > 0
        weights = client.weights()
        told, frozen, until = {before.health.fault}, see(client), time.monotonic() + 0.3
        while time.monotonic() < until:
            seen = see(client)
            if seen.health.fault == NoiseFault.NONE:
                break
            frozen = seen
            told.add(seen.health.fault)
            assert seen.status.steps == before.status.steps
        else:
            assert client.weights() == weights
        assert frozen.status.codes > before.status.codes  # time went on
        began = AFTER * RATE
        latency = before.health.fault_code - began
        print(name, fault, round(latency), latency_bound(RATE, DeviceNoise[fault.upper()]), before.status.steps, told)
        assert -SLACK * RATE < latency < latency_bound(RATE, DeviceNoise[fault.upper()]) + SLACK * RATE
        healed = wait(client, lambda seen: seen.health.fault == NoiseFault.NONE)
        assert healed.learns
        wait(client, lambda seen: seen.status.steps > healed.status.steps)
