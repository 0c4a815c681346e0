"""A power cut at any write of a checkpoint leaves the newest complete one: the one before, or the new one whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from checkpoint_support import CODES, DANP, IRIS, Kept, again, checkpoints, inject, save, train
from plain_client import PlainClient, configure, memory_client

from mtjlearn.network import Network
from mtjlearn.virtual.memory import MemoryBoard
from mtjlearn.wire import messages
from mtjlearn.wire.messages import CheckpointAction, Restored


def cut_everywhere(network: Network, torn: Sequence[int], *, erased_slot: bool, **options: int) -> int:
    """Cuts the power at each write of a save, torn in each of these ways; returns how many cuts there were.

    Before each cut the board boots from the same memory, with checkpoint A, and trains on to state B. The slot that is written
    holds an older checkpoint, of which only the bytes that differ are written, or nothing.
    """
    board = MemoryBoard(arena=2048, max_payload=64, **options)
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
                # And it goes on from there: the next save is whole.
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
