"""The device learning autonomously: bit for bit the learner on the same samples, its rules, schedule, evaluation and curve."""

from __future__ import annotations

import numpy as np
import pytest
from autonomous_support import (
    CLASSES,
    FILLING,
    PER_STEP,
    TEACHER,
    XOR,
    Samples,
    autonomous,
    beside,
    noise,
    progress,
    run,
    started,
    stopped,
    upload,
)
from device_support import SMALL, samples
from hypothesis import given
from hypothesis import strategies as st
from plain_client import configure, memory_client

from mtjlearn.fixedpoint.tasks import Generator, curve, decode_point, encode_point, epoch_order, teacher_inputs, xor_samples
from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Activity, BlobKind, Error, StopReason, Task


def blob(client: object, learner: Learner) -> None:
    assert client.weights() == b"".join(part.tobytes() for part in learner.weights)  # type: ignore[attr-defined]


@given(st.integers(1, 3000), st.integers(1, 2**32 - 1))
def test_an_epoch_has_each_sample_once(count: int, seed: int) -> None:
    generator = Generator(seed)
    one, other = epoch_order(generator, count), epoch_order(generator, count)
    assert sorted(one) == sorted(other) == list(range(count))
    assert count < 16 or not np.array_equal(one, other)


@given(st.integers(0, 2**31 - 1))
def test_points_of_the_curve_keep_eleven_bits(loss: int) -> None:
    point = encode_point(loss)
    assert 0 <= point < 2**16
    assert 0 <= loss - decode_point(point) <= loss * 2**-10


