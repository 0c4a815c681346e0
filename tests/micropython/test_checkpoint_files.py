"""Checkpoints of the device in MicroPython as files: what a slot holds, what is damaged, and power cuts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from autonomous_support import CLASSES, XOR, progress, upload
from checkpoint_support import CODES, COMMIT, IRIS, Kept, checkpoints, inject, save, train
from kept_files_support import begun, client_of, saved
from micropython_support import Interpreter
from plain_client import configure, set_blob
from stepped_support import Stepper

from mtjlearn.board.checkpoint_file import CheckpointContent
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import (
    CHECKPOINT_FORMAT,
    Activity,
    BlobKind,
    CheckpointAction,
    Error,
    Restored,
    State,
)

RECORD = messages.CheckpointRecord.LAYOUT.size


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper) -> None:
    pass


def resealed(data: bytes) -> bytes:
    return data[:2] + zlib.crc32(data[6:]).to_bytes(4, "little") + data[6:]


def test_a_slots_file_is_the_checkpoint() -> None:
    board, client = begun()
    client.tell(configure(IRIS))
    save(client)
    data = client.blob(BlobKind.CHECKPOINT)
    assert board.files == {"slot1": data}
    save(client)
    assert board.files == {"slot1": data, "slot0": client.blob(BlobKind.CHECKPOINT)}


def test_the_commit_word_is_written_last() -> None:
    board, client = begun()
    client.tell(configure(Network((20, 30, 4))))
    client.push(messages.Checkpoint.TYPE, b"\0")
    sizes, words = [], []
    while not board.take():
        board.poll(1)
        if content := board.files.get("slot1"):
            sizes.append(len(content))
            words.append(int.from_bytes(content[:2], "little"))
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < sizes[-1] == RECORD + 6 + 2 * (21 * 30 + 31 * 4)
    begun_with, ended_with = words.count(0xFFFF), words.count(COMMIT)
    assert words == [0xFFFF] * begun_with + [COMMIT] * ended_with
    assert begun_with > 4
    assert set(sizes[begun_with:]) == {sizes[-1]}
    # Nor does an upload count before it is checked, whatever its chunks say.
    data = saved()["slot1"]
    board, client = begun()
    *chunks, _ = set_blob(BlobKind.CHECKPOINT, data, 1)
    for chunk in [messages.SetBlob(BlobKind.CHECKPOINT, 0, len(data), 0, data[:3]), *chunks[3:9]]:
        client.tell(chunk)
    board.files = board.files  # all is kept
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, client.status().state) == (Restored.DAMAGED, State.UNCONFIGURED)


@pytest.mark.parametrize(
    ("content", "restored"),
    [
        (b"", Restored.DAMAGED),
        (COMMIT.to_bytes(2, "little"), Restored.DAMAGED),
        (b"\xff" * 300, Restored.DAMAGED),
        (bytes(300), Restored.DAMAGED),
        ((COMMIT + 1).to_bytes(2, "little") + bytes(300), Restored.UNFIT),
        ((COMMIT - CHECKPOINT_FORMAT).to_bytes(2, "little") + bytes(300), Restored.UNFIT),
        ((COMMIT + 1).to_bytes(2, "little"), Restored.DAMAGED),
    ],
    ids=["empty", "two bytes", "erased", "zeros", "newer", "older", "newer and short"],
)
@pytest.mark.parametrize("beside", [False, True])
def test_what_is_not_a_checkpoint_is_reported(content: bytes, restored: Restored, beside: bool) -> None:
    files = saved()
    board, client = begun(files={"slot0": content, **(files if beside else {})})
    wanted = restored if not beside else Restored.NEWEST if restored is Restored.UNFIT else Restored.OLDER
    assert (client.welcome.restored, client.status().state) == (wanted, State.READY if beside else State.UNCONFIGURED)
    client.tell(configure(IRIS))
    save(client)
    board.restart()
    assert client_of(board, 2).status().state == State.READY


def test_format_1_is_anp_with_its_slope() -> None:
    board, client = begun()
    client.tell(configure(IRIS, injected=True))
    inject(client, CODES[:200])
    train(client, IRIS, 20, 1)
    save(client)
    before = Kept.of(client)
    (data,) = board.files.values()
    assert data[0] == CHECKPOINT_FORMAT
    _, client = begun(files={"slot1": b"\1" + data[1:]})
    assert client.welcome.restored == Restored.NEWEST
    assert Kept.of(client) == before
    content = CheckpointContent.parse(client.blob(BlobKind.CHECKPOINT))
    assert (content.network.rule, content.network.shift) == ("anp", 7)


@pytest.mark.parametrize("cut", [1, 5, 100, 140, 249])
def test_a_file_that_is_short_or_of_the_other_slot_is_damaged(cut: int) -> None:
    (data,) = saved().values()
    assert begun(files={"slot1": data[:cut]})[1].welcome.restored == Restored.DAMAGED
    assert begun(files={"slot0": data})[1].welcome.restored == Restored.DAMAGED
    assert begun(files={"slot1": data + b"more"})[1].welcome.restored == Restored.NEWEST


@pytest.mark.parametrize("place", [0, 1, 2, 5, 9, 10, 16, 60, 112, 130, 249])
def test_a_wrong_bit_makes_it_damaged(place: int) -> None:
    files = saved(saves=2)
    damaged = bytearray(files["slot0"])
    damaged[place] ^= 4
    _, client = begun(files={**files, "slot0": bytes(damaged)})
    unfit = place == 0
    assert client.welcome.restored == (Restored.NEWEST if unfit else Restored.OLDER)
    assert checkpoints(client).generation == 1
    assert begun(files={"slot0": bytes(damaged)})[1].welcome.restored == (Restored.UNFIT if unfit else Restored.DAMAGED)


@pytest.mark.parametrize(
    "changes",
    [{"random_state": 0}, {"noise_position": 200}, {"noise_source": 2}, {"repetitions": 1}, {"activity": 9}, {"task": 7}],
    ids=str,
)
def test_values_that_no_device_writes_are_not_loaded(changes: dict[str, int]) -> None:
    """With a checksum that is right; and after such an upload, which is of a later generation, the device finds its own again."""
    (data,) = saved().values()
    record = replace(messages.CheckpointRecord.unpack(data[:RECORD]), generation=2**30, **changes)
    record = messages.CheckpointRecord.LAYOUT.pack(*astuple(record))  # pack() refuses them too
    data = resealed(record + data[RECORD:])
    _, client = begun(files={"slot0": data})
    assert (client.welcome.restored, client.status().state) == (Restored.UNFIT, State.UNCONFIGURED)
    assert progress(client).activity == Activity.IDLE
    board, client = begun(files=saved(XOR))
    *chunks, last = set_blob(BlobKind.CHECKPOINT, data, 100)
    for chunk in chunks:
        client.tell(chunk)
    assert client.refused(last) == (Error.BAD_CHECKPOINT, CHECKPOINT_FORMAT)
    assert client.status().state == State.READY
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, checkpoints(client).slot_bytes) == (Restored.OLDER, RECORD + 6 + 26)


def test_a_network_that_does_not_fit_is_reported() -> None:
    _, client = begun(files=saved(), arena=200)
    assert (client.welcome.restored, client.status().state) == (Restored.UNFIT, State.UNCONFIGURED)


def test_an_erasure_removes_all_files() -> None:
    board, client = begun()
    client.tell(configure(CLASSES))
    rng = np.random.default_rng(1)
    x, targets = rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11)
    upload(client, x, targets)
    save(client)
    save(client)
    assert set(board.files) == {"slot0", "slot1", "dataset"}
    client.tell(messages.Checkpoint(CheckpointAction.ERASE))
    assert board.files == {}
    assert progress(client).samples == 0
    # As with the C firmware, the definition stands: the bytes may be sent again.
    upload(client, x, targets)
    assert progress(client).samples == 11


# --- power cuts ---


@pytest.mark.parametrize("name", ["viper", pytest.param("node", marks=pytest.mark.slow)])
def test_a_power_cut_at_any_write_leaves_the_newest_complete_one(
    interpreters: Callable[[str], Interpreter], name: str, tmp_path: Path
) -> None:
    found = json.loads(interpreters(name).run("cut_jobs", "files 300 1", tmp_path))
    assert found["cuts"] == found["before"] + found["after"] + found["changes"] >= 300
    assert min(found.values()) > 0


def test_a_power_cut_at_any_write_of_littlefs_leaves_the_newest_complete_one(
    interpreters: Callable[[str], Interpreter], tmp_path: Path
) -> None:
    """The Pico's file system, cut while it programs or erases a block."""
    found = json.loads(interpreters("viper").run("cut_jobs", "flash 200 1", tmp_path))
    assert found["cuts"] == found["before"] + found["after"] + found["changes"] >= 200
    assert min(found.values()) > 0


def test_a_file_that_was_left_open_is_not_written_later(interpreters: Callable[[str], Interpreter], tmp_path: Path) -> None:
    """littlefs writes a file that it closes, also when a device that began again has left it to the garbage collector."""
    assert interpreters("viper").run("left_open", "", tmp_path) == "whole whole"


# --- steps ---


@pytest.mark.parametrize("name", ["bytecode", pytest.param("node", marks=pytest.mark.slow)])
def test_no_step_of_autonomous_learning_allocates(interpreters: Callable[[str], Interpreter], name: str, tmp_path: Path) -> None:
    """Also with a schedule and with samples from a file. All ports learn the same."""
    answers = interpreters("viper").run("locked_jobs", "700", tmp_path)
    assert len(answers.splitlines()) == 3
    assert interpreters(name).run("locked_jobs", "700", tmp_path) == answers
