"""What each refusal of the board means to its user, in one line that says what to do."""

from __future__ import annotations

from dataclasses import fields

from mtjlearn.board.results import BoardInfo
from mtjlearn.board.samples import VALUE_BYTES, longest_targets
from mtjlearn.network import Network
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardRefused
from mtjlearn.wire.messages import (
    CHECKPOINT_FORMAT,
    FEATURE_OF,
    MESSAGES,
    NOISE_BUFFER,
    NUMBERED,
    Autonomous,
    Checkpoint,
    Configure,
    DefineDataset,
    Error,
    Features,
    Inject,
    Message,
    NoiseFault,
    SamplePart,
    SetBlob,
)

_NARROW = 127
"""Inputs and units of a layer that every firmware takes: some is built for no more."""
_FULL = 28
"""ENOSPC of a board's file system."""
_OMITTED = {
    "long_samples": "its firmware takes samples that fit a message only; use a network with fewer inputs, or another board",
    "autonomous": "its firmware learns from a host's stream only; for autonomous learning: mtjlearn flash --board uno",
}
"""For each feature that an image can omit: the advice when one of its commands is unknown."""


def refused(command: Command, network: Network | None, info: BoardInfo | None = None) -> BoardRefused:
    """The exception for a command that was refused.

    Args:
        command: with its refusal. Of a sample in parts, the first part that was refused says why.
        network: what the board was being configured with, or is configured with.
        info: what the board said of itself.
    """
    command = next((part for part in command.parts if part.refusal is not None), command)
    assert command.refusal is not None
    code, detail = command.refusal
    if code == Error.OUT_OF_RANGE and command.type == Configure.TYPE and detail == len(fields(Configure)):
        return BoardRefused(Configure.NAME, code, detail, f"the board refused CONFIGURE: {_sizes_advice(network, info)}")
    kind = MESSAGES.get(command.type)
    name = kind.NAME if kind is not None else f"command 0x{command.type:02x}"
    return BoardRefused(name, code, detail, f"the board refused {name}: {_advice(kind, code, detail, network)}")


def _advice(kind: type[Message] | None, code: int, detail: int, network: Network | None) -> str:
    which = network.name if network is not None else "the network"
    match code:
        case Error.UNKNOWN_TYPE if kind is not None and kind.TYPE in FEATURE_OF:
            return _OMITTED[FEATURE_OF[kind.TYPE]]
        case Error.UNKNOWN_TYPE:
            return "its firmware does not know it; flash the firmware that came with this mtjlearn"
        case Error.BAD_LENGTH:
            return f"{detail} bytes do not fit the network on the board; configure it with the network of your data"
        case Error.OUT_OF_RANGE:
            if kind is not None and kind.TYPE not in NUMBERED:
                return f"{_field(kind, detail)} is out of range; change it"
            return f"value {detail} of the message is out of range; quantise the data to -32767 .. 32767, classes from 0"
        case Error.NOT_CONFIGURED:
            return "it has no network yet; configure it first"
        case Error.TOO_LARGE if kind is DefineDataset:
            return f"the dataset needs {detail} bytes more than its memory has next to two checkpoints; use fewer samples, or int8"
        case Error.TOO_LARGE if kind is SetBlob:
            return f"the checkpoint's network needs {detail} bytes more than it has; use a larger board"
        case Error.TOO_LARGE if kind is SamplePart:
            return f"{which} with a sample next to it needs {detail} bytes more than it has; use fewer units, or a larger board"
        case Error.TOO_LARGE if kind in (Checkpoint, Autonomous):
            return f"two checkpoints of {which} need {detail} bytes more than its memory has; use fewer units, or a larger board"
        case Error.TOO_LARGE:
            return f"{which} needs {detail} bytes more than it has; use fewer units, int16 weights, or a larger board"
        case Error.NOT_LOADED:
            if kind is Autonomous:
                return "the dataset or the weights in it are incomplete; upload them again"
            return "its weights are incomplete after an interrupted upload; set the weights again, or configure it again"
        case Error.BAD_OFFSET if kind is SamplePart:
            return "a part of another sample came in between; train, predict and evaluate from one thread at a time"
        case Error.BAD_OFFSET:
            return f"a chunk is out of order (offset {detail} is expected); upload again from the start"
        case Error.BAD_CHECKSUM:
            return "the uploaded data were damaged; upload them again"
        case Error.NO_NOISE:
            deviation = detail / NOISE_BUFFER
            return f"its noise source is silent (standard deviation {deviation:.2f} ADC codes, 0.25 needed); check the wiring"
        case Error.NOISE_NOT_READY:
            return f"{detail} noise codes are missing before it can train; inject at least {NOISE_BUFFER}"
        case Error.WRONG_MODE:
            if kind is Inject:
                return "its network uses noise from the ADC; configure it with injected noise first"
            return "its network uses injected noise; configure it with noise from the ADC first"
        case Error.BUSY:
            return "it learns autonomously; halt it first (mtjlearn autonomous stop)"
        case Error.NOISE_FAULT:
            fault = detail & 0xFF
            what = NoiseFault(fault).name.lower().replace("_", " ") if fault in set(NoiseFault) else f"fault {fault}"
            return f"its noise source is broken ({what}); `mtjlearn noise` shows what it sees, docs/wiring.md how to connect it"
        case Error.NO_MEMORY if detail:
            what = "is full; remove other files from the board" if detail == _FULL else f"failed (error {detail}); try again"
            return f"it could not keep what the command changed: its file system {what}"
        case Error.NO_MEMORY:
            return "its nonvolatile memory is empty, or it has none; save a checkpoint, or upload a dataset, or use another board"
        case Error.ANOTHER_HOST:
            return "another host is connected to it; close that one, then try again"
        case Error.OCCUPIED:
            return "the checkpoint would overwrite the board's dataset; to erase that: mtjlearn checkpoint erase"
        case Error.BAD_CHECKPOINT:
            seen = f"of format {detail}, not {CHECKPOINT_FORMAT}" if detail not in (0, CHECKPOINT_FORMAT) else "damaged"
            return f"the checkpoint is {seen}; load one that this firmware saved"
        case _:
            return f"error {code} (detail {detail}), unknown to this host; install a newer mtjlearn"


def _sizes_advice(network: Network | None, info: BoardInfo | None) -> str:
    """Which of the sizes a board cannot take, its limit, and what fits."""
    which = network.name if network is not None else "the network"
    unknown = f"sizes is out of range for it ({which}); use fewer or narrower layers, or a larger board"
    if network is None or info is None:
        return unknown
    inputs, outputs, targets = network.sizes[0], network.sizes[-1], network.target_count
    most, answered = longest_targets(info.max_payload), info.max_payload // VALUE_BYTES
    if targets > most or outputs > answered:
        limit = min(most, answered) if targets > 1 else answered
        return f"{network.name} has {outputs} outputs, and its messages of {info.max_payload} bytes hold {limit}; use fewer outputs"
    if inputs + targets > most and Features.LONG_SAMPLES not in info.features:
        return (
            f"a sample of {network.name} has {inputs + targets} values, and its messages of {info.max_payload} bytes hold {most}; "
            f"use at most {most - targets} inputs, or a board that takes longer samples"
        )
    widest = max(network.sizes)
    if widest > _NARROW:
        return (
            f"{network.name} has {widest} inputs or units in a layer, more than it takes; use at most {_NARROW}, or a larger board"
        )
    return unknown


def _field(kind: type[Message], number: int) -> str:
    names = [field.name for field in fields(kind)]
    return names[number - 1] if 1 <= number <= len(names) else f"field {number}"
