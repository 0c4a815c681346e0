"""A device that learns autonomously in the in-process device, its codes queued, and the learner alone next to it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from device_support import NO_TESTS
from plain_client import PlainClient, configure, memory_client, set_blob

from mtjlearn.fixedpoint.tasks import Generator, epoch_order, teacher_inputs, xor_samples
from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Loss, Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity, BlobKind, TargetKind, Task

PER_STEP = 7
FILLING = -(-200 // PER_STEP) * PER_STEP
"""Codes that are taken until the buffer is full."""

XOR = Network((2, 3, 1), learning_rate=0.04, seed=5)
TEACHER = Network((2, 2, 2, 1), learning_rate=0.02, seed=6)
CLASSES = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.04, seed=7)


def noise(steps: int, seed: int = 0) -> np.ndarray:
    """Codes of a two-level source for this many steps, shape (FILLING + 7 steps,)."""
    rng = np.random.default_rng(seed)
    count = FILLING + PER_STEP * steps
    return np.where(rng.random(count) < 0.5, 33, 45) + rng.integers(-1, 2, count)


def autonomous(task: Task, **fields: int) -> messages.Autonomous:
    """AUTONOMOUS with no rule, no schedule and no evaluation unless asked for."""
    usual = {
        **dict.fromkeys(("stop_steps", "stop_epochs", "loss_target", "epoch_steps", "halve_every", "evaluate_every"), 0),
        **{"checkpoint_interval": 1800, "live_period": 0, "seed": 9},
    }
    return messages.Autonomous(task=task, **(usual | fields))  # type: ignore[arg-type]


def started(network: Network, codes: np.ndarray, **options: object) -> tuple[InProcessDevice, PlainClient]:
    """A board with this network, to whose converter these codes come, seven a step."""
    board = InProcessDevice(**({"codes_per_step": PER_STEP} | options))  # type: ignore[arg-type]
    board.queue(codes)
    client = memory_client(board)
    client.tell(configure(network))
    client.tell(NO_TESTS)
    return board, client


def beside(network: Network, codes: np.ndarray) -> tuple[Learner, Iterator[np.ndarray]]:
    """The learner alone with the buffer filled, and the codes of each step."""
    learner = Learner(network)
    learner.put_codes(codes[:FILLING])
    return learner, iter(codes[FILLING:].reshape(-1, PER_STEP))


def progress(client: PlainClient) -> messages.Progress:
    """PROGRESS."""
    return client.ask(messages.GetProgress(), messages.Progress)


def run(board: InProcessDevice, client: PlainClient) -> messages.Progress:
    """Lets the device learn until it stops by itself or has no codes left."""
    for _ in range(1000):
        turns = board.poll(1000)
        if turns < 1000:
            break
    return progress(client)


@dataclass
class Samples:
    """What a task trains on, epoch by epoch."""

    task: Task
    network: Network
    seed: int
    epoch_steps: int
    x: np.ndarray | None = None
    targets: np.ndarray | None = None

    def epochs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Inputs and targets of one epoch after the other, in the order of training."""
        generator = Generator(self.seed)
        if self.task is Task.TEACHER:
            teacher = Learner(Network(self.network.sizes, seed=self.seed))
            while True:
                x = teacher_inputs(generator, self.epoch_steps, self.network.sizes[0])
                yield x, teacher.predict(x)
        x, targets = xor_samples() if self.x is None else (self.x, self.targets)
        assert targets is not None
        while True:
            order = epoch_order(generator, len(x))
            yield x[order], targets[order]


def upload(
    client: PlainClient,
    x: np.ndarray,
    classes: np.ndarray,
    *,
    scale: int = 7,
    bits: int = 2,
    kind: TargetKind = TargetKind.CLASSES,
    chunk: int = 100,
) -> bytes:
    """Puts int8 inputs, shape (n, inputs), and classes, shape (n,), into the device's memory; returns the bytes."""
    number = sum(int(value) << bits * index for index, value in enumerate(classes))
    data = x.astype(np.int8).tobytes() + number.to_bytes(-(-len(classes) * bits // 8), "little")
    client.tell(messages.DefineDataset(len(x), 1, scale, kind, bits, zlib.crc32(data)))
    for piece in set_blob(BlobKind.DATASET, data, chunk):
        client.tell(piece)
    return data


def stopped(found: messages.Progress) -> bool:
    """Whether a stopping rule was met."""
    return found.activity == Activity.FINISHED
