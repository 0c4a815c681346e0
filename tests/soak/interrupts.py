"""Interrupts at any moment: ``make soak-interrupts ARGS="[--here N] [--commands N] [--seed N]"``.

1. KeyboardInterrupt at random moments in one process that streams, predicts, reads weights, records noise, sets up networks,
   reconnects and opens boards, as in a notebook. After each the board must say what is true: its count of samples is the board's
   own, its network is the board's or unknown, and it answers. Anything else than KeyboardInterrupt counts as a false statement.
2. Ctrl-C at random moments of commands as processes of their own: each ends in one line with exit code 130, or had finished.

It prints how many of what, and each false statement with its traceback.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtjlearn.board import Board, BoardError
from mtjlearn.discovery import open_board
from mtjlearn.network import Network
from mtjlearn.runs import list_runs
from mtjlearn.virtual.native import start_native

NETWORKS = (Network((4, 8, 3), seed=1), Network((2, 6, 1), seed=2))
LONGEST = 0.12
"""Seconds until an interrupt, at most: enough for each action to be hit in its middle."""
AGAIN = 1.0
"""Seconds until the next one, where Python has swallowed it: it ignores what is raised in a destructor."""


class Notebook:
    """One process with one board that goes from interrupt to interrupt."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.lies: list[str] = []
        self.board: Board | None = None

    def interrupt(self) -> None:
        """One action, interrupted at a random moment, and what the board says after it."""
        if self.board is None:
            self.board = open_board("native", virtual_clock=4)
            self.board.configure(NETWORKS[0])
        others = (self.predict, self.weights, self.noise, self.configure, self.reconnect, self.reopen)
        action = self.random.choice((*[self.train] * 3, *others))
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, self.random.uniform(0.0005, LONGEST), AGAIN)
                action(self.board)
                while True:  # the interrupt is still to come
                    self.board.status()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            self.counts["interrupts"] += 1
        except Exception:
            self.lie(f"{action.__name__}: {traceback.format_exc()}")
        self.counts[action.__name__] += 1
        try:
            self.check()
        except Exception:
            self.lie(f"after {action.__name__}: {traceback.format_exc()}")
            self.forget()

    def check(self) -> None:
        """What the board object says is what the board says, or it is closed and says so."""
        board = self.board
        if board is None:
            return
        try:
            status = board.status()
        except BoardError as error:
            if "closed" not in str(error):
                raise
            self.counts["closed"] += 1
            self.forget()
            return
        if board.network is None:
            self.counts["network unknown"] += 1
            board.configure(NETWORKS[0])
            status = board.status()
        assert board.acknowledged_samples == status.steps, (board.acknowledged_samples, status.steps)
        assert board.weights()[0].shape == (board.network.sizes[1], board.network.sizes[0] + 1)

    def lie(self, text: str) -> None:
        """Notes what should not have been said."""
        self.lies.append(text)

    def forget(self) -> None:
        """Closes the board; the next interrupt opens another."""
        if self.board is not None:
            self.board.close()
        self.board = None

    # --- what is interrupted ---

    def train(self, board: Board) -> None:
        """Streams samples."""
        network = board.network
        count = 20_000
        x = np.ones((count, network.sizes[0]), np.int16)
        board.train(x, np.zeros((count, network.target_count), np.int16))

    def predict(self, board: Board) -> None:
        """Asks for many outputs."""
        board.predict(np.ones((5000, board.network.sizes[0]), np.int16))

    def weights(self, board: Board) -> None:
        """Reads and writes all weights."""
        while True:
            board.set_weights(board.weights())

    def noise(self, board: Board) -> None:
        """Records noise."""
        board.noise(200)

    def configure(self, board: Board) -> None:
        """Changes between networks."""
        for _ in range(20):
            board.configure(self.random.choice(NETWORKS))

    def reconnect(self, board: Board) -> None:
        """Opens the session again."""
        board.reconnect()
        board.train(np.full((100, board.network.sizes[0]), 4096, np.int16), np.zeros((100, board.network.target_count), np.int16))

    def reopen(self, board: Board) -> None:
        """Opens another board."""
        board.close()
        self.board = None
        self.board = open_board("native", virtual_clock=4)
        self.board.configure(NETWORKS[0])


