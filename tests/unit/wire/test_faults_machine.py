"""The host's link and the real device in C, driven at random through everything that can happen between them.

The model is the learner without any wire, and the list of samples that were given to the board.
"""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from faulty_link_support import KINDS, WIDTH, FaultyLine, assert_same, configure, inject, learner, split, status, teach
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from link_support import Rig

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardLost
from mtjlearn.wire.session import LinkState

pytestmark = pytest.mark.thorough

Rows = npt.NDArray[np.int16]


class HostAndDevice(RuleBasedStateMachine):
    """Commands, faults, a host that crashes or sleeps, a device that restarts or is not read."""

    @initialize(window=st.sampled_from([256, 1024, 4096]), payload=st.sampled_from([64, 240]))
    def start(self, window: int, payload: int) -> None:
        self.board = InProcessDevice(receive_window=window, max_payload=payload)
        self.rig = Rig(self.board, latency=0.0005)
        self.nonce = 1
        self.pending: list[tuple[Command, Rows]] = []
        self.rig.open()
        self.set_up()

    def set_up(self) -> None:
        self.model = learner()
        commands = self.rig.finish(configure(self.model.network), *inject_in(self.rig))
        assert all(c.done and c.refusal is None for c in commands)

    @precondition(lambda self: self.open)
    @rule(count=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
    def train(self, count: int, seed: int) -> None:
        rows = np.random.default_rng(seed).integers(-4096, 4097, (count, WIDTH)).astype(np.int16)
        for command in split(rows, Random(seed)):
            size = len(command.payload) // (2 * WIDTH)
            self.rig.submit(command)
            self.pending.append((command, rows[:size]))
            rows = rows[size:]

    @rule(seed=st.integers(0, 2**32 - 1), gap=st.integers(60, 600), kind=st.sampled_from([*KINDS, "all"]))
    def faults(self, seed: int, gap: int, kind: str) -> None:
        line = FaultyLine(Random(seed), gap, KINDS if kind == "all" else (kind,))
        self.rig.up = self.rig.down = line
        self.rig.stall = line.stall

    @rule()
    def no_more_faults(self) -> None:
        self.rig.up = self.rig.down = lambda data: data
        self.rig.stall = lambda: 0.0

    @rule(seconds=st.floats(0.0001, 0.1))
    def time_passes(self, seconds: float) -> None:
        self.rig.wait(seconds)
        self.collect()

    @rule()
    def ask(self) -> None:
        self.no_more_faults()
        self.settle()
        assert status(self.rig).steps == self.model.counters.steps

    @rule()
    def compare(self) -> None:
        self.no_more_faults()
        self.settle()
        assert_same(self.rig, self.model)

    @rule(times=st.integers(1, 5))
    def host_stops_reading(self, times: int) -> None:
        self.board.set_room(0)
        for _ in range(times):
            self.rig.wait(0.05)
        self.board.set_room(8192)
        self.rig.wait(0.001)

    @rule()
    def host_crashes(self) -> None:
        self.no_more_faults()
        self.reopen()

    @rule()
    def device_restarts(self) -> None:
        self.board.restart()
        self.no_more_faults()
        before = self.rig.now
        if self.open:
            self.rig.submit(Command.of(messages.GetStatus()))
        self.rig.run(lambda: False, limit=10)
        assert isinstance(self.rig.link.failure, BoardLost)
        assert self.rig.now - before < 2
        self.pending.clear()
        self.nonce += 1
        self.rig.new_link(self.nonce)
        self.rig.open()
        assert status(self.rig).state == messages.State.UNCONFIGURED
        self.set_up()

    @precondition(lambda self: not self.open)
    @rule()
    def reconnect(self) -> None:
        self.no_more_faults()
        self.reopen()

    @invariant()
    def everything_acknowledged_is_known(self) -> None:
        if hasattr(self, "rig"):
            self.collect()

    @property
    def open(self) -> bool:
        return self.rig.link.state is LinkState.OPEN

    def collect(self) -> None:
        """The model learns what is done, in order."""
        while self.pending and self.pending[0][0].done:
            command, rows = self.pending.pop(0)
            assert command.refusal is None
            teach(self.model, rows)
        assert not any(command.done for command, _ in self.pending)

    def settle(self) -> None:
        if self.open:
            self.rig.run(lambda: all(command.done for command, _ in self.pending))
            self.collect()
        if not self.open:
            self.reopen()

    def reopen(self) -> None:
        """A new session; what was on its way was trained up to some sample, each once and in order."""
        self.collect()
        self.nonce += 1
        self.rig.new_link(self.nonce)
        self.rig.open()
        more = status(self.rig).steps - self.model.counters.steps
        on_their_way = [rows for _, rows in self.pending]
        places = np.cumsum([0, *(len(rows) for rows in on_their_way)]).tolist()
        assert more in places
        for rows in on_their_way[: places.index(more)]:
            teach(self.model, rows)
        self.pending.clear()
        assert_same(self.rig, self.model)


def inject_in(rig: Rig) -> list[Command]:
    """The noise codes in frames that the device takes."""
    assert rig.link.welcome is not None
    size = rig.link.welcome.max_payload // 2 * 2
    data = b"".join(command.payload for command in inject())
    return [Command(messages.Inject.TYPE, data[at : at + size]) for at in range(0, len(data), size)]


TestHostAndDevice = HostAndDevice.TestCase
TestHostAndDevice.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
