"""Checkpoints and datasets of the device in MicroPython: as files, to and from the device in C, and where the file system fails."""

from __future__ import annotations

import errno
import json
import zlib
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from autonomous_support import CLASSES, FILLING, TEACHER, XOR, autonomous, noise, progress, upload
from checkpoint_support import CODES, COMMIT, DANP, IRIS, Kept, checkpoints, inject, save, slow_client, train
from device_support import NO_TESTS, samples
from micropython_support import Interpreter
from plain_client import PlainClient, configure, memory_client, set_blob
from stepped_support import SteppedDevice, Stepper

from mtjlearn.inprocess.device import InProcessDevice
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
    TargetKind,
    Task,
)

Devices = tuple[type, type]
WAYS = [(InProcessDevice, SteppedDevice), (SteppedDevice, InProcessDevice)]
RECORD = messages.CheckpointRecord.LAYOUT.size
FULL = errno.ENOSPC


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper) -> None:
    pass


def client_of(board: object, nonce: int = 1) -> PlainClient:
    return memory_client(board, nonce)  # type: ignore[arg-type]


def begun(*, files: dict[str, bytes] | None = None, **options: int) -> tuple[SteppedDevice, PlainClient]:
    """A device that starts with these files."""
    board = SteppedDevice(**options)  # type: ignore[arg-type]
    if files is not None:
        board.files = files
        board.restart()
    return board, client_of(board)


def resealed(data: bytes) -> bytes:
    return data[:2] + zlib.crc32(data[6:]).to_bytes(4, "little") + data[6:]


# --- to and from C ---


