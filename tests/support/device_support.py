"""Devices on the in-process device, set up for a test."""

from __future__ import annotations

import numpy as np
from plain_client import PlainClient, configure, memory_client

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.wire import messages

CODES = np.random.default_rng(0).integers(30, 60, 5000)
SMALL = Network((2, 3, 1), learning_rate=0.05)
CLASSES = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.05)
DECORRELATED = Network((3, 4, 2), decorrelate=(True, True), decorrelation_rate=0.001, weight_format=WeightFormat.INT32)


def samples(network: Network, count: int, seed: int = 1) -> np.ndarray:
    """Samples that fit a network, shape (count, inputs + targets)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-4096, 4097, (count, network.sizes[0]))
    if network.loss is Loss.CROSS_ENTROPY:
        return np.hstack([x, rng.integers(0, network.sizes[-1], (count, 1))])
    return np.hstack([x, rng.integers(-4096, 4097, (count, network.sizes[-1]))])


NO_TESTS = messages.SetHealth(2, 0, 0, 0, 0, 0)


def opened(network: Network | None = SMALL, *, injected: bool = True, **options: object) -> tuple[InProcessDevice, PlainClient]:
    """A board with a session, configured, its noise buffer filled."""
    board = InProcessDevice(**options)  # type: ignore[arg-type]
    client = memory_client(board)
    if network is not None:
        client.tell(configure(network, injected=injected))
        if not injected:
            client.tell(NO_TESTS)  # CODES have no two levels
        if injected:
            for start in range(0, 200, 25):
                client.tell(messages.Inject(CODES[start : start + 25]))
    return board, client


def trained(client: PlainClient, network: Network, rows: np.ndarray) -> None:
    per_frame = 120 // rows.shape[1]
    for start in range(0, len(rows), per_frame):
        client.tell(messages.Train(rows[start : start + per_frame].ravel()))
