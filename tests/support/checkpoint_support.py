"""Networks that are trained by hand, saved and found again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from device_support import samples
from plain_client import PlainClient, memory_client

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.messages import CHECKPOINT_COMMIT, CHECKPOINT_FORMAT, BlobKind, CheckpointAction

CODES = np.random.default_rng(3).integers(30, 60, 20_000)
COMMIT = CHECKPOINT_COMMIT | CHECKPOINT_FORMAT
DANP = Network((3, 4, 2), weight_format=WeightFormat.INT32, decorrelate=(True, True), learning_rate=0.01, decorrelation_rate=2**-10)
EXACT = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, rule="anp-exact", learning_rate=2**-5)
FEEDBACK = Network((3, 4, 5, 2), rule="feedback", slope=2, normalised=False, antithetic=True, learning_rate=2**-5)
IRIS = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.05)


def inject(client: PlainClient, codes: np.ndarray) -> None:
    per_frame = client.welcome.max_payload // 2
    for start in range(0, len(codes), per_frame):
        client.tell(messages.Inject(codes[start : start + per_frame]))


def train(client: PlainClient, network: Network, steps: int, seed: int) -> None:
    rows = samples(network, steps, seed)
    per_frame = 28 // rows.shape[1]
    for start in range(0, steps, per_frame):
        inject(client, CODES[7 * start : 7 * start + 7])
        client.tell(messages.Train(rows[start : start + per_frame].ravel()))


def save(client: PlainClient) -> None:
    client.tell(messages.Checkpoint(CheckpointAction.SAVE))


def checkpoints(client: PlainClient) -> messages.Checkpoints:
    return client.ask(messages.GetCheckpoint(), messages.Checkpoints)


@dataclass(frozen=True)
class Kept:
    """All that a checkpoint keeps of a network."""

    steps: int
    random_state: int
    weights: bytes
    matrices: bytes

    @classmethod
    def of(cls, client: PlainClient) -> Kept:
        status = client.status()
        return cls(status.steps, status.random_state, client.weights(), client.blob(BlobKind.DECORRELATION))


def again(board: InProcessDevice, nonce: int = 2) -> PlainClient:
    board.restart()
    return memory_client(board, nonce)


def slow_client(board: InProcessDevice, turns: int) -> PlainClient:
    """A session that gives the device few turns at a time."""

    def read() -> bytes:
        board.poll(turns)
        return board.take()

    return PlainClient(board.push, read, 2)