@pytest.mark.parametrize("devices", WAYS, ids=["C to MicroPython", "MicroPython to C"])
@pytest.mark.parametrize("network", [IRIS, DANP, Network((2, 2, 2, 1), learning_rate=0.05)], ids=["iris", "danp", "2-2-2-1"])
def test_a_checkpoint_continues_bit_for_bit_in_the_other(devices: Devices, network: Network) -> None:
    """As if it had stayed where it was, with the 200 codes of that time put back."""
    first, other = devices
    before = client_of(first())
    before.tell(configure(network, injected=True))
    inject(before, CODES[:225])
    train(before, network, 40, 1)
    save(before)
    data = before.blob(BlobKind.CHECKPOINT)
    after = client_of(other())
    for chunk in set_blob(BlobKind.CHECKPOINT, data, 100):
        after.tell(chunk)
    assert Kept.of(after) == Kept.of(before)
    assert after.blob(BlobKind.CHECKPOINT) == data
    last = [CODES[7 * start : 7 * start + 7] for start in range(0, 40, 28 // samples(network, 1).shape[1])]
    inject(after, np.concatenate([CODES[:225], *last])[-200:])
    for client in (before, after):
        train(client, network, 60, 2)
        client.tell(messages.Evaluate(1, samples(network, 3).ravel()))
    assert Kept.of(after) == Kept.of(before)
    assert after.ask(messages.GetMetrics(), messages.Metrics) == before.ask(messages.GetMetrics(), messages.Metrics)
    assert Kept.of(after).steps == 100
    # Both would save the same record now.
    for client in (before, after):
        save(client)
    assert after.blob(BlobKind.CHECKPOINT) == before.blob(BlobKind.CHECKPOINT)


@pytest.mark.parametrize("devices", WAYS, ids=["C to MicroPython", "MicroPython to C"])
@pytest.mark.parametrize(
    ("task", "network", "epoch_steps"), [(Task.XOR, XOR, 0), (Task.TEACHER, TEACHER, 9), (Task.DATASET, CLASSES, 0)], ids=str
)
def test_autonomous_learning_continues_bit_for_bit_in_the_other(
    devices: Devices, task: Task, network: Network, epoch_steps: int
) -> None:
    """With injected codes; the checkpoint is of the middle of an epoch, and a dataset travels too."""
    rules = {"stop_steps": 120, "halve_every": 35, "evaluate_every": 3, "epoch_steps": epoch_steps}
    first, second = (device() for device in devices)
    before, after = client_of(first), client_of(second)
    for client in (before, after):
        client.tell(configure(network, injected=True))
    inject(before, CODES[:200])
    if task is Task.DATASET:
        rng = np.random.default_rng(1)
        upload(before, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
        data = before.blob(BlobKind.DATASET)
        after.tell(messages.DefineDataset(11, 1, 7, TargetKind.CLASSES, 2, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data, 30):
            after.tell(chunk)
        assert after.blob(BlobKind.DATASET) == data
    few = slow_client(first, 1)  # a step a turn
    few.tell(autonomous(task, **rules))
    while progress(few).steps < 50:
        pass
    save(few)
    kept = few.blob(BlobKind.CHECKPOINT)
    stored = messages.CheckpointRecord.unpack(kept[:RECORD])
    assert stored.activity == Activity.LEARNING
    assert 0 < stored.steps < 120
    for chunk in set_blob(BlobKind.CHECKPOINT, kept, 100):
        after.tell(chunk)
    inject(after, CODES[:200])
    for board in (first, second):
        board.poll()
    before = client_of(first, 3)
    found, expected = progress(after), progress(before)
    assert (found.activity, found.steps) == (Activity.FINISHED, 120)
    same = ("epoch", "position", "steps", "learning_rate", "stop_reason", "correct", "evaluation_loss", "evaluated")
    assert [getattr(found, name) for name in same] == [getattr(expected, name) for name in same]
    assert Kept.of(after) == Kept.of(before)


@pytest.mark.parametrize("scale", [0, 1, 5, 8])
@pytest.mark.parametrize(("value_bytes", "ends"), [(1, (-128, 127)), (2, (-32768, -32767, 32767, -16384, 16384))])
def test_values_of_a_dataset_saturate_as_in_c(scale: int, value_bytes: int, ends: tuple[int, ...]) -> None:
    """Real-valued targets, from the ends of their range."""
    rng = np.random.default_rng(scale)
    values = rng.integers(min(ends), max(ends) + 1, (13, 3))
    values[rng.random(values.shape) < 0.5] = rng.choice(ends)
    values[0] = ends[0]
    data = values.astype(f"<i{value_bytes}").tobytes()
    kept = []
    for device in (InProcessDevice, SteppedDevice):
        board = device()
        client = client_of(board)
        client.tell(configure(XOR, injected=True))
        inject(client, CODES[:200])
        client.tell(messages.DefineDataset(13, value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data, 30):
            client.tell(chunk)
        client.tell(autonomous(Task.DATASET, stop_epochs=4, evaluate_every=2))
        board.poll()
        kept.append((Kept.of(client), progress(client), client.ask(messages.GetStatus(), messages.Status).loss_sum))
    assert kept[0][1].steps == 52
    assert kept[0] == kept[1]


@pytest.mark.parametrize(("value_bytes", "scale", "lowest"), [(1, 8, -128), (2, 0, -32768), (2, 3, -5000)])
def test_the_lowest_target_is_the_lowest_number(value_bytes: int, scale: int, lowest: int) -> None:
    """-32768 is never used: the loss shows the last bit."""
    data = b"".join(value.to_bytes(value_bytes, "little", signed=True) for value in (0, lowest))
    for device in (InProcessDevice, SteppedDevice):
        board = device()
        client = client_of(board)
        client.tell(configure(Network((1, 1)), injected=True))
        client.tell(messages.SetRates(0, 0))
        for chunk in set_blob(BlobKind.WEIGHTS, (0).to_bytes(2, "little") + (-4096).to_bytes(2, "little", signed=True)):
            client.tell(chunk)
        inject(client, CODES[:200])
        client.tell(messages.DefineDataset(1, value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data):
            client.tell(chunk)
        client.tell(autonomous(Task.DATASET, stop_epochs=1, evaluate_every=1))
        board.poll()
        assert progress(client).evaluation_loss == (32767 - 4096) ** 2


def test_a_larger_checkpoint_next_to_a_dataset_is_refused_while_weights_are_incomplete() -> None:
    """It would have to be saved first."""
    (larger,) = saved(Network((4, 12, 3))).values()
    for device in (InProcessDevice, SteppedDevice):
        client = client_of(device())
        client.tell(configure(CLASSES))
        rng = np.random.default_rng(1)
        upload(client, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
        client.tell(set_blob(BlobKind.WEIGHTS, client.weights(), 50)[0])
        chunks = set_blob(BlobKind.CHECKPOINT, larger, 100)
        assert client.refused(chunks[0]) == (Error.OCCUPIED, 0)
        client.tell(configure(CLASSES))
        for chunk in chunks:
            client.tell(chunk)
        assert client.weights() == larger[RECORD + 6 :]


def test_a_curve_is_that_of_c() -> None:
    curves = []
    codes = noise(900)
    for device in (InProcessDevice, SteppedDevice):
        board = device(codes_per_step=7)
        board.queue(codes)
        client = client_of(board)
        client.tell(configure(XOR))
        client.tell(NO_TESTS)
        client.tell(autonomous(Task.XOR, stop_steps=900 - FILLING // 7))
        while board.poll() > 1:
            pass
        curves.append((client.ask(messages.GetCurve(), messages.Curve), Kept.of(client), progress(client)))
    (of_c, *rest_of_c), (found, *rest) = curves
    assert rest == rest_of_c
    assert (found.interval, found.points.tolist()) == (of_c.interval, of_c.points.tolist())
    assert len(found.points) >= 8


# --- files ---


def saved(network: Network = IRIS, saves: int = 1) -> dict[str, bytes]:
    """The files of a device that has saved this often."""
    board, client = begun()
    client.tell(configure(network, injected=True))
    for _ in range(saves):
        save(client)
    return board.files


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


# --- a file system that fails ---


def learning(board: SteppedDevice, client: PlainClient) -> None:
    client.tell(configure(XOR))
    client.tell(NO_TESTS)
    save(client)


def test_without_room_nothing_is_acknowledged_that_is_not_kept() -> None:
    board, client = begun(codes_per_step=7)
    board.queue(noise(100))
    learning(board, client)
    files = board.files
    board.refuse_writes(FULL)
    assert client.refused(messages.Checkpoint(CheckpointAction.SAVE)) == (Error.NO_MEMORY, FULL)
    assert client.refused(autonomous(Task.XOR)) == (Error.NO_MEMORY, FULL)
    assert progress(client).activity == Activity.IDLE
    found = checkpoints(client)
    assert (found.generation, found.saving) == (1, 0)
    assert board.files == files
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NEWEST, Activity.IDLE)
    assert client.blob(BlobKind.CHECKPOINT) == files["slot1"]
    board.refuse_writes(0)
    client.tell(autonomous(Task.XOR))
    assert checkpoints(client).generation == 2
    board.refuse_writes(FULL)
    assert client.refused(messages.Halt()) == (Error.NO_MEMORY, FULL)
    assert progress(client).activity == Activity.HALTED
    board.refuse_writes(0)
    save(client)
    board.restart()
    assert progress(client_of(board, 3)).activity == Activity.HALTED


def test_a_save_that_fails_in_the_middle_leaves_the_one_before() -> None:
    board, client = begun()
    client.tell(configure(Network((20, 30, 4))))
    save(client)
    client.push(messages.Checkpoint.TYPE, b"\0")
    board.poll(3)
    assert board.files["slot0"][:2] == b"\xff\xff"
    board.refuse_writes(FULL)
    (refusal,) = client.finish()
    assert isinstance(refusal, messages.Err)
    assert (refusal.code, refusal.detail) == (Error.NO_MEMORY, FULL)
    assert checkpoints(client).generation == 1
    assert len(client.blob(BlobKind.CHECKPOINT)) == checkpoints(client).slot_bytes
    board.refuse_writes(0)
    board.restart()
    client = client_of(board, 2)
    assert client.welcome.restored in (Restored.OLDER, Restored.NEWEST)
    assert checkpoints(client).generation == 1
    save(client)
    assert checkpoints(client).generation == 2


def test_learning_goes_on_where_nothing_can_be_kept() -> None:
    """And it is saved again once there is room; not tried in every turn."""
    board, client = begun(codes_per_step=7, adc_rate=70)  # a step is a tenth of a second
    board.queue(noise(60))
    learning(board, client)
    client.tell(autonomous(Task.XOR, checkpoint_interval=5))
    board.poll()
    generation, steps = checkpoints(client).generation, progress(client).steps
    assert generation > 2
    board.refuse_writes(errno.EIO)
    board.queue(noise(400, seed=1))
    board.poll()
    assert progress(client).steps >= steps + 400
    found = checkpoints(client)
    assert found.generation == generation
    assert found.age >= 40
    assert 8 <= board.refused_writes <= 9  # 429 steps, one save in 50
    board.refuse_writes(0)
    board.queue(noise(60, seed=2))
    board.poll()
    assert progress(client).activity == Activity.LEARNING
    found = checkpoints(client)
    assert found.generation in (generation + 1, generation + 2)
    assert found.age <= 5


def test_a_dataset_without_room_is_refused_at_any_chunk() -> None:
    board, client = begun()
    client.tell(configure(CLASSES))
    rng = np.random.default_rng(1)
    x, targets = rng.integers(-60, 61, (40, 4)), rng.integers(0, 3, 40)
    data = upload(client, x, targets)
    chunks = set_blob(BlobKind.DATASET, data, 50)
    for fails in range(len(chunks)):
        board.refuse_writes(0)
        for chunk in chunks[:fails]:
            client.tell(chunk)
        board.refuse_writes(FULL)
        assert client.refused(chunks[fails]) == (Error.NO_MEMORY, FULL)
        assert client.refused(autonomous(Task.DATASET)) == (Error.NOT_LOADED, 0)
        assert client.refused(messages.GetBlob(BlobKind.DATASET, 0)) == (Error.NO_MEMORY, 0)
        if fails + 1 < len(chunks):
            assert client.refused(chunks[fails + 1]) == (Error.BAD_OFFSET, 0)
    board.refuse_writes(0)
    for chunk in chunks:
        client.tell(chunk)
    assert progress(client).samples == 40


def test_an_uploaded_checkpoint_without_room_is_refused() -> None:
    (data,) = saved().values()
    board, client = begun()
    client.tell(configure(XOR))
    save(client)
    weights = client.weights()
    board.refuse_writes(FULL)
    assert client.refused(set_blob(BlobKind.CHECKPOINT, data, 100)[0]) == (Error.NO_MEMORY, FULL)
    assert client.weights() == weights
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, client.weights()) == (Restored.NEWEST, weights)


def test_files_that_vanish_while_it_learns_end_the_training_alone() -> None:
    board, client = begun(codes_per_step=7)
    board.queue(noise(400))
    client.tell(configure(CLASSES))
    client.tell(NO_TESTS)
    rng = np.random.default_rng(1)
    upload(client, rng.integers(-60, 61, (40, 4)), rng.integers(0, 3, 40))
    client.tell(autonomous(Task.DATASET))
    assert progress(client).activity == Activity.LEARNING
    board.files = {}
    assert client.refused(messages.GetBlob(BlobKind.CHECKPOINT, 0)) == (Error.NO_MEMORY, errno.ENOENT)
    assert client.refused(messages.GetBlob(BlobKind.DATASET, 0)) == (Error.NO_MEMORY, errno.ENOENT)
    client.tell(messages.Halt())
    assert set(board.files) == {"slot0"}
    board.restart()
    client = client_of(board, 2)
    assert (client.welcome.restored, progress(client).activity) == (Restored.NO_DATASET, Activity.IDLE)


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
