"""What is told of a noise fault when it is over: by a refused frame, and by the board after its next start."""

from __future__ import annotations

import numpy as np
from autonomous_support import XOR, autonomous
from device_support import samples
from plain_client import PlainClient, configure, memory_client

from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice
from mtjlearn.wire import messages
from mtjlearn.wire.messages import FAULT_ERROR, Error, NoiseFault, ResetCause, Task

PER_STEP = 16
FRAME = 7


def learning() -> tuple[InProcessDevice, PlainClient]:
    board = InProcessDevice(codes_per_step=PER_STEP)
    client = memory_client(board)
    client.tell(configure(XOR))
    return board, client


def fault_of(client: PlainClient) -> NoiseFault:
    return NoiseFault(client.ask(messages.GetHealth(), messages.Health).fault)


def last_error(board: InProcessDevice) -> int:
    board.restart(ResetCause.WATCHDOG)
    return memory_client(board, nonce=2).welcome.last_error


def test_a_fault_while_a_board_learns_alone_is_its_last_error_after_a_restart() -> None:
    board, client = learning()
    client.tell(autonomous(Task.XOR))
    board.poll(400)
    board.set_noise(DeviceNoise.STUCK)
    while (fault := fault_of(client)) == NoiseFault.NONE:
        board.poll(5)
    assert last_error(board) == FAULT_ERROR | fault


def test_a_frame_that_a_fault_refuses_says_how_many_of_its_samples_were_trained() -> None:
    row = samples(XOR, 1)
    counts = set()
    for before in range(4):
        board, client = learning()
        for _ in range(20):
            client.tell(messages.Train(row.ravel()))
        board.set_noise(DeviceNoise.STUCK)
        for _ in range(before):
            client.tell(messages.Train(row.ravel()))
        steps = client.status().steps
        frame = messages.Train(np.tile(row, (FRAME, 1)).ravel())
        code, detail = client.refused(frame)
        trained, fault = divmod(detail, 256)
        assert (code, fault) == (Error.NOISE_FAULT, fault_of(client))
        assert trained == client.status().steps - steps < FRAME
        counts.add(trained)
        assert last_error(board) == Error.NOISE_FAULT  # the refusal is newer than the fault
    assert len(counts) > 2
