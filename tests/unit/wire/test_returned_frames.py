"""A frame that comes back when its sequence number is the next one again: refused and counted, by the device and by the host."""

from __future__ import annotations

import pytest
from device_support import SMALL, opened, samples
from link_support import Rig
from plain_client import PlainClient

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command

LATER = pytest.mark.parametrize("later", [256, 512])


def bad_frames(board: InProcessDevice, client: PlainClient) -> int:
    """As the next ACK reports them."""
    client.push(messages.GetStatus.TYPE, b"")
    board.poll()
    ack = messages.Ack.unpack(client.decode(board.take())[-1].payload)
    client.skip(1)
    return ack.bad_frames


@LATER
def test_a_command_that_returns_is_not_executed_again(later: int) -> None:
    board, client = opened()
    train = messages.Train(samples(SMALL, 1)[0])
    kept = client.frame(train.TYPE, train.pack())
    client.tell(train)
    steps = client.status().steps
    for _ in range(later - 3):
        client.status()
    bad = bad_frames(board, client)
    board.push(kept)
    assert bad_frames(board, client) == bad + 1
    assert client.status().steps == steps


@LATER
def test_an_answer_that_returns_is_not_believed(later: int) -> None:
    rig = Rig(InProcessDevice()).open()
    kept: list[bytes] = []
    rig.down = lambda data: kept.append(data) or data  # type: ignore[func-returns-value]
    rig.finish(Command.of(messages.GetStatus()))
    rig.finish(*(Command.of(messages.GetHealth()) for _ in range(later - 1)))
    rig.down = lambda _: b""
    (question,) = rig.submit(Command.of(messages.GetStatus()))
    rig.wait(0.01)  # it is on its way with the number of the first, and the device's answer is lost
    bad = rig.link.counters.received_bad
    rig.link.receive(kept[0], rig.now)  # STATUS and its ACK
    assert rig.link.counters.received_bad == bad + 2
    assert question.answer is None
    rig.down = lambda data: data
    rig.run(lambda: question.done)
    assert isinstance(question.answer, messages.Status)


def test_a_frame_of_another_session_with_the_same_number_is_refused() -> None:
    board, client = opened()
    train = messages.Train(samples(SMALL, 1)[0])
    bad = bad_frames(board, client)
    client.nonce += 255
    board.push(client.frame(train.TYPE, train.pack()))
    client.nonce -= 255
    assert bad_frames(board, client) == bad + 1


def test_telemetry_carries_the_number_expected_next() -> None:
    board, client = opened()
    client.tell(messages.SetTelemetry(1))
    train = messages.Train(samples(SMALL, 1)[0])
    client.push(train.TYPE, train.pack())
    board.poll()
    frames = client.decode(board.take())
    told = [frame.seq for frame in frames if frame.type == messages.Telemetry.TYPE]
    assert told
    assert set(told) <= {client.next_seq, client.next_seq + 1}