def here(count: int, seed: int) -> Notebook:
    """The first part."""
    before = signal.signal(signal.SIGALRM, _raise)
    notebook = Notebook(seed)
    try:
        for _ in range(count):
            notebook.interrupt()
        notebook.forget()
    finally:
        signal.signal(signal.SIGALRM, before)
    return notebook


def _raise(number: int, frame: object) -> None:
    raise KeyboardInterrupt


COMMANDS = {
    "train": ["train", "xor", "--board", "native", "--epochs", "300", "--no-reference"],
    "train next to": ["train", "iris", "--board", "native", "--epochs", "30"],
    "train alone": ["train", "iris", "--rule", "bp", "--epochs", "200"],
    "autonomous start": ["autonomous", "start", "--task", "xor", "--board", "URL"],
    "autonomous status": ["autonomous", "status", "--board", "URL"],
    "autonomous watch": ["autonomous", "watch", "--board", "URL"],
    "checkpoint save": ["checkpoint", "save", "kept", "--board", "URL"],
    "noise": ["noise", "--board", "native", "--seconds", "2"],
    "validate": ["validate", "--board", "native", "--short"],
    "sweep": ["sweep", "xor", "--over", "eta=.1,.2", "--seeds", "0:40", "--epochs", "2"],
    "search": ["sweep", "xor", "--search", "40", "--over", "eta=log:.1:1", "--epochs", "2"],
    "boards": ["boards"],
    "boards native": ["boards", "--board", "native"],
    "boards start": ["boards", "start", "native"],
    "demo": ["demo"],
    "runs": ["runs"],
}
MAIN = "from mtjlearn.entry import main; print('begun', flush=True); main()"
MOMENTS = 6.0
"""Seconds after its begin in which a command is interrupted."""
PATIENCE = 60.0
ENDS = ("mtjlearn: ", "the board continues to learn", "interrupted; continuing with the ")
"""What an interrupted command says last; noise goes on to its result with the codes that it has."""


def interrupt_command(name: str, after: float) -> str:
    """What came of Ctrl-C in a command: ``one line``, ``finished``, or what is wrong."""
    with start_native(tcp_port=0) as board, tempfile.TemporaryDirectory() as folder:
        if name.startswith(("autonomous", "checkpoint")):
            with Board.open(board.url) as opened:
                opened.configure(Network((2, 4, 1)))
                opened.save_checkpoint()
        command = [sys.executable, "-c", MAIN, *(board.url if word == "URL" else word for word in COMMANDS[name])]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            process_group=0,
            preexec_fn=_as_in_a_shell,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # Python has started; what it says of an interrupt before that is its own
            time.sleep(after)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                return "no end"
        states = [run.state for run in list_runs(Path(folder) / "runs")]
    if "Traceback" in errors:
        return f"traceback: {errors[-600:]}"
    if process.returncode == 0:
        return "finished"
    if process.returncode == -signal.SIGINT:
        return "finished"  # Python was on its way out, without a handler any more
    if process.returncode != 130 or not errors.rstrip().splitlines()[-1].startswith(ENDS):
        return f"exit code {process.returncode}: {errors[-300:]}"
    return "one line" if all(state in ("interrupted", "finished") for state in states) else f"runs are {states}"


def _as_in_a_shell() -> None:
    """A background job's children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def commands(count: int, seed: int) -> Counter[str]:
    """The second part; what came of each command, by how it ended."""
    chance = random.Random(seed)
    found: Counter[str] = Counter()
    for number in range(count):
        name = list(COMMANDS)[number % len(COMMANDS)]
        after = chance.uniform(0.0, MOMENTS)
        end = interrupt_command(name, after)
        found[end.split(":")[0]] += 1
        if end not in ("one line", "finished"):
            print(f"{name} after {after:.2f} s: {end}", flush=True)
    return found


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--here", type=int, default=10_000)
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    notebook = here(options.here, options.seed)
    for lie in notebook.lies:
        print(lie)
    print(f"seed {options.seed}: {dict(notebook.counts)}, {len(notebook.lies)} false statements, {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    found = commands(options.commands, options.seed)
    print(f"{options.commands} commands: {dict(found)}, {time.monotonic() - begun:.0f} s")
    return int(bool(notebook.lies or found.keys() - {"one line", "finished"}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
