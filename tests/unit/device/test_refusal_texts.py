"""Each error code and each fault of the noise source has a text of its own that says what to do."""

from __future__ import annotations

from dataclasses import fields

import pytest
from link_support import welcome

from mtjlearn.board.health import ADVICE
from mtjlearn.board.refusals import refused
from mtjlearn.board.results import BoardInfo
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command, Refusal
from mtjlearn.wire.messages import (
    CHECKPOINT_FORMAT,
    FEATURE_OF,
    HOST_MESSAGES,
    NOISE_BUFFER,
    NUMBERED,
    Autonomous,
    Checkpoint,
    Configure,
    DefineDataset,
    Error,
    GetProgress,
    Inject,
    Message,
    NoiseFault,
    SamplePart,
    SetBlob,
    Train,
)

NETWORK = Network((4, 8, 3))


def text(kind: type[Message], code: int, detail: int = 0, network: Network | None = NETWORK) -> str:
    command = Command(kind.TYPE, b"")
    command.refusal = Refusal(code, detail)
    error = refused(command, network)
    assert (error.code, error.detail) == (code, detail)
    said = str(error)
    assert "\n" not in said
    start = f"the board refused {kind.NAME}: "
    assert said.startswith(start)
    return said.removeprefix(start)


PLAIN = {
    Error.UNKNOWN_TYPE: (5, "does not know it; flash the firmware that came with"),
    Error.BAD_LENGTH: (123, "123 bytes do not fit the network on the board; configure it"),
    Error.OUT_OF_RANGE: (77, "value 77 of the message is out of range; quantise the data"),
    Error.NOT_CONFIGURED: (0, "has no network yet; configure it first"),
    Error.TOO_LARGE: (456, "4-8-3 needs 456 bytes more than it has; use fewer units, int16"),
    Error.NOT_LOADED: (0, "weights are incomplete after an interrupted upload; set the weights again"),
    Error.BAD_OFFSET: (789, "offset 789 is expected); upload again from the start"),
    Error.BAD_CHECKSUM: (0, "the uploaded data were damaged; upload them again"),
    Error.NO_NOISE: (NOISE_BUFFER // 8, "silent (standard deviation 0.12 ADC codes, 0.25 needed); check the wiring"),
    Error.NOISE_NOT_READY: (42, f"42 noise codes are missing before it can train; inject at least {NOISE_BUFFER}"),
    Error.WRONG_MODE: (0, "uses injected noise; configure it with noise from the ADC first"),
    Error.BUSY: (0, "it learns autonomously; halt it first (mtjlearn autonomous stop)"),
    Error.NOISE_FAULT: (1, "its noise source is broken (stuck); `mtjlearn noise`"),
    Error.NO_MEMORY: (0, "nonvolatile memory is empty, or it has none; save a checkpoint"),
    Error.ANOTHER_HOST: (0, "another host is connected to it; close that one"),
    Error.OCCUPIED: (0, "would overwrite the board's dataset; to erase that: mtjlearn checkpoint erase"),
    Error.BAD_CHECKPOINT: (CHECKPOINT_FORMAT, "the checkpoint is damaged; load one that this firmware saved"),
}
"""Of a plain command: the detail and what is said."""


@pytest.mark.parametrize("code", Error)
def test_each_code_has_its_text(code: Error) -> None:
    assert code in PLAIN, f"what is said of {code.name}? Write it in PLAIN of tests/unit/device/test_refusal_texts.py"
    detail, words = PLAIN[code]
    assert words in text(Train, code, detail)


def test_no_two_codes_share_a_text_and_none_is_unknown() -> None:
    said = {code: text(Train, code, 3) for code in Error}
    assert len(set(said.values())) == len(Error)
    unknown = [code.name for code, one in said.items() if "unknown to this host" in one]
    assert not unknown, f"nothing is said of these errors: write a case for each in host/mtjlearn/board/refusals.py: {unknown}"
    assert text(Train, max(Error) + 1, 9) == f"error {max(Error) + 1} (detail 9), unknown to this host; install a newer mtjlearn"


@pytest.mark.parametrize(
    ("kind", "code", "detail", "words"),
    [
        (DefineDataset, Error.TOO_LARGE, 31, "the dataset needs 31 bytes more than its memory has next to two checkpoints"),
        (SetBlob, Error.TOO_LARGE, 31, "the checkpoint's network needs 31 bytes more"),
        (Checkpoint, Error.TOO_LARGE, 31, "two checkpoints of 4-8-3 need 31 bytes more"),
        (Autonomous, Error.TOO_LARGE, 31, "two checkpoints of 4-8-3 need 31 bytes more"),
        (Autonomous, Error.NOT_LOADED, 0, "the dataset or the weights in it are incomplete"),
        (SamplePart, Error.TOO_LARGE, 31, "4-8-3 with a sample next to it needs 31 bytes more"),
        (SamplePart, Error.BAD_OFFSET, 3, "a part of another sample came in between"),
        (Inject, Error.WRONG_MODE, 0, "uses noise from the ADC; configure it with injected noise first"),
        (Checkpoint, Error.NO_MEMORY, 28, "could not keep what the command changed: its file system is full; remove other files"),
        (Checkpoint, Error.NO_MEMORY, 2**32 - 1, "its file system failed (error 4294967295); try again"),
        (SetBlob, Error.BAD_CHECKPOINT, CHECKPOINT_FORMAT + 1, f"of format {CHECKPOINT_FORMAT + 1}, not {CHECKPOINT_FORMAT}"),
    ],
)
def test_where_the_command_decides_what_is_said(kind: type[Message], code: Error, detail: int, words: str) -> None:
    assert words in text(kind, code, detail)
    assert text(kind, code, detail) != text(Train, code, 0)


def test_bytes_that_are_no_checkpoint_have_no_format() -> None:
    assert "the checkpoint is damaged" in text(SetBlob, Error.BAD_CHECKPOINT, 0)


def test_without_a_network_it_has_no_name() -> None:
    assert text(Configure, Error.TOO_LARGE, 5, None).startswith("the network needs 5 bytes")


ONLY_STREAM = "learns from a host's stream only; for autonomous learning: mtjlearn flash"
WITHOUT = {
    None: "flash the firmware that came with",
    "autonomous": ONLY_STREAM,
    "long_samples": "takes samples that fit a message only; use a network with fewer inputs",
}
"""What is said where a feature is missing, and of commands that every image has."""


@pytest.mark.parametrize("kind", HOST_MESSAGES, ids=lambda kind: kind.NAME)
def test_an_unknown_command_is_of_a_missing_feature_or_of_other_firmware(kind: type[Message]) -> None:
    feature = FEATURE_OF.get(kind.TYPE)
    assert feature in WITHOUT, f"what is said without {feature}? Write it in WITHOUT of tests/unit/device/test_refusal_texts.py"
    expected = WITHOUT[feature]
    assert expected in text(kind, Error.UNKNOWN_TYPE, kind.TYPE)


def test_progress_belongs_to_autonomous_learning_and_training_does_not() -> None:
    assert ONLY_STREAM in text(GetProgress, Error.UNKNOWN_TYPE, GetProgress.TYPE)
    assert ONLY_STREAM not in text(Train, Error.UNKNOWN_TYPE, Train.TYPE)


@pytest.mark.parametrize("kind", [kind for kind in HOST_MESSAGES if kind.TYPE not in NUMBERED], ids=lambda kind: kind.NAME)
def test_a_field_out_of_range_is_named(kind: type[Message]) -> None:
    names = [field.name for field in fields(kind)]
    for number, name in enumerate(names, 1):
        if (kind, name) == (Configure, "sizes"):
            assert text(kind, Error.OUT_OF_RANGE, number).startswith("sizes is out of range for it (4-8-3); use fewer or")
            continue
        assert text(kind, Error.OUT_OF_RANGE, number) == f"{name} is out of range; change it"
    for number in (0, len(names) + 1):
        assert text(kind, Error.OUT_OF_RANGE, number) == f"field {number} is out of range; change it"


FAULTS = {
    NoiseFault.NONE: "none",
    NoiseFault.STUCK: "stuck",
    NoiseFault.SHORTED: "shorted",
    NoiseFault.OPEN: "open",
    NoiseFault.SATURATING: "saturating",
    NoiseFault.TOO_SLOW: "too slow",
    NoiseFault.DRIFTING: "drifting",
    NoiseFault.SILENT: "silent",
    NoiseFault.PERIODIC: "periodic",
}


@pytest.mark.parametrize("fault", NoiseFault)
def test_each_fault_is_named_whatever_else_the_detail_holds(fault: NoiseFault) -> None:
    for detail in (fault, 0x3FF00 | fault):
        assert f"its noise source is broken ({FAULTS[fault]}); " in text(Train, Error.NOISE_FAULT, detail)


def test_each_fault_has_a_name_and_an_advice_of_its_own() -> None:
    assert "fault 200" in text(Train, Error.NOISE_FAULT, 200)
    assert set(ADVICE) == set(NoiseFault)
    assert len(set(ADVICE.values())) == len(NoiseFault)
    said = {text(Train, Error.NOISE_FAULT, fault) for fault in NoiseFault}
    assert len(said) == len(NoiseFault)


def test_an_unknown_command_is_named_by_its_number() -> None:
    command = Command(0x7F, b"")
    command.refusal = Refusal(Error.UNKNOWN_TYPE, 0x7F)
    assert str(refused(command, None)).startswith("the board refused command 0x7f: ")


@pytest.mark.parametrize(
    ("network", "parts", "words"),
    [
        (
            Network((40, 3, 1)),
            False,
            "a sample of 40-3-1 has 41 values, and its messages of 64 bytes hold 31; use at most 30 inputs",
        ),
        (Network((8, 40), antithetic=True), True, "8-40 has 40 outputs, and its messages of 64 bytes hold 31; use fewer outputs"),
        (Network((200, 2)), True, "200-2 has 200 inputs or units in a layer, more than it takes; use at most 127"),
    ],
)
def test_a_network_that_does_not_fit_is_told_which_size_and_its_limit(network: Network, parts: bool, words: str) -> None:
    features = messages.Features.LONG_SAMPLES if parts else messages.Features(0)
    info = BoardInfo.of(welcome(1, max_payload=64, features=int(features)), "here")
    command = Command(Configure.TYPE, b"")
    command.refusal = Refusal(Error.OUT_OF_RANGE, len(fields(Configure)))
    assert words in str(refused(command, network, info))
