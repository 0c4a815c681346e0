"""The board's checkpoints: what is in its memory, saving, loading, and taking over the network that a board came up with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from mtjlearn.board.base import BoardBase
from mtjlearn.board.checkpoint_file import CheckpointContent, CheckpointError
from mtjlearn.network import DEFAULT_SLOPES, Loss, Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.errors import BoardError, BoardRefused
from mtjlearn.wire.messages import BlobKind, CheckpointAction, Error, Features, Restored, State

_READINGS = 5
"""Attempts to read a checkpoint while the board writes newer ones."""


@dataclass(frozen=True)
class CheckpointState:
    """The checkpoints in the board's memory.

    Args:
        generation: of the newest; each save counts one; 0: none.
        slot_bytes: of a checkpoint of this network; 0: no network.
        missing: bytes of memory missing for two of them; 0: they fit.
        memory: bytes of nonvolatile memory.
        block: bytes of it that are erased together.
        saving: one is being written.
        restored: what was found at the start.
        age: seconds since the last save or start, at most 65,535.
        interval: seconds between two saves while it learns; 0: at stops only.
    """

    generation: int
    slot_bytes: int
    missing: int
    memory: int
    block: int
    saving: bool
    restored: Restored
    age: int
    interval: int

    @classmethod
    def of(cls, message: messages.Checkpoints) -> Self:
        """From the board's CHECKPOINTS."""
        known = message.restored in set(Restored)
        return cls(
            generation=message.generation,
            slot_bytes=message.slot_bytes,
            missing=message.missing,
            memory=message.memory,
            block=message.block,
            saving=bool(message.saving),
            restored=Restored(message.restored) if known else Restored.NOTHING,
            age=message.age,
            interval=message.interval,
        )


class Checkpoints(BoardBase):
    """The part of a board that survives a loss of power."""

    def checkpoint_state(self) -> CheckpointState:
        """What is in the memory."""
        return CheckpointState.of(self._ask(messages.GetCheckpoint(), messages.Checkpoints))

    def read_checkpoint(self) -> CheckpointContent:
        """The newest checkpoint in the memory, whole.

        Raises:
            BoardRefused: NO_MEMORY: there is none.
            CheckpointError: it is of a format that this host does not read.
        """
        for attempt in range(_READINGS):
            data = self._read_blob(BlobKind.CHECKPOINT)
            try:
                return CheckpointContent.parse(data)
            except CheckpointError:
                # A newer one may have been written meanwhile.
                if attempt == _READINGS - 1:
                    raise
        raise AssertionError("unreachable")

    def save_checkpoint(self) -> CheckpointContent:
        """Saves a checkpoint now, and reads it.

        Raises:
            BoardRefused: NOT_CONFIGURED, NO_MEMORY, or TOO_LARGE with the bytes missing.
        """
        self.execute(messages.Checkpoint(CheckpointAction.SAVE))
        return self.read_checkpoint()

    def erase_checkpoints(self) -> None:
        """Erases both slots and forgets the dataset: the next start is a clean one. The network stays until then.

        Raises:
            BoardRefused: BUSY, NO_MEMORY.
        """
        self.execute(messages.Checkpoint(CheckpointAction.ERASE))

    def load_checkpoint(self, content: CheckpointContent, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Restores a checkpoint on the board, at once: its network replaces the one there, whatever that is.

        Args:
            content: of read_checkpoint() or a CheckpointFile.
            on_progress: called with the bytes written and their number.

        Raises:
            BoardError: the firmware lacks something that the network needs.
            BoardRefused: BUSY, TOO_LARGE with the bytes missing, BAD_CHECKPOINT, or OCCUPIED: it would overwrite the dataset in
                use, unless erase_checkpoints() gives that up. The board's network is as it was then.
        """
        self._check_features(content.network, content.injected)
        with self._in_doubt():
            self._write_blob(BlobKind.CHECKPOINT, content.data, on_progress)
            steps = self.status().steps
        self._count_from(steps)
        self._network = content.network

    def adopt(self) -> Network:
        """Takes over the network that the board has, e.g. restored from a checkpoint, or set up by another program.

        What it is comes from the newest checkpoint. predict(), weights() and so on then work without configure().

        Raises:
            BoardError: the board has no network, or none that its checkpoint describes.
        """
        status = self.status()
        if status.state == State.UNCONFIGURED:
            raise BoardError("the board has no network; configure it, or load a checkpoint")
        try:
            content = self.read_checkpoint()
        except BoardRefused as refusal:
            if refusal.code != Error.NO_MEMORY:
                raise
            raise BoardError("the board has no checkpoint that describes its network; configure it again") from None
        # CONFIGURE may have come after the checkpoint.
        weights = self._ask(messages.GetBlob(BlobKind.WEIGHTS, 0), messages.Blob).total
        if self.checkpoint_state().slot_bytes != len(content.data) or weights != sum(layer.nbytes for layer in content.weights):
            raise BoardError("the board's network is not the one of its checkpoint; save a checkpoint, or configure it again")
        self._count_from(status.steps)
        self._network = content.network
        return content.network

    def _check_features(self, network: Network, injected: bool) -> None:
        features = self.info.features
        missing = [
            what
            for needed, feature, what in (
                (any(network.decorrelate), Features.DECORRELATION, "decorrelation: train with --rule anp"),
                (network.loss is Loss.CROSS_ENTROPY, Features.CROSS_ENTROPY, "cross-entropy: use the squared loss"),
                (network.weight_format is WeightFormat.INT32, Features.INT32_WEIGHTS, "int32 weights: use int16"),
                (network.rule == "feedback", Features.FEEDBACK, "rule feedback: use anp"),
                (network.rule == "anp-exact", Features.ANP_EXACT, "rule anp-exact: use anp"),
                (network.shift != DEFAULT_SLOPES["anp"], Features.ANP_EXACT, "slope other than 1/128: use that one"),
                (not injected, Features.ADC_LIVE, "noise source of its own: inject noise codes"),
            )
            if needed and feature not in features
        ]
        if missing:
            raise BoardError(f"the firmware of {self.info.name} has no {missing[0]}, or flash a newer one")
