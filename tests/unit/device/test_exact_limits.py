"""Where the device's limits lie, to the last unit, and what holds after a refusal."""

from __future__ import annotations

import dataclasses
import math
import zlib

import numpy as np
import pytest
from autonomous_support import CLASSES, Samples, autonomous, beside, noise, progress, run, started, upload
from checkpoint_support import again, checkpoints, save
from device_support import CODES, SMALL, opened, samples
from plain_client import PlainClient, configure, memory_client, noise_codes, set_blob, sum_codes

from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice
from mtjlearn.network import Loss, Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity, BlobKind, Error, NoiseFault, ResetCause, Restored, StopReason, TargetKind, Task

SIZES = len(dataclasses.fields(messages.Configure))
"""Number of CONFIGURE's field for the sizes."""
SILENCE = 489 * 1024
"""Microseconds without a code after which a converter in real time is silent."""


# --- CONFIGURE ---


def test_eight_layers_and_no_more() -> None:
    _, client = opened(Network((2,) * 9))
    row = samples(Network((2,) * 9), 1).ravel()
    client.tell(messages.Train(row))
    message = configure(Network((2,) * 9))
    message = messages.Configure(**{**vars(message), "sizes": np.full(10, 2, np.uint16)})
    assert client.refused(message) == (Error.OUT_OF_RANGE, SIZES)
    assert client.status().steps == 1  # the network before is still there


@pytest.mark.parametrize("max_payload", [64, 240])
@pytest.mark.parametrize("loss", list(Loss))
def test_the_widest_sample_that_fits_a_frame(max_payload: int, loss: Loss) -> None:
    values = (max_payload - 1) // 2
    outputs = 3
    targets = 1 if loss is Loss.CROSS_ENTROPY else outputs
    widest = Network((values - targets, outputs), loss=loss)
    _, client = opened(widest, max_payload=max_payload)
    row = samples(widest, 1).ravel()
    client.tell(messages.Evaluate(0, row))
    client.tell(messages.Train(row))
    assert client.status().steps == 1
    wider = Network((values - targets + 1, outputs), loss=loss)
    client.tell(configure(wider, injected=True))
    row = samples(wider, 1).ravel()
    assert client.refused(messages.Evaluate(0, row[: values - targets])) == (Error.BAD_LENGTH, 2 * (values - targets) + 1)
    client.tell(messages.SamplePart(0, 2, 0, row[:1].astype("<i2").tobytes()))
    client.tell(messages.Evaluate(0, row[1:]))


@pytest.mark.parametrize("max_payload", [64, 240])
def test_the_most_targets_that_an_evaluation_holds(max_payload: int) -> None:
    most = (max_payload - 1) // 2
    _, client = opened(Network((130, most), antithetic=True), max_payload=max_payload)
    more = Network((130, most + 1), antithetic=True)
    assert client.refused(configure(more, injected=True)) == (Error.OUT_OF_RANGE, SIZES)


