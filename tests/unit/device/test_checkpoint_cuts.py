"""A power cut at any write of a checkpoint leaves the newest complete one: the one before, or the new one whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from autonomous_support import autonomous, progress, upload
from checkpoint_support import CODES, DANP, IRIS, Kept, again, checkpoints, inject, save, slow_client, train
from plain_client import PlainClient, configure, memory_client, set_blob

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity, BlobKind, CheckpointAction, Restored, State, TargetKind, Task

pytestmark = pytest.mark.thorough


def cut_everywhere(network: Network, torn: Sequence[int], *, erased_slot: bool, **options: int) -> int:
    """Cuts the power at each write of a save, torn in each of these ways; returns how many cuts there were.

    Before each cut the board boots from the same memory, with checkpoint A, and trains on to state B. The slot that is written
    holds an older checkpoint, of which only the bytes that differ are written, or nothing.
    """
    board = InProcessDevice(arena=2048, **options)
    client = memory_client(board)
    client.tell(configure(network, injected=True))
    inject(client, CODES[:200])
    for seed in range(3):
        train(client, network, 5, seed)
        save(client)
    before, memory = Kept.of(client), board.memory
    found = checkpoints(client)
    generation = found.generation
    assert generation == 3  # in slot 1, at the end
    if erased_slot:
        memory = b"\xff" * found.slot_bytes + memory[found.slot_bytes :]

    def trained() -> PlainClient:
        board.memory = memory
        client = again(board)
        inject(client, CODES[:200])
        train(client, network, 6, 9)
        return client

    after, cuts = Kept.of(trained()), 0
    for mask in torn:
        for erased in (False, True):
            write = 0
            while True:
                write += 1
                client = trained()
                board.cut_power(write, mask, erased=erased)
                client.push(messages.Checkpoint.TYPE, messages.Checkpoint(CheckpointAction.SAVE).pack())
                board.poll()
                if not board.is_dead:
                    board.cut_power(0)
                    break
                cuts += 1
                client = again(board)
                welcome, found = client.welcome, checkpoints(client)
                kept = Kept.of(client)
                if found.generation == generation:
                    assert kept == before, (mask, erased, write)
                    assert welcome.restored in (Restored.OLDER, Restored.NEWEST)
                else:
                    assert found.generation == generation + 1
                    assert kept == after, (mask, erased, write)
                    assert welcome.restored == Restored.NEWEST
                # And it continues from there: the next save is whole.
                save(client)
                assert Kept.of(again(board)) == kept
            # Uncut, the last write made it the newest.
            assert Kept.of(again(board)) == after
    return cuts


# 10,000 cuts and more in all. Nothing is written, all of it is, and bits in between.
TORN = (0x00, 0xFF, 0x0F, 0xA5, 0x01, 0x7E)


@pytest.mark.parametrize(
    ("network", "torn", "erased_slot", "least"),
    [
        (Network((2, 3, 1)), (*TORN, 0x80, 0x55), True, 2200),
        (IRIS, TORN, True, 2900),
        (DANP, TORN, True, 3000),
        (Network((2, 3, 1)), TORN, False, 300),
        (IRIS, TORN, False, 900),
        (DANP, TORN, False, 900),
    ],
    ids=["2-3-1", "4-8-3", "danp", "2-3-1 over another", "4-8-3 over another", "danp over another"],
)
def test_a_power_cut_at_any_write_leaves_the_newest_complete_one(
    network: Network, torn: Sequence[int], erased_slot: bool, least: int
) -> None:
    assert cut_everywhere(network, torn, erased_slot=erased_slot) >= least


@pytest.mark.parametrize(("network", "block"), [(IRIS, 256), (IRIS, 1024), (DANP, 128)], ids=str)
def test_a_power_cut_while_a_block_is_written(network: Network, block: int) -> None:
    assert cut_everywhere(network, (0, 1, 64, 128, 200, 254, 255), erased_slot=False, memory_block=block) >= 14


# --- a network of another size ---

SMALL = Network((2, 2, 1), seed=8)


class PowerIsOff(Exception):
    """The board takes no byte any more."""


def cut_client(board: InProcessDevice) -> PlainClient:
    """A session that ends with the power."""

    def read() -> bytes:
        board.poll()
        if board.is_dead:
            raise PowerIsOff
        return board.take()

    return PlainClient(board.push, read, 3)


def fill_dataset(client: PlainClient, room: int) -> None:
    """A dataset of SMALL: two int8 inputs and a sign of one bit, as many as there is room for."""
    count = room * 8 // 17
    rng = np.random.default_rng(4)
    upload(client, rng.integers(-60, 61, (count, 2)), rng.integers(0, 2, count), bits=1, kind=TargetKind.SIGNS)


def learn_small(client: PlainClient) -> None:
    """From nothing to autonomous learning: the new dataset lies across both slots of the old network."""
    client.tell(configure(SMALL))
    fill_dataset(client, progress(client).room)
    client.tell(autonomous(Task.DATASET))


def save_larger(client: PlainClient) -> None:
    """Its slots lie across the dataset of the old network."""
    client.tell(configure(IRIS))
    save(client)
    save(client)


def load_larger(client: PlainClient) -> None:
    """As above, but uploaded."""
    for chunk in set_blob(BlobKind.CHECKPOINT, LARGER, 50):
        client.tell(chunk)


def uploadable(network: Network) -> bytes:
    """A checkpoint of this network, from another board."""
    client = memory_client(InProcessDevice())
    client.tell(configure(network))
    save(client)
    return client.blob(BlobKind.CHECKPOINT)


LARGER = uploadable(IRIS)


def old_large(memory_bytes: int) -> InProcessDevice:
    """Two checkpoints of 4-8-3, the newest in either slot."""
    board = InProcessDevice(memory_bytes=memory_bytes, arena=2048)
    client = memory_client(board)
    client.tell(configure(IRIS))
    save(client)
    save(client)
    return board


def old_small(memory_bytes: int) -> InProcessDevice:
    """Halted while it learned from a dataset, with two checkpoints."""
    board = InProcessDevice(memory_bytes=memory_bytes, arena=2048)
    client = memory_client(board)
    client.tell(configure(SMALL))
    fill_dataset(client, 232)
    client.tell(autonomous(Task.DATASET))
    client.tell(messages.Halt())
    return board


@pytest.mark.parametrize("saves", [0, 1], ids=["newest in 0", "newest in 1"])
@pytest.mark.parametrize(
    ("start", "change", "memory_bytes", "least"),
    [(old_large, learn_small, 500, 300), (old_small, save_larger, 500, 300), (old_small, load_larger, 1000, 160)],
    ids=["smaller slots and a dataset", "larger slots", "a larger checkpoint"],
)
def test_a_power_cut_at_any_write_of_a_change_of_network_leaves_a_state(
    start: Callable[[int], InProcessDevice], change: Callable[[PlainClient], None], memory_bytes: int, least: int, saves: int
) -> None:
    board = start(memory_bytes)
    for _ in range(saves):
        save(memory_client(board, 2))
    memory, old, write, uploaded = board.memory, progress(memory_client(board, 3)), 0, change is load_larger
    seen = set()
    while True:
        write += 1
        board.memory = memory
        board.restart()
        client = cut_client(board)
        assert client.welcome.restored in (Restored.NEWEST, Restored.OLDER)
        board.cut_power(write, TORN[write % len(TORN)], erased=write % 3 == 0)
        try:
            change(client)
        except PowerIsOff:
            client = again(board)
            assert client.status().state == State.READY, write
            assert client.welcome.restored in (Restored.NEWEST, Restored.OLDER, Restored.NO_DATASET), write
            found = progress(client)
            seen.add((found.task, found.samples))
            # An upload does not touch the dataset in use.
            assert not uploaded or (found.task, found.samples) in {(Task.DATASET, old.samples), (Task.NONE, 0)}, write
            continue
        board.cut_power(0)
        break
    assert write > least
    assert uploaded or len(seen) > 1
    client = again(board)
    assert client.welcome.restored in (Restored.NEWEST, Restored.OLDER)
    assert progress(client).activity == (Activity.LEARNING if change is learn_small else Activity.IDLE)


@pytest.mark.parametrize("latency", [0, 3])
def test_acknowledged_is_in_the_memory(latency: int) -> None:
    """The power is cut with the acknowledgement of AUTONOMOUS, HALT and of a checkpoint's last chunk."""
    board = InProcessDevice(memory_latency=latency)
    client = slow_client(board, 1)
    client.tell(configure(SMALL))
    client.tell(autonomous(Task.XOR))
    client = again(board, 3)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NEWEST, Activity.LEARNING)
    client = slow_client(board, 1)
    client.tell(messages.Halt())
    client = again(board, 3)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NEWEST, Activity.HALTED)
    client = slow_client(board, 1)
    load_larger(client)
    client = again(board, 3)
    assert client.blob(BlobKind.WEIGHTS) == LARGER[116:]
