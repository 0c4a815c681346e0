"""Samples in parts over a line that damages what it carries, to the real device in C: none is ever mixed, lost or trained twice."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from faulty_link_support import KINDS, FaultyLine, codes, configure, inject, status
from link_support import Rig

from mtjlearn.board.samples import evaluate_commands, predict_commands, train_commands
from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command

pytestmark = pytest.mark.thorough

NETWORK = Network((300, 3), learning_rate=0.02, seed=5)
INPUTS = NETWORK.sizes[0]


def rows(count: int, seed: int, *, narrow: bool) -> npt.NDArray[np.int16]:
    values = np.random.default_rng(seed).integers(-4096, 4097, (count, INPUTS + NETWORK.sizes[-1])).astype(np.int16)
    values[:, :INPUTS] = values[:, :INPUTS] >> 6 << 6 if narrow else values[:, :INPUTS]
    return values


def opened(random: Random, gap: int, kinds: tuple[str, ...], max_payload: int = 240) -> tuple[Rig, Learner, FaultyLine]:
    rig = Rig(InProcessDevice(max_payload=max_payload, receive_window=1024), latency=0.0005)
    rig.keep_sent = False
    rig.open()
    messages_ = [Command(messages.Inject.TYPE, c.payload[at : at + 60]) for c in inject() for at in range(0, len(c.payload), 60)]
    rig.finish(configure(NETWORK), *messages_)
    line = FaultyLine(random, gap, kinds)
    rig.up = rig.down = line
    rig.stall = line.stall
    model = Learner(NETWORK)
    model.put_codes(codes())
    return rig, model, line


def assert_same(rig: Rig, model: Learner) -> None:
    seen, expected = status(rig), model.counters
    assert (seen.steps, seen.loss_sum, seen.random_state) == (expected.steps, expected.loss_sum, expected.random_state)


@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_every_sample_is_trained_once_and_whole(kind: str) -> None:
    random = Random(7)
    rig, model, line = opened(random, 700, KINDS if kind == "all" else (kind,), 64 if kind == "all" else 240)
    most = 64 if kind == "all" else 240
    for batch in range(3):
        values = rows(40, batch, narrow=batch == 1)
        commands = list(train_commands(values, most, INPUTS))
        rig.finish(*commands, limit=1000)
        assert all(command.done and command.refusal is None for command in commands), rig.link.failure
        model.train(values[:, :INPUTS], values[:, INPUTS:])
        assert_same(rig, model)
    assert line.count > 20


def test_predictions_that_get_lost_are_asked_again_with_their_parts() -> None:
    """The answer is lost behind the acknowledgement, while the parts of later samples are on their way."""
    rig, model, line = opened(Random(3), 250, ("flip", "drop"))
    for batch in range(4):
        values = rows(40, batch, narrow=False)[:, :INPUTS]
        commands = list(predict_commands(values, NETWORK.sizes[-1], 240, in_parts=True))
        # Questions come in between, as from another thread.
        mixed = [one for command in commands for one in (command, Command.of(messages.GetStatus()))]
        rig.finish(*mixed, limit=1000)
        answers = np.array([command.answer.outputs for command in commands if isinstance(command.answer, messages.Prediction)])
        np.testing.assert_array_equal(answers, model.predict(values))
    assert rig.link.counters.asked_again > 20
    assert line.count > 100
    assert_same(rig, model)


def test_an_evaluation_counts_each_sample_once() -> None:
    rig, model, _ = opened(Random(5), 400, KINDS)
    values = rows(60, 1, narrow=True)
    rig.finish(*evaluate_commands(values, 240, INPUTS), limit=1000)
    rig.up = rig.down = lambda data: data
    (question,) = rig.finish(Command.of(messages.GetMetrics()))
    assert isinstance(question.answer, messages.Metrics)
    assert (question.answer.samples, question.answer.loss_sum) == (60, model.evaluate(values[:, :INPUTS], values[:, INPUTS:])[0])


def test_a_sample_that_was_given_up_in_the_middle_leaves_nothing_behind() -> None:
    """After an interrupt the rest of a sample is not sent. The next one is whole all the same."""
    rig, model, _ = opened(Random(9), 500, KINDS)
    random = Random(2)
    for batch in range(60):
        values = rows(6, batch, narrow=batch % 2 == 0)
        commands = rig.submit(*train_commands(values, 240, INPUTS))
        rig.wait(random.choice((0.0, 0.0006, 0.002, 0.006)))
        rig.link.drop_queued()
        sent = [command for command in commands if command.number >= 0]
        rig.run(lambda sent=sent: all(command.done for command in sent))  # type: ignore[misc]
        assert not any(command.refusal for command in sent)
        model.train(values[: len(sent), :INPUTS], values[: len(sent), INPUTS:])
        assert_same(rig, model)
    assert 0 < status(rig).steps < 360