@pytest.mark.parametrize("max_payload", [64, 240])
def test_as_many_classes_as_a_prediction_holds(max_payload: int) -> None:
    most = Network((2, max_payload // 2), loss=Loss.CROSS_ENTROPY, antithetic=True)
    _, client = opened(most, max_payload=max_payload)
    assert len(client.ask(messages.Predict(np.array([1, 2], np.int16)), messages.Prediction).outputs) == max_payload // 2
    more = Network((2, max_payload // 2 + 1), loss=Loss.CROSS_ENTROPY, antithetic=True)
    assert client.refused(configure(more, injected=True)) == (Error.OUT_OF_RANGE, SIZES)


def test_the_last_refusal_outlives_a_reset_and_commands_that_are_done() -> None:
    board, client = opened()
    assert client.refused(messages.Train(np.zeros(1, np.int16)))[0] == Error.BAD_LENGTH
    board.restart(ResetCause.WATCHDOG)
    client = memory_client(board, nonce=2)
    assert client.welcome.last_error == Error.BAD_LENGTH
    assert client.refused(messages.Predict(np.zeros(2, np.int16)))[0] == Error.NOT_CONFIGURED
    # Another session: no error in it, and the one before is still the last.
    client = memory_client(board, nonce=3)
    status = client.status()
    assert (status.last_error, status.last_error_seq, status.last_error_detail) == (0, 0, 0)
    client.tell(configure(SMALL, injected=True))
    board.restart(ResetCause.WATCHDOG)
    assert memory_client(board, nonce=4).welcome.last_error == Error.NOT_CONFIGURED


# --- memory, and what holds before and after ---


def test_a_training_that_fills_the_arena_begins_and_one_byte_less_is_refused() -> None:
    network = Network((2, 24, 5, 1))
    _, client = opened(network, injected=False, arena=4096)
    place = (client.status().arena_used + 3) // 4 * 4
    needed = place + client.ask(messages.GetBlob(0, 0), messages.Blob).total + 2 * (2 + 1)
    _, client = opened(network, injected=False, arena=needed - 1)
    assert client.refused(autonomous(Task.TEACHER, epoch_steps=9)) == (Error.TOO_LARGE, 1)
    _, client = opened(network, injected=False, arena=needed)
    client.tell(autonomous(Task.TEACHER, epoch_steps=9))


def test_a_new_board_saves_every_half_an_hour() -> None:
    _, client = opened(None)
    assert checkpoints(client).interval == 1800
    client.tell(configure(SMALL))
    assert checkpoints(client).interval == 1800


def test_to_switch_the_tests_off_ends_a_fault_and_forgets_the_levels() -> None:
    board = InProcessDevice(codes_per_step=16)
    client = memory_client(board)
    client.tell(configure(SMALL))
    client.tell(autonomous(Task.TEACHER, epoch_steps=9))
    board.poll(300)
    board.set_noise(DeviceNoise.STUCK)
    board.poll(300)
    assert client.ask(messages.GetHealth(), messages.Health).fault != NoiseFault.NONE
    client.tell(messages.SetHealth(2, 0, 0, 0, 0, 0))
    found = client.ask(messages.GetHealth(), messages.Health)
    assert (found.fault, found.level_high) == (NoiseFault.NONE, 0)


# --- datasets in the board's memory ---


@pytest.mark.parametrize("sizes", [(5, 3, 2), (2, 4, 1)])
def test_progress_states_how_many_samples_fit(sizes: tuple[int, ...]) -> None:
    _, client = opened(Network(sizes), memory_bytes=1024)
    found = progress(client)
    assert found.sample_bytes == sizes[0] + sizes[-1]
    fit = found.room // found.sample_bytes
    assert client.refused(messages.DefineDataset(fit + 1, 1, 0, TargetKind.VALUES, 0, 0))[0] == Error.TOO_LARGE
    client.tell(messages.DefineDataset(fit, 1, 0, TargetKind.VALUES, 0, 0))


@pytest.mark.parametrize("value_bytes", [1, 2])
@pytest.mark.parametrize("sizes", [(2, 3, 2), (3, 4, 1), (1, 2, 5)])
def test_real_valued_targets_are_read_from_their_place(sizes: tuple[int, ...], value_bytes: int) -> None:
    network = Network(sizes, learning_rate=0.04, seed=7)
    rng = np.random.default_rng(4)
    limit, scale = (127, 5) if value_bytes == 1 else (4096, 0)
    rows = rng.integers(-limit, limit + 1, (11, sizes[0] + sizes[-1]))
    codes = noise(200)
    board, client = started(network, codes)
    data = rows.astype(f"<i{value_bytes}").tobytes()
    client.tell(messages.DefineDataset(len(rows), value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
    for chunk in set_blob(BlobKind.DATASET, data, 100):
        client.tell(chunk)
    client.tell(autonomous(Task.DATASET, stop_steps=110, seed=9))
    assert run(board, client).activity == Activity.FINISHED
    learner, fresh = beside(network, codes)
    values = rows << scale
    epochs = Samples(Task.DATASET, network, 9, 11, values[:, : sizes[0]], values[:, sizes[0] :]).epochs()
    for _ in range(10):
        x, targets = next(epochs)
        for row, target in zip(x, targets, strict=True):
            learner.train(row[np.newaxis], target[np.newaxis], codes=next(fresh)[np.newaxis])
    assert client.status().steps == 110
    assert client.weights() == b"".join(part.tobytes() for part in learner.weights)


@pytest.mark.parametrize(("value_bytes", "scale"), [(2, 1), (2, 8), (1, 8)])
def test_scaled_values_saturate_where_they_leave_their_range(value_bytes: int, scale: int) -> None:
    network = Network((1, 2, 1), learning_rate=0.04, seed=7)
    least, most = (-128, 127) if value_bytes == 1 else (-32768, 32767)
    edge = 32768 >> scale
    values = [value for value in (edge - 1, edge, edge + 1, edge // 2, edge * 3 // 4, most) for value in (value, -value)] + [least]
    inputs = np.array([value for value in values if least <= value <= most])
    codes = noise(200)
    for value in inputs.tolist():
        board, client = started(network, codes)
        data = np.array([value, 0], f"<i{value_bytes}").tobytes()
        client.tell(messages.DefineDataset(1, value_bytes, scale, TargetKind.VALUES, 0, zlib.crc32(data)))
        for chunk in set_blob(BlobKind.DATASET, data, 100):
            client.tell(chunk)
        client.tell(autonomous(Task.DATASET, stop_steps=40))
        assert run(board, client).activity == Activity.FINISHED
        learner, fresh = beside(network, codes)
        x = np.array([[max(-32767, min(32767, value << scale))]])
        for _ in range(40):
            learner.train(x, np.zeros((1, 1), np.int64), codes=next(fresh)[np.newaxis])
        assert client.weights() == b"".join(part.tobytes() for part in learner.weights), value


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 15, 16, 17])
def test_packed_classes_take_whole_bytes(bits: int, count: int) -> None:
    """Also where bits % 8 is 1: the last byte holds one class alone."""
    network = Network((4, 2), loss=Loss.CROSS_ENTROPY, seed=7)
    _, client = started(network, noise(1))
    rng = np.random.default_rng(count)
    data = upload(client, rng.integers(-9, 9, (count, 4)), rng.integers(0, 2, count), bits=bits)
    assert len(data) == 4 * count + math.ceil(count * bits / 8)
    assert client.blob(BlobKind.DATASET) == data
    client.tell(autonomous(Task.DATASET))


@pytest.mark.parametrize("outputs", [1, 2])
def test_signs_are_targets_of_one_output(outputs: int) -> None:
    _, client = started(Network((4, outputs), seed=7), noise(1))
    data = bytes(9 * 4 + 2)
    define = messages.DefineDataset(9, 1, 7, TargetKind.SIGNS, 1, zlib.crc32(data))
    if outputs == 1:
        client.tell(define)
    else:
        assert client.refused(define) == (Error.OUT_OF_RANGE, 4)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_dataset_may_fill_the_memory_to_the_last_byte(missing: int) -> None:
    network = Network((1, 1), seed=7)
    board = InProcessDevice(memory_bytes=400)
    client = memory_client(board)
    client.tell(configure(network))
    room = progress(client).room
    assert room % 2 == 0
    values = np.arange(room + 2 * missing) % 100
    data = values.astype(np.int8).tobytes()
    define = messages.DefineDataset(len(data) // 2, 1, 0, TargetKind.VALUES, 0, zlib.crc32(data))
    if missing:
        assert client.refused(define) == (Error.TOO_LARGE, 2)
        return
    client.tell(define)
    save(client)
    save(client)
    for chunk in set_blob(BlobKind.DATASET, data, 100):
        client.tell(chunk)
    assert client.blob(BlobKind.DATASET) == data
    client = again(board)
    assert (client.welcome.restored, checkpoints(client).generation) == (Restored.NEWEST, 2)


@pytest.mark.parametrize(
    ("define", "refusal"),
    [
        ((0, 1, 7, TargetKind.CLASSES, 2), (Error.OUT_OF_RANGE, 1)),
        ((9, 0, 7, TargetKind.CLASSES, 2), (Error.OUT_OF_RANGE, 2)),
        ((9, 3, 7, TargetKind.CLASSES, 2), (Error.OUT_OF_RANGE, 2)),
        ((9, 1, 16, TargetKind.CLASSES, 2), (Error.OUT_OF_RANGE, 3)),
        ((9, 1, 7, TargetKind.SIGNS, 2), (Error.OUT_OF_RANGE, 4)),
        ((9, 1, 7, TargetKind.VALUES, 0), (Error.OUT_OF_RANGE, 4)),
        ((9, 1, 7, 3, 2), (Error.OUT_OF_RANGE, 4)),
        ((9, 1, 7, TargetKind.CLASSES, 3), (Error.OUT_OF_RANGE, 5)),
        ((8192, 1, 7, TargetKind.CLASSES, 2), (Error.TOO_LARGE, 8192 * 4 + 2048 - (16384 - 2 * 250))),
    ],
    ids=str,
)
def test_a_refused_definition_leaves_the_dataset_before(define: tuple[int, ...], refusal: tuple[int, int]) -> None:
    codes = noise(60)
    board, client = started(CLASSES, codes)
    rng = np.random.default_rng(2)
    x, classes = rng.integers(-9, 9, (9, 4)), rng.integers(0, 3, 9)
    data = upload(client, x, classes)
    payload = messages.DefineDataset.LAYOUT.pack(*define, 0)
    assert client.refusal(messages.DefineDataset.TYPE, payload) == refusal
    assert client.blob(BlobKind.DATASET) == data
    client.tell(autonomous(Task.DATASET, stop_steps=45))
    assert run(board, client).activity == Activity.FINISHED
    assert client.status().steps == 45


def test_a_refused_stop_rule_leaves_the_last_task() -> None:
    board, client = started(CLASSES, noise(60))
    rng = np.random.default_rng(2)
    upload(client, rng.integers(-9, 9, (9, 4)), rng.integers(0, 3, 9))
    client.tell(autonomous(Task.DATASET, stop_steps=20))
    before = run(board, client)
    assert (before.activity, before.stop_reason) == (Activity.FINISHED, StopReason.STEPS)
    assert client.refused(autonomous(Task.XOR))[0] in (Error.OUT_OF_RANGE, Error.WRONG_MODE)
    assert progress(client) == before


# --- time ---


def health(client: PlainClient) -> messages.Health:
    return client.ask(messages.GetHealth(), messages.Health)


@pytest.mark.parametrize("begin", [0, 900 * 1024, 2**32 - 200 * 1024], ids=["at the start", "later", "when the clock wraps"])
@pytest.mark.parametrize(("late", "fault"), [(-1, NoiseFault.NONE), (0, NoiseFault.SILENT)])
def test_silence_begins_after_half_a_second_and_not_before(begin: int, late: int, fault: NoiseFault) -> None:
    board = InProcessDevice(real_time=True)
    client = memory_client(board)
    board.set_micros(begin)
    board.feed(CODES[:1])
    client.status()
    board.set_micros((begin + SILENCE + late) % 2**32)
    board.poll()
    assert health(client).fault == fault


def test_codes_that_come_in_time_are_never_silence() -> None:
    board = InProcessDevice(real_time=True)
    client = memory_client(board)
    for turn in range(300):
        board.set_micros(turn * (SILENCE - 1024))
        board.feed(CODES[turn : turn + 1])
        assert health(client).fault == NoiseFault.NONE


def test_a_virtual_clock_is_never_silent() -> None:
    board = InProcessDevice()
    client = memory_client(board)
    board.set_micros(10 * SILENCE)
    board.poll()
    assert health(client).fault == NoiseFault.NONE


def test_a_virtual_clock_goes_on_while_a_fault_lasts() -> None:
    """Without it a source that has healed would stay broken forever: nothing is trained, so no code would come."""
    board = InProcessDevice(codes_per_step=16)
    client = PlainClient(board.push, lambda: (board.poll(1), board.take())[1])
    client.tell(configure(SMALL))
    client.tell(messages.Train(samples(SMALL, 4).ravel()))
    board.set_noise(DeviceNoise.STUCK)
    while health(client).fault == NoiseFault.NONE:
        client.send(messages.Train.TYPE, messages.Train(samples(SMALL, 1).ravel()).pack())
    before = client.status()
    board.set_noise(DeviceNoise.SMTJ)
    for _ in range(3 * 1024 // 16):
        board.poll(1)
    after = client.status()
    assert after.steps == before.steps
    assert after.codes - before.codes >= 600
    assert health(client).fault == NoiseFault.NONE


# --- codes ---


@pytest.mark.parametrize("extra", [0, 1, 16, 1023, 1024])
def test_codes_stay_in_order_when_the_converter_overruns(extra: int) -> None:
    board, client = opened(None, adc_bits=16)
    client.tell(messages.Noise(1000, 0))
    codes = np.arange(1024 + extra) + 1000
    board.feed(codes)
    client.listen(lambda unasked: sum_codes(unasked) >= 1000)
    stream = [message for message in client.unasked if isinstance(message, messages.NoiseCodes)]
    assert stream[0].first == extra
    np.testing.assert_array_equal(noise_codes(stream), codes[extra : extra + 1000])
    assert client.status().codes_lost == extra


@pytest.mark.parametrize("age", [100, 101])
def test_a_frame_waits_for_its_last_code(age: int) -> None:
    """100 codes make a frame at 10 bits: it leaves with the hundredth, not before."""
    board, client = opened(None)
    client.tell(messages.Noise(0, 0))
    board.feed(CODES[: age - 1])
    board.poll()
    client.status()
    assert sum_codes(client.unasked) == age - 1 - (age - 1) % 100
    board.feed(CODES[age - 1 : age])
    board.poll()
    client.status()
    assert sum_codes(client.unasked) == 100


def squares(total: int, most: int) -> list[int]:
    """Not more than `most` numbers whose squares have this sum."""
    parts = []
    while total:
        parts.append(math.isqrt(total))
        total -= parts[-1] ** 2
    assert len(parts) <= most
    return parts


@pytest.mark.parametrize("rest", [0, 60, 100])
@pytest.mark.parametrize("times", [1, 2, 9])
def test_the_deviation_borrows_from_its_high_word(rest: int, times: int) -> None:
    """200 times the sum of squares just beyond a multiple of 2^32; what is subtracted, rest^2, takes it below."""
    target = (times * 2**32 + 199) // 200
    target += (target - rest) % 2
    middle = 30_000
    codes = np.full(200, middle)
    codes[:rest] += 1
    for index, distance in enumerate(squares((target - rest) // 2, (200 - rest) // 2)):
        codes[rest + 2 * index : rest + 2 * index + 2] = middle - distance, middle + distance
    assert codes.min() >= 0
    assert codes.max() < 2**16
    exact = 200 * int(np.sum(codes.astype(object) ** 2)) - int(codes.sum()) ** 2
    assert (exact >> 32 < times) == (rest > 16)
    learner = Learner(SMALL)
    learner.put_codes(codes)
    learner.train(np.zeros((1, 2), int), np.zeros((1, 1), int), codes=codes[:7][np.newaxis])
    _, client = opened(None, adc_bits=16)
    client.tell(configure(SMALL, injected=True))
    for start in range(0, 200, 25):
        client.tell(messages.Inject(codes[start : start + 25]))
    client.tell(messages.Train(np.zeros(3, np.int16)))
    assert learner.counters.deviation == client.status().noise_deviation == math.isqrt(exact)


# --- checkpoints ---


@pytest.mark.parametrize("generation", [1, 6, 2**31])
def test_an_insane_record_leaves_the_number_of_the_newest_checkpoint(generation: int) -> None:
    board, client = started(CLASSES, noise(1))
    save(client)
    save(client)
    data = bytearray(client.blob(BlobKind.CHECKPOINT))
    data[6:10] = generation.to_bytes(4, "little")
    data[34:38] = bytes(4)  # random state 0, which no device has
    data[2:6] = zlib.crc32(data[6:]).to_bytes(4, "little")
    chunks = set_blob(BlobKind.CHECKPOINT, bytes(data), 100)
    for chunk in chunks[:-1]:
        client.tell(chunk)
    assert client.refused(chunks[-1])[0] == Error.BAD_CHECKPOINT
    assert checkpoints(client).generation == 2
    client.tell(configure(CLASSES))
    save(client)
    assert checkpoints(client).generation == 3
    assert again(board).welcome.restored == Restored.NEWEST
