"""The power of a simulated Uno is cut while it saves a checkpoint; what its next start comes up with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from chip_support import Chip, Host

from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.messages import BlobKind, CheckpointAction, Restored

MOST_CYCLES = 64_000_000
"""Within which a save has come to its end, or to the cut."""


@dataclass(frozen=True)
class Kept:
    """What must outlive the power: counters and weights."""

    steps: int
    skipped: int
    saturations: int
    random_state: int
    weights: bytes

    @classmethod
    def of(cls, host: Host) -> Kept:
        status = host.status()
        weights = b""
        while True:
            chunk = host.do(messages.GetBlob(BlobKind.WEIGHTS, len(weights)))
            weights += chunk.data
            if len(weights) == chunk.total:
                return cls(status.steps, status.skipped, status.saturations, status.random_state, weights)


def switched_on(eeprom: bytes | None, seed: int) -> Host:
    """A chip with this EEPROM, its RAM drawn from the seed, and a session."""
    chip = Chip(eeprom=eeprom, seed=seed)
    chip.hurry()
    return Host(chip)


def train(host: Host, sizes: Sequence[int], frames: int = 2) -> None:
    """Four random samples a frame."""
    rng = np.random.default_rng(frames)
    rows = rng.integers(-4096, 4097, (frames, 4 * (sizes[0] + sizes[-1]))).astype(np.int16)
    host.stream([Command.of(messages.Train(row)) for row in rows])


def save(host: Host) -> None:
    """Returns when it is saved."""
    host.do(messages.Checkpoint(CheckpointAction.SAVE))


def save_until_cut(host: Host, write: int, seed: int) -> bool:
    """Saves with the power cut at this write; False: the save had no such write and is complete."""
    chip = host.chip
    chip.cut_power(write, seed)
    command = Command.of(messages.Checkpoint(CheckpointAction.SAVE))
    host.link.submit(command, chip.seconds)
    end = chip.cycle() + MOST_CYCLES
    while not command.done and not chip.is_cut():
        assert chip.cycle() < end
        host.turn(16_000)
    return bool(chip.is_cut())


@dataclass
class Cuts:
    """What came of them."""

    cuts: int = 0
    before: int = 0
    """Starts with the checkpoint before."""
    after: int = 0
    """Starts with the one that was being saved."""


def cut_everywhere(sizes: Sequence[int], *, over_another: bool, save_after: bool, round_: int = 0, stride: int = 1) -> Cuts:
    """Cuts the power at each write of a save, each torn in another way, and switches the chip on again.

    Before each cut the chip boots with checkpoint A and trains on; the codes of its noise are those of the seed, so that all
    saves are alike.

    Args:
        sizes: of the network.
        over_another: the slot that is written holds an older checkpoint, of which the bytes that differ are written.
        save_after: the board that was cut saves again, and boots with that.
        round_: another tears the bytes in other ways.
        stride: 3 cuts at the first write and at every third from there on.
    """
    host = switched_on(None, 1)
    host.configure(*sizes)
    for _ in range(2 if over_another else 1):
        train(host, sizes)
        save(host)
    before, memory = Kept.of(host), host.chip.eeprom
    generation = host.do(messages.GetCheckpoint()).generation
    found, write = Cuts(), 1
    while True:
        host = switched_on(memory, 7)
        assert Kept.of(host) == before
        train(host, sizes, 3)
        after = Kept.of(host)
        assert after.steps == before.steps + 12
        if not save_until_cut(host, write, seed=write + 65536 * round_):
            break
        found.cuts += 1
        host = switched_on(host.chip.eeprom, 1000 + write)
        checkpoint, kept, restored = host.do(messages.GetCheckpoint()), Kept.of(host), host.welcome.restored
        if checkpoint.generation == generation:
            found.before += 1
            assert kept == before, write
            assert restored in (Restored.OLDER, Restored.NEWEST)
        else:
            found.after += 1
            assert checkpoint.generation == generation + 1, write
            assert (kept, restored) == (after, Restored.NEWEST), write
        train(host, sizes, 1)
        assert host.status().steps == kept.steps + 4
        if save_after:
            kept = Kept.of(host)
            save(host)
            host = switched_on(host.chip.eeprom, 2000 + write)
            assert (Kept.of(host), host.welcome.restored) == (kept, Restored.NEWEST), write
        write += stride
    host = switched_on(host.chip.eeprom, 3000)
    assert Kept.of(host) == after
    return found
