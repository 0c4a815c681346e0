"""Interrupts at any moment: ``python tests/soak/interrupts.py [--here N] [--commands N] [--seed N]``.

1. KeyboardInterrupt at random moments in one process that streams, predicts, reads weights, records noise, sets up networks,
   reconnects and opens boards, as in a notebook. After each the board must say what is true: its count of samples is the board's
   own, its network is the board's or unknown, and it answers. Anything else than KeyboardInterrupt counts as a false statement.
2. Ctrl-C at random moments of commands as processes of their own: each ends in one line with exit code 130, or had finished.

It prints how many of what, and each false statement with its traceback.
"""

from __future__ import annotations

import random
import signal
import traceback
from collections import Counter

import numpy as np

from mtjlearn.board import Board, BoardError
from mtjlearn.discovery import open_board
from mtjlearn.network import Network

NETWORKS = (Network((4, 8, 3), seed=1), Network((2, 6, 1), seed=2))
LONGEST = 0.12
"""Seconds until an interrupt, at most: enough for each action to be hit in its middle."""


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
        signal.setitimer(signal.ITIMER_REAL, self.random.uniform(0.0005, LONGEST))
        try:
            try:
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
        """Opens the session anew."""
        board.reconnect()
        board.train(np.ones((100, board.network.sizes[0]), np.int16), np.zeros((100, board.network.target_count), np.int16))

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