@pytest.mark.parametrize(
    ("task", "network", "epoch_steps"), [(Task.XOR, XOR, 0), (Task.TEACHER, TEACHER, 50), (Task.DATASET, CLASSES, 0)], ids=str
)
def test_it_learns_what_the_learner_does(task: Task, network: Network, epoch_steps: int) -> None:
    steps, halve = 700, 300
    codes = noise(steps)
    board, client = started(network, codes)
    rng = np.random.default_rng(1)
    x, classes = rng.integers(-60, 61, (45, 4)), rng.integers(0, 3, 45)
    source = Samples(task, network, 9, epoch_steps)
    if task is Task.DATASET:
        upload(client, x, classes)
        source.x, source.targets = x * 128, classes[:, None]
    client.tell(autonomous(task, stop_steps=steps, epoch_steps=epoch_steps, halve_every=halve))
    found = run(board, client)
    assert (found.activity, found.stop_reason, found.steps) == (Activity.FINISHED, StopReason.STEPS, steps)
    assert found.learning_rate == network.learning_rate_q >> 2

    learner, fresh = beside(network, codes)
    losses: list[int] = []
    for inputs, targets in source.epochs():
        for row in range(min(len(inputs), steps - len(losses))):
            done = len(losses)
            if done and done % halve == 0:
                learner.set_rates((network.learning_rate_q >> done // halve) / 2**28, 0.0)
            losses += learner.train(inputs[row : row + 1], targets[row : row + 1], codes=next(fresh)[np.newaxis]).tolist()
        if len(losses) == steps:
            break
    blob(client, learner)
    status = client.status()
    assert (status.steps, status.loss_sum, status.random_state) == (steps, sum(losses), learner.counters.random_state)
    length = found.epoch_steps
    assert found.epoch_loss == sum(losses[(steps // length - 1) * length : steps // length * length]) // length
    kept = client.ask(messages.GetCurve(), messages.Curve)
    assert (kept.interval, kept.points.tolist()) == curve(losses, length)


def test_evaluations_are_the_learners() -> None:
    codes = noise(400)
    board, client = started(XOR, codes)
    client.tell(autonomous(Task.XOR, stop_epochs=100, evaluate_every=7))
    found = run(board, client)
    assert (found.stop_reason, found.epoch, found.evaluated) == (StopReason.EPOCHS, 100, 100)
    learner = Learner(XOR)
    for part, weights in zip(learner.weights, np.split(np.frombuffer(client.weights(), "<i2"), [9]), strict=True):
        part[:] = weights.reshape(part.shape)
    total, correct = learner.evaluate(*xor_samples())
    assert (found.evaluation_loss, found.correct) == (total // 4, correct)


def test_a_teachers_evaluation_takes_the_same_samples_each_time() -> None:
    board, client = started(TEACHER, noise(60))
    client.tell(autonomous(Task.TEACHER, epoch_steps=20, evaluate_every=1, stop_epochs=3))
    found = run(board, client)
    teacher = Learner(Network(TEACHER.sizes, seed=9))
    x = teacher_inputs(Generator(9), 20, 2)
    learner = Learner(TEACHER)
    sizes = [part.size for part in learner.weights]
    for part, weights in zip(learner.weights, np.split(np.frombuffer(client.weights(), "<i2"), np.cumsum(sizes)[:-1]), strict=True):
        part[:] = weights.reshape(part.shape)
    assert found.evaluation_loss == learner.evaluate(x, teacher.predict(x))[0] // 20


def test_a_target_of_the_loss_stops_it() -> None:
    board, client = started(XOR, noise(20_000))
    target = 1 << 19
    client.tell(autonomous(Task.XOR, loss_target=target, evaluate_every=5))
    found = run(board, client)
    assert (found.activity, found.stop_reason) == (Activity.FINISHED, StopReason.LOSS)
    assert found.evaluation_loss <= target
    assert found.evaluated == found.epoch
    assert found.epoch % 5 == 0
    assert found.correct == 4


def test_without_codes_no_step_is_made() -> None:
    board, client = started(XOR, noise(30))
    client.tell(autonomous(Task.XOR))
    found = run(board, client)
    # Each of the last seven codes serves a step.
    assert (found.activity, found.steps) == (Activity.LEARNING, 30 + PER_STEP - 1)
    assert board.queued == 0


def test_what_it_refuses_while_it_learns() -> None:
    board, client = started(XOR, noise(10))
    client.tell(autonomous(Task.XOR))
    run(board, client)
    row = samples(SMALL, 1).ravel()
    for message in (
        configure(XOR),
        messages.Train(row),
        messages.SetRates(0, 0),
        messages.SetBlob(BlobKind.WEIGHTS, 0, 26, 0, b"12"),
        messages.DefineDataset(1, 1, 0, 0, 0, 0),
        autonomous(Task.XOR),
        messages.Checkpoint(1),
    ):
        assert client.refused(message) == (Error.BUSY, 0), message
    assert len(client.ask(messages.Predict(row[:2]), messages.Prediction).outputs) == 1
    client.tell(messages.Evaluate(1, row[:3]))
    client.tell(messages.Halt())
    found = progress(client)
    assert (found.activity, found.stop_reason, found.steps) == (Activity.HALTED, StopReason.HOST, 10 + PER_STEP - 1)
    client.tell(messages.SetRates(0, 0))
    client.tell(messages.Halt())


@pytest.mark.parametrize(
    ("network", "message", "field"),
    [
        (XOR, autonomous(Task.NONE), 1),
        (Network((3, 3, 1)), autonomous(Task.XOR), 1),
        (CLASSES, autonomous(Task.TEACHER, epoch_steps=5), 1),
        (CLASSES, autonomous(Task.LIVE, epoch_steps=5, live_period=1), 1),
        (Network((5, 3), learning_rate=0.1), autonomous(Task.LIVE, epoch_steps=5, live_period=1), 1),
        (TEACHER, autonomous(Task.TEACHER), 5),
        (XOR, autonomous(Task.XOR, epoch_steps=4), 5),
        (XOR, autonomous(Task.LIVE, epoch_steps=5, live_period=1, evaluate_every=1), 7),
        (XOR, autonomous(Task.LIVE, epoch_steps=5), 9),
        (XOR, autonomous(Task.XOR, live_period=5), 9),
    ],
)
def test_what_does_not_go_together(network: Network, message: messages.Autonomous, field: int) -> None:
    _, client = started(network, noise(1))
    assert client.refused(message) == (Error.OUT_OF_RANGE, field)
    assert progress(client).activity == Activity.IDLE


def test_what_is_missing_is_told() -> None:
    client = memory_client(InProcessDevice())
    assert client.refused(autonomous(Task.XOR)) == (Error.NOT_CONFIGURED, 0)
    client.tell(configure(CLASSES))
    assert client.refused(autonomous(Task.DATASET)) == (Error.NOT_LOADED, 0)
    client = memory_client(InProcessDevice(arena=1024))
    client.tell(configure(Network((2, 24, 5, 1))))
    used = client.status().arena_used
    missing = (used + 3) // 4 * 4 + client.ask(messages.GetBlob(0, 0), messages.Blob).total + 6 - 1024
    assert client.refused(autonomous(Task.TEACHER, epoch_steps=9)) == (Error.TOO_LARGE, missing)
    client.tell(autonomous(Task.LIVE, epoch_steps=9, live_period=1))


def test_a_live_task_learns_from_pins() -> None:
    period, steps = 5, 40
    board, client = started(XOR, noise(5000), adc_rate=7000)
    for pin, code in ((1, 512 + 256), (2, 512 - 100), (3, 0)):
        board.set_analog(pin, code)
    client.tell(autonomous(Task.LIVE, epoch_steps=10, live_period=period, stop_steps=steps))
    found = run(board, client)
    assert stopped(found)
    # A turn is 7 codes of 7,000 per second: 1 ms; a sample is due every 5 ms.
    taken = client.status().codes - FILLING
    assert taken == pytest.approx(PER_STEP * period * steps, abs=PER_STEP * period)
    outputs = client.ask(messages.Predict(np.array([2048, -800])), messages.Prediction).outputs
    assert outputs[0] < -2048  # its target was -4096, whatever it was before


def test_weights_that_are_read_are_of_one_step() -> None:
    board, client = started(Network((20, 30, 1), learning_rate=0.001), noise(100))
    client.tell(autonomous(Task.TEACHER, epoch_steps=100))
    chunk = client.ask(messages.GetBlob(BlobKind.WEIGHTS, 0), messages.Blob)
    board.queue(noise(100, seed=1))
    assert client.status().steps == 100 + PER_STEP - 1
    # What ends the pause: the last chunk, time, or another host. The clock stands still while it waits.
    client.ask(messages.GetBlob(BlobKind.WEIGHTS, chunk.total - 2), messages.Blob)
    board.poll()
    steps = client.status().steps
    assert steps > 200
    client.ask(messages.GetBlob(BlobKind.WEIGHTS, 0), messages.Blob)
    board.queue(noise(100, seed=2))
    board.set_micros(2_000_000)
    board.poll()
    assert client.status().steps > steps + 100
    client.ask(messages.GetBlob(BlobKind.WEIGHTS, 0), messages.Blob)
    board.queue(noise(100, seed=3))
    other = memory_client(board, 2)
    board.poll()
    assert other.status().steps > steps + 200
