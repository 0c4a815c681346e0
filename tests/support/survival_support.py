"""A board in a process of its own, hosts in others, and an observer that needs no lock on the port."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plain_client import PlainClient

from mtjlearn.board import Board
from mtjlearn.datasets import quantise
from mtjlearn.training import default_plan
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity

PATIENCE = 120.0
"""Seconds; shared machines stall."""
PROGRAM = Path(sys.executable).with_name("mtjlearn")
TURN = 0.005
_nonces = itertools.count(1000)


def host(*arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own, its --json on a pipe."""
    command = [PROGRAM, *map(str, arguments), "--json"]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a command that ends well printed last."""
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return dict(json.loads(out.splitlines()[-1]))


def wait_for_port(process: subprocess.Popen[str], url: str) -> None:
    """Until the process has opened the pseudo-terminal."""
    until = time.monotonic() + PATIENCE
    while url not in map(_file_of, Path(f"/proc/{process.pid}/fd").iterdir()):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)


def _file_of(descriptor: Path) -> str | None:
    """None: closed meanwhile."""
    with suppress(FileNotFoundError):
        return os.readlink(descriptor)
    return None


def stop(process: subprocess.Popen[str]) -> None:
    """SIGSTOP, until no thread of the process runs any more: one that still does would read another host's answers."""
    process.send_signal(signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


@contextmanager
def board_process(name: str, *options: object) -> Iterator[str]:
    """``mtjlearn boards start`` until the end of the block; its pseudo-terminal."""
    process = host("boards", "start", name, *options)
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        assert process.poll() is None, "the board has not outlived its hosts"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@dataclass(frozen=True)
class Seen:
    """What a board reports about itself at once."""

    status: messages.Status
    progress: messages.Progress
    health: messages.Health

    @property
    def learns(self) -> bool:
        """Whether it learns autonomously, or evaluates meanwhile."""
        return self.progress.activity in (Activity.LEARNING, Activity.EVALUATING)


@contextmanager
def observer(url: str) -> Iterator[PlainClient]:
    """A session over a pseudo-terminal that another process may hold locked, and may have stopped reading."""
    port = os.open(url, os.O_RDWR | os.O_NOCTTY)

    def read() -> bytes:
        ready, _, _ = select.select([port], [], [], TURN)
        return os.read(port, 4096) if ready else b""

    try:
        yield PlainClient(lambda data: os.write(port, data), read, next(_nonces))
    finally:
        os.close(port)


def see(client: PlainClient) -> Seen:
    """STATUS, PROGRESS and HEALTH, in this order: steps counted under a fault that lasts are steps under that fault."""
    status, progress = client.status(), client.ask(messages.GetProgress(), messages.Progress)
    return Seen(status, progress, client.ask(messages.GetHealth(), messages.Health))


def wait(client: PlainClient, enough: Callable[[Seen], bool]) -> Seen:
    """Asks until it is so; bytes that flow let uno-sim run as fast as it can."""
    until = time.monotonic() + PATIENCE
    while True:
        seen = see(client)
        if enough(seen):
            return seen
        assert time.monotonic() < until, seen


def accuracy_on_test(url: str, seed: int) -> float:
    """Of the network that the board has learned, on iris' test part."""
    plan = default_plan("iris", seed=seed)
    with Board.open(url) as board:
        network = board.adopt()
        data = quantise(plan.dataset, network)
        found = board.evaluate(data.x_test, data.t_test)
    return found.correct / found.samples
