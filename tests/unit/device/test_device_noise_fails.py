"""The noise source fails in the middle of learning: told in time, to the code; no update from then on; and it heals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from autonomous_support import XOR, autonomous
from device_support import samples
from health_support import latency_bound
from plain_client import PlainClient, configure

from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Error, NoiseFault, Task

pytestmark = pytest.mark.thorough

PER_STEP = 16
WINDOW = 1024
FAULTS = [kind for kind in DeviceNoise if kind >= DeviceNoise.STUCK]


def health(client: PlainClient) -> messages.Health:
    return client.ask(messages.GetHealth(), messages.Health)


def stream(client: PlainClient) -> None:
    row = samples(XOR, 1).ravel()
    for answer in client.send(messages.Train.TYPE, messages.Train(row).pack()):
        assert isinstance(answer, messages.Err)
        assert answer.code in (Error.NOISE_FAULT, Error.NOISE_NOT_READY)


@pytest.mark.parametrize("streamed", [False, True], ids=["on its own", "streamed"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_to_the_code_and_stops_all_updates(fault: DeviceNoise, streamed: bool) -> None:
    for seed in range(1, 6):
        board = InProcessDevice(seed=seed, codes_per_step=PER_STEP)

        def read(board: InProcessDevice = board) -> bytes:
            board.poll(1)  # a step a turn
            return board.take()

        client = PlainClient(board.push, read)
        client.tell(configure(XOR))
        if not streamed:
            client.tell(autonomous(Task.XOR))
        go: Callable[[], object] = (lambda client=client: stream(client)) if streamed else lambda board=board: board.poll(5)
        while client.status().steps < 300 + 11 * seed:
            go()
        first = client.status()
        # On its own it takes one more step in the turn in which it answered.
        codes, steps = (first.codes, first.steps) if streamed else (first.codes + PER_STEP, first.steps + 1)
        board.set_noise(fault)
        while health(client).fault == NoiseFault.NONE:
            go()
        found, stopped, weights = health(client), client.status(), client.weights()
        assert 1 <= found.fault_code - codes + 1 <= latency_bound(9615, fault)
        # Each step takes PER_STEP codes; that of the code in question is not trained any more.
        assert stopped.steps - steps == (found.fault_code - codes) // PER_STEP

        for _ in range(200):
            go()
            now, seen = client.status(), health(client)
            # A source on the brink may look healthy for a window, and is learned from again.
            if seen.fault == NoiseFault.NONE or seen.faults != found.faults:
                break
            assert now.steps == stopped.steps
            assert client.weights() == weights
        assert now.codes > stopped.codes + WINDOW // 2  # time continues

        board.set_noise(DeviceNoise.SMTJ)
        healed = client.status()
        while health(client).fault != NoiseFault.NONE:
            go()
            assert client.status().codes - healed.codes <= 3 * WINDOW + 200
        resumed = client.status().steps
        while client.status().steps <= resumed:
            go()
