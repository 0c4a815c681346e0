"""A board learns XOR from its own noise: open it, configure a network, stream samples, ask it.

The board is virtual: the firmware as a process, with a simulated junction at its converter. Give a port such as /dev/ttyACM0
to use a real one: python examples/train_a_board.py /dev/ttyACM0
"""

from __future__ import annotations

import sys

import numpy as np

from mtjlearn.discovery import open_board
from mtjlearn.network import Network

ONE = 4096
"""1.0 in the device's numbers, Q3.12."""


def main(name: str) -> None:
    """Trains, and prints the answers of the board before and after."""
    x = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * ONE
    t = np.array([[-1], [1], [1], [-1]]) * ONE
    options = {"virtual_clock": 4, "seed": 1} if name == "native" else {}  # with its virtual clock a run repeats exactly
    with open_board(name, **options) as board:
        board.configure(Network((2, 4, 1), learning_rate=0.04, seed=1))
        print("before:", *np.round(board.predict(x).ravel() / ONE, 2))
        order = np.random.default_rng(1).integers(0, 4, 10_000)
        board.train(x[order], t[order])
        print("after: ", *np.round(board.predict(x).ravel() / ONE, 2))
        print(f"loss {board.evaluate(x, t).loss:.5f} after {len(order):,} steps")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "native")
