"""Checkpoints: what comes back after a start, when they are saved, how they travel."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from autonomous_support import CLASSES, TEACHER, XOR, autonomous, noise, progress, run, started, upload
from checkpoint_support import (
    CODES,
    COMMIT,
    DANP,
    EXACT,
    FEEDBACK,
    IRIS,
    Kept,
    again,
    checkpoints,
    inject,
    save,
    slow_client,
    train,
)
from device_support import NO_TESTS, samples
from plain_client import configure, memory_client, set_blob

from mtjlearn.board.checkpoint_file import CheckpointContent
from mtjlearn.fixedpoint import FixedNetwork
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
    Task,
)


def test_both_torn_is_a_clean_start_that_is_told() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    assert client.welcome.restored == Restored.NOTHING
    client.tell(configure(XOR))
    save(client)
    save(client)
    memory = bytearray(board.memory)
    memory[20] ^= 1
    memory[-21] ^= 1
    board.memory = bytes(memory)
    client = again(board)
    assert client.welcome.restored == Restored.DAMAGED
    assert client.status().state == State.UNCONFIGURED
    client.tell(configure(XOR))
    save(client)
    assert again(board).welcome.restored == Restored.OLDER


@pytest.mark.parametrize("format_", [CHECKPOINT_FORMAT + 1, 0])
def test_another_format_is_a_clean_start_that_is_told(format_: int) -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(XOR))
    save(client)
    memory = bytearray(board.memory)
    assert memory[-2:] == (COMMIT).to_bytes(2, "big")  # generation 1 stands in slot 1, which begins at the end
    memory[-1] = format_
    board.memory = bytes(memory)
    client = again(board)
    assert (client.welcome.restored, client.status().state) == (Restored.UNFIT, State.UNCONFIGURED)


def test_format_1_is_anp_with_its_slope() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(IRIS, injected=True))
    inject(client, CODES[:200])
    train(client, IRIS, 20, 1)
    save(client)
    before = Kept.of(client)
    memory = bytearray(board.memory)
    memory[-1] = 1
    board.memory = bytes(memory)
    client = again(board)
    assert client.welcome.restored == Restored.NEWEST
    assert Kept.of(client) == before
    content = CheckpointContent.parse(client.blob(BlobKind.CHECKPOINT))
    assert (content.network.rule, content.network.shift) == ("anp", 7)


@pytest.mark.parametrize("network", [EXACT, FEEDBACK, replace(IRIS, slope=12, learning_rate=2**-5)], ids=str)
def test_rule_slope_and_feedback_are_kept(network: Network) -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(network, injected=True))
    inject(client, CODES[:200])
    for row in samples(network, 30):
        client.tell(messages.Train(row))
    save(client)
    content = CheckpointContent.parse(client.blob(BlobKind.CHECKPOINT))
    assert content.network == network
    if network is FEEDBACK:
        model = FixedNetwork(network)
        model.put_codes(CODES[:200])
        for row in samples(network, 30):
            model.train(row[:3], row[3:])
        for ours, theirs in zip(content.feedback, model.feedback, strict=True):
            assert np.array_equal(ours, theirs[0])
            assert ours.any()


def test_a_network_that_does_not_fit_this_device_is_told() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(IRIS))
    save(client)
    small = InProcessDevice(arena=200)
    small.memory = board.memory
    client = again(small)
    assert (client.welcome.restored, client.status().state) == (Restored.UNFIT, State.UNCONFIGURED)


# --- going on ---


@pytest.mark.parametrize("network", [replace(IRIS, seed=4), DANP, EXACT, FEEDBACK], ids=str)
def test_going_on_equals_an_uninterrupted_run(network: Network) -> None:
    """Bit for bit, when the 200 codes of the buffer are put back."""
    results = []
    for cut in (False, True):
        board = InProcessDevice()
        client = memory_client(board)
        client.tell(configure(network, injected=True))
        inject(client, CODES[:230])
        rows = samples(network, 60)
        codes = CODES[230:].reshape(-1, 5)
        for step in range(60):
            if cut and step == 33:
                save(client)
                client = again(board)
                assert client.welcome.restored == Restored.NEWEST
                so_far = np.concatenate([CODES[:230], codes[:step].ravel()])
                inject(client, so_far[-200:])
            client.tell(messages.Inject(codes[step]))
            client.tell(messages.Train(rows[step]))
        results.append(Kept.of(client))
    assert results[0] == results[1]


@pytest.mark.parametrize("task", [Task.XOR, Task.DATASET, Task.TEACHER])
def test_learning_on_its_own_is_bit_for_bit_the_same_after_a_power_cut(task: Task) -> None:
    """With injected codes, which the host can put back exactly. The cut comes in the middle of an epoch."""
    results = []
    for cut in (False, True):
        board = InProcessDevice()
        client = memory_client(board)
        client.tell(configure(CLASSES if task is Task.DATASET else XOR, injected=True))
        inject(client, CODES[:230])
        if task is Task.DATASET:
            rng = np.random.default_rng(1)
            upload(client, rng.integers(-60, 61, (11, 4)), rng.integers(0, 3, 11))
        rules = {"stop_steps": 50, "halve_every": 20, "evaluate_every": 2, "epoch_steps": 9 if task is Task.TEACHER else 0}
        if not cut:
            client.tell(autonomous(task, **rules))
            board.poll()
        else:
            few = slow_client(board, 1)  # a step a turn
            few.tell(autonomous(task, **rules))
            while progress(few).steps < 15:
                pass
            save(few)
            client = again(board, 3)
            assert checkpoints(client).generation == 2
            found = progress(client)
            assert 15 <= found.steps < 50
            inject(client, CODES[30:230])
            board.poll()
        found = progress(client)
        assert (found.activity, found.steps) == (Activity.FINISHED, 50)
        results.append((Kept.of(client), found.learning_rate))
    assert results[0] == results[1]


def test_an_epoch_that_a_power_cut_interrupted_makes_no_loss() -> None:
    """Its losses from before the cut are gone: without them its mean would be too low and might meet the target."""
    target, found = 1 << 19, []
    for cut in (False, True):
        board = InProcessDevice()
        client = memory_client(board)
        client.tell(configure(TEACHER, injected=True))
        inject(client, CODES[:230])
        slow = slow_client(board, 1)
        slow.tell(autonomous(Task.TEACHER, epoch_steps=20, stop_epochs=3, loss_target=target))
        while progress(slow).steps < 30:
            pass
        if cut:
            assert progress(slow).epoch_loss > target
            save(slow)
            board.restart()
            slow = slow_client(board, 1)
            first = progress(slow)
            assert (first.epoch, first.position > 0) == (1, True)
            inject(slow, CODES[30:230])
            while (second := progress(slow)).epoch == 1:
                pass
            assert (second.epoch, second.activity, second.epoch_loss) == (2, Activity.LEARNING, 0)
        board.poll()
        found.append((progress(slow), slow.ask(messages.GetCurve(), messages.Curve)))
    (whole, points), (last, last_points) = found
    assert (last.epoch, last.steps) == (3, 60)
    assert last.epoch_loss == whole.epoch_loss > target
    assert (last_points.interval, list(last_points.points)) == (20, list(points.points)[2:])


def test_a_board_without_a_host_goes_on_after_power_on() -> None:
    board, client = started(XOR, noise(5000))
    client.tell(autonomous(Task.XOR, stop_epochs=1000))
    board.poll(300)
    board.restart()
    board.poll()
    board.poll()
    found = progress(memory_client(board, 3))
    assert (found.activity, found.epoch) == (Activity.FINISHED, 1000)


def test_a_damaged_dataset_keeps_the_network_and_is_told() -> None:
    board, client = started(CLASSES, noise(500))
    rng = np.random.default_rng(1)
    data = upload(client, rng.integers(-60, 61, (20, 4)), rng.integers(0, 3, 20))
    client.tell(autonomous(Task.DATASET))
    run(board, client)
    save(client)
    kept = Kept.of(client)
    memory = bytearray(board.memory)
    place = memory.find(data)
    memory[place + 3] ^= 0x40
    board.memory = bytes(memory)
    client = again(board)
    assert client.welcome.restored == Restored.NO_DATASET
    assert progress(client).activity == Activity.IDLE
    assert Kept.of(client) == kept


# --- when ---


def test_saved_at_the_start_at_a_stop_and_in_between() -> None:
    board, client = started(XOR, noise(60_000), adc_rate=7000)
    client.tell(autonomous(Task.XOR, checkpoint_interval=5, stop_steps=30_000))  # a step is 1 ms
    found = run(board, client)
    assert found.activity == Activity.FINISHED
    # One at the start, one after each 5 of the 30 s and a little that it takes, one at the end.
    assert checkpoints(client).generation == 1 + 6 + 1
    board, client = started(XOR, noise(1), adc_rate=7000)
    client.tell(autonomous(Task.XOR))
    run(board, client)
    assert checkpoints(client).generation == 1
    client.tell(messages.Halt())
    assert checkpoints(client).generation == 2


def test_a_streamed_training_is_saved_too() -> None:
    board = InProcessDevice(codes_per_step=7, adc_rate=7)  # a step is a second
    client = memory_client(board)
    client.tell(configure(XOR))
    client.tell(NO_TESTS)
    row = samples(XOR, 1).ravel()
    for _ in range(2000):
        client.tell(messages.Train(row))
    assert checkpoints(client).generation == 1
    kept = again(board)
    assert 1700 <= kept.status().steps <= 1800


def test_nothing_is_learned_while_it_is_saved_and_the_line_is_served() -> None:
    board = InProcessDevice(codes_per_step=7, adc_rate=70, memory_latency=20)  # a step is a tenth of a second
    client = memory_client(board)
    client.tell(configure(XOR))
    client.tell(NO_TESTS)
    few = slow_client(board, 3)  # turns that are enough for an answer
    few.tell(autonomous(Task.XOR, checkpoint_interval=1))
    assert checkpoints(few).generation == 1
    while not checkpoints(few).saving:
        pass
    steps, answers = progress(few).steps, 0
    while (found := (progress(few), checkpoints(few)))[1].saving:
        assert found[0].steps == steps > 0
        answers += 1
    assert answers > 100
    assert found[1].generation == 2


def test_credit_is_withheld_where_blocks_are_erased() -> None:
    board = InProcessDevice(memory_block=1024, memory_latency=5)
    client = memory_client(board)
    client.tell(configure(XOR))
    client.push(messages.Checkpoint.TYPE, b"\0")
    credits = []
    for _ in range(400):
        board.poll(1)
        credits += [messages.Ack.unpack(f.payload).credit for f in client.decode(board.take()) if f.type == 0x82]
    assert credits[0] == 0
    assert credits[-1] == 4096


# --- there and back ---


def test_a_checkpoint_travels() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(IRIS, injected=True))
    inject(client, CODES[:200])
    train(client, IRIS, 20, 1)
    save(client)
    kept, data = Kept.of(client), client.blob(BlobKind.CHECKPOINT)
    record = messages.CheckpointRecord.unpack(data[: messages.CheckpointRecord.LAYOUT.size])
    assert (record.commit, record.steps, record.generation) == (COMMIT, 20, 1)
    assert record.crc == zlib.crc32(data[6:])

    other = InProcessDevice()
    client = memory_client(other)
    for chunk in set_blob(BlobKind.CHECKPOINT, data, 100):
        client.tell(chunk)
    assert Kept.of(client) == kept
    assert checkpoints(client).generation == 1
    assert Kept.of(again(other)) == kept


@pytest.mark.parametrize("place", [0, 1, 2, 8, 10, 16, 60, 112, 130])
def test_a_damaged_or_foreign_checkpoint_is_refused(place: int) -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(IRIS))
    save(client)
    data = bytearray(client.blob(BlobKind.CHECKPOINT))
    data[place] ^= 4
    before = client.weights()
    for chunk in set_blob(BlobKind.CHECKPOINT, bytes(data), 200)[:-1]:
        client.send(chunk.TYPE, chunk.pack())
    last = set_blob(BlobKind.CHECKPOINT, bytes(data), 200)[-1]
    code, _ = client.refused(last)
    assert code in (Error.BAD_CHECKPOINT, Error.BAD_OFFSET)
    assert client.weights() == before
    assert again(board).welcome.restored in (Restored.NEWEST, Restored.OLDER)


def test_what_has_no_room_is_refused_with_the_bytes_missing() -> None:
    board = InProcessDevice(memory_bytes=400)
    client = memory_client(board)
    client.tell(configure(IRIS))
    found = checkpoints(client)
    assert (found.slot_bytes, found.missing) == (110 + 6 + 134, 100)
    assert client.refused(messages.Checkpoint(CheckpointAction.SAVE)) == (Error.TOO_LARGE, 100)
    client.tell(configure(XOR))
    assert progress(client).room == 400 - 2 * (110 + 6 + 26)
    assert client.refused(messages.DefineDataset(40, 1, 0, 0, 0, 0)) == (Error.TOO_LARGE, 120 - 116)
    assert client.refused(messages.DefineDataset(65535, 2, 0, 0, 0, 0)) == (Error.TOO_LARGE, 65535 * 6 - 116)
    client = memory_client(InProcessDevice(memory_bytes=0))
    client.tell(configure(XOR))
    assert client.refused(messages.Checkpoint(CheckpointAction.SAVE)) == (Error.NO_MEMORY, 0)
    assert client.refused(messages.DefineDataset(1, 1, 0, 0, 0, 0)) == (Error.NO_MEMORY, 0)


def test_iris_fits_beside_two_checkpoints_on_an_uno() -> None:
    client = memory_client(InProcessDevice(memory_bytes=1012, arena=308, max_payload=64))
    client.tell(configure(IRIS))
    assert progress(client).room == 1012 - 2 * 250
    client.tell(messages.DefineDataset(120, 1, 7, 1, 2, 0))  # 480 bytes of inputs, 30 of classes


def test_erased_checkpoints_are_gone() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    client.tell(configure(XOR))
    save(client)
    save(client)
    client.tell(messages.Checkpoint(CheckpointAction.ERASE))
    assert checkpoints(client).generation == 0
    assert client.refused(messages.GetBlob(BlobKind.CHECKPOINT, 0)) == (Error.NO_MEMORY, 0)
    assert again(board).welcome.restored == Restored.NOTHING


def test_codes_that_arrive_meanwhile_do_not_hold_it_up() -> None:
    board = InProcessDevice(memory_latency=3)
    client = memory_client(board)
    client.tell(configure(IRIS))
    board.feed(CODES[:250])
    board.poll()
    client.push(messages.Checkpoint.TYPE, b"\0")
    for turn in range(2000):
        board.feed(CODES[7 * turn : 7 * turn + 7])
        board.poll(1)
    assert board.memory_writes <= 250 + 2  # each byte once, the commit word twice
    assert client.finish() == []
    position = messages.CheckpointRecord.unpack(client.blob(BlobKind.CHECKPOINT)[:110]).noise_position
    assert position == 50 + 7  # where the save began


@pytest.mark.parametrize(("place", "value"), [(34, 0), (54, 200), (17, 2), (55, 1), (57, 5), (69, 9), (70, 7)])
def test_values_that_no_device_writes_are_no_checkpoint(place: int, value: int) -> None:
    """With a checksum that is right: random state 0, place in the buffer, source, limits, activity, task."""
    board, client = started(XOR, noise(50))
    client.tell(autonomous(Task.XOR))
    run(board, client)
    data = bytearray(client.blob(BlobKind.CHECKPOINT))
    width = 4 if place == 34 else 2 if place in (55, 57) else 1
    data[place : place + width] = value.to_bytes(width, "little")
    data[2:6] = zlib.crc32(data[6:]).to_bytes(4, "little")
    client.tell(messages.Halt())
    kept, found = Kept.of(client), progress(client)
    chunks = set_blob(BlobKind.CHECKPOINT, bytes(data), 100)
    for chunk in chunks[:-1]:
        client.tell(chunk)
    assert client.refused(chunks[-1]) == (Error.BAD_CHECKPOINT, CHECKPOINT_FORMAT)
    assert (Kept.of(client), progress(client)) == (kept, found)
    memory = bytearray(board.memory)
    memory[:] = b"\xff" * len(memory)
    memory[-len(data) :] = data[::-1]  # generation 1 belongs into slot 1
    board.memory = bytes(memory)
    client = again(board)
    assert (client.welcome.restored, client.status().state) == (Restored.UNFIT, State.UNCONFIGURED)
    assert progress(client).activity == Activity.IDLE
