"""Learns autonomously with the heap locked: a turn that makes a step and allocates ends the program. The last step of an epoch is
excluded: its mean loss, and here a halved rate, may have more than 30 bits. Runs in MicroPython; its question is how many turns,
and its answer a line for each task: steps, points of the curve, rate, and what a checkpoint keeps.
"""

import binascii
import struct
import sys

import messages
import micropython
from cut_jobs import NETWORKS, SMALL, Shelf, begin_dataset, boot, configure, execute, fill, kept_of

TASKS = ((messages.TASK_XOR, configure((2, 3, 1)), 0), (messages.TASK_TEACHER, NETWORKS[3], 50), (messages.TASK_DATASET, SMALL, 0))
"""Task, network, steps of an epoch."""


class Files:
    """As storage.Folder, next to the answer; what was there before is not."""

    def __init__(self):
        self._names = set()

    def open(self, name, mode):
        if mode == "wb":
            self._names.add(name)
        elif name not in self._names:
            raise OSError(2)
        return open(sys.argv[2] + "_" + name, mode)

    def power_on(self):
        pass


def learned(task, network, epoch_steps, turns):
    """What is kept after this many turns."""
    board = Shelf(16384)
    board.storage = Files()
    device = boot(board)
    execute(device, messages.TYPE_CONFIGURE, network)
    fill(device)
    if task == messages.TASK_DATASET:
        begin_dataset(device)
    else:
        request = struct.pack(messages.LAYOUT_AUTONOMOUS, task, 0, 0, 0, epoch_steps, 100, 3, 0, 0, 9)
        execute(device, messages.TYPE_AUTONOMOUS, request)
    training, lock, unlock = device.autonomous.training, micropython.heap_lock, micropython.heap_unlock
    for _ in range(turns):
        steps = training.activity == messages.ACTIVITY_LEARNING and training.position + 1 < training.epoch_steps
        if steps:
            lock()
        try:
            training.poll()
        finally:
            if steps:
                unlock()
    points = binascii.hexlify(training.curve.points()).decode()
    return training.steps(), training.epoch_loss, training.correct, points, device.net.config.learning_rate, kept_of(device)


def main():
    with open(sys.argv[1]) as question, open(sys.argv[2], "w") as answer:
        turns = int(question.read())
        for task, network, epoch_steps in TASKS:
            answer.write(repr(learned(task, network, epoch_steps, turns)) + "\n")


if __name__ == "__main__":
    main()
