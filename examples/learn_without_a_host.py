"""A board learns while nobody is connected: hand over the data, close the connection, come back and read the curve.

The virtual board is a process that outlives the connection; a real board simply stays on.
"""

from __future__ import annotations

import time

from mtjlearn.board import Board, Schedule
from mtjlearn.datasets import load, quantise
from mtjlearn.network import Loss, Network
from mtjlearn.virtual.native import start_native


def main() -> None:
    """Prints where the board stands after the host was away, and its losses."""
    network = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.1, seed=1)
    data = quantise(load("iris", seed=1), network)
    with start_native(seed=1) as process:
        with Board.open(process.url) as board:
            board.configure(network)
            board.upload_dataset(data.x_train, data.t_train)
            board.start_autonomous(Schedule(epochs=60, evaluate_every=10))
        print("the host has left")
        while True:
            time.sleep(0.5)
            with Board.open(process.url) as board:
                board.adopt()
                progress = board.progress()
                print(f"epoch {progress.epoch}, {progress.steps:,} steps")
                if not progress.running:
                    break
        with Board.open(process.url) as board:
            board.adopt()
            print("losses:", *(f"{loss:.3f}" for loss in board.curve().losses))
            print(f"test accuracy {board.evaluate(data.x_test, data.t_test).accuracy:.3f}")


if __name__ == "__main__":
    main()
