"""What boards learn autonomously while they are measured, without evaluations and checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.bench.workload import Workload, workload
from mtjlearn.board import Schedule
from mtjlearn.network import FRACTION_BITS
from mtjlearn.wire.messages import Task

SAMPLES = 100
"""Of the dataset: shaped like iris, in int8 within an Uno's EEPROM next to two checkpoints."""


@dataclass(frozen=True)
class Autonomous:
    """What a board learns autonomously.

    Args:
        task: TEACHER, XOR or DATASET.
        load: its network.
    """

    task: Task
    load: Workload

    @property
    def name(self) -> str:
        """Of the task, small."""
        return self.task.name.lower()

    @property
    def schedule(self) -> Schedule:
        """Never ends, and does nothing but learn."""
        return Schedule(self.task, epoch_steps=SAMPLES if self.task is Task.TEACHER else 0, checkpoint_interval=0)


TASKS = (
    Autonomous(Task.TEACHER, workload((2, 2, 2, 1))),
    Autonomous(Task.XOR, workload((2, 3, 1))),
    Autonomous(Task.DATASET, workload((4, 8, 3))),
)
"""What is measured."""


def iris_like(load: Workload) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Inputs, shape (SAMPLES, inputs), and one-hot targets, shape (SAMPLES, classes), Q3.12."""
    x, targets = load.samples(SAMPLES)
    return x, np.eye(targets.shape[1], dtype=np.int16)[targets.argmax(axis=1)] << np.int16(FRACTION_BITS)
