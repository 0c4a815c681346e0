"""A host that sends anything to the whole program, main.py on its pseudo-terminal: no exception leaves a turn, no restart hides
one, and a true host finds the board at work afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from plain_client import PlainClient, configure

from mtjlearn.board import Board
from mtjlearn.firmware import ToolMissing
from mtjlearn.network import Network
from mtjlearn.virtual.micropython import start_micropython
from mtjlearn.wire import messages

pytestmark = pytest.mark.thorough

NETWORK = Network((3, 4, 2), learning_rate=0.05)
KINDS = [kind for kind in messages.HOST_MESSAGES if kind not in (messages.Hello, messages.Reset)]


def anything(random: Random) -> tuple[int, bytes]:
    """A command with any payload, mostly of a length that its type can have."""
    kind = random.choice(KINDS)
    size = kind.LAYOUT.size + (random.randrange(20) * 10 if kind.TAIL else 0)
    if random.random() < 0.1:
        size = random.randrange(241)
    fills = bytes(size), b"\xff" * size, random.randbytes(size), b"\1\0" * (size // 2 + 1), b"\0\x80" * (size // 2 + 1)
    return random.randrange(128) if random.random() < 0.02 else kind.TYPE, random.choice(fills)[:size]


@pytest.mark.parametrize("viper", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["viper", "bytecode"])
def test_no_exception_leaves_the_program(viper: bool, tool_missing: Callable[[str], None]) -> None:
    random = Random(5)
    try:
        process = start_micropython(virtual_clock=16, viper=viper, arena=4096)
    except ToolMissing as missing:
        tool_missing(str(missing))
    with process:
        with contextlib.closing(process.open_transport()) as transport:
            for nonce in range(1, 7):
                transport.write(random.randbytes(300) + b"\0")
                client = PlainClient(transport.write, lambda: transport.read(0.05), nonce)
                client.tell(configure(NETWORK, injected=nonce % 2 == 0))
                for _ in range(80):
                    kind, payload = anything(random)
                    if kind not in (messages.Hello.TYPE, messages.Reset.TYPE):
                        client.send(kind, payload)
                client.send(messages.Halt.TYPE, b"")
        with Board.open(process.url) as board:
            assert board.info.boot_count == 1
            board.configure(NETWORK, injected=True)
            board.inject(np.tile([30, 40], 100))
            board.train(np.ones((100, 3), np.int16), np.ones((100, 2), np.int16))
            assert board.status().steps == 100
        assert process.last_words() == ""
