"""The host's link against a device in Python, on a virtual clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from link_support import ModelDevice, Rig, drop_frames, flip_once, frames, train, welcome

from mtjlearn.board import Schedule
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command, Refusal
from mtjlearn.wire.errors import BoardError, BoardLost, BoardTimeout, VersionMismatch
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.messages import MAX_OUTSTANDING
from mtjlearn.wire.sender import RTO_CAP, RTO_FLOOR
from mtjlearn.wire.session import HELLO_INTERVAL, OPEN_TIMEOUT, SILENCE, STALL, WRITING_SILENCE, Link, LinkState


def numbered(count: int, size: int = 20) -> list[Command]:
    return [train(i.to_bytes(2, "little") * (size // 2)) for i in range(count)]


def opened(**options: int) -> tuple[Rig, ModelDevice]:
    device = ModelDevice(**options)
    return Rig(device).open(), device


# --- opening ---


def test_hello_is_repeated_until_the_device_has_started() -> None:
    device = ModelDevice()
    rig = Rig(device)
    asleep = [12]

    def up(data: bytes) -> bytes:
        asleep[0] -= 1
        return data if asleep[0] < 0 else b""

    rig.up = up
    rig.open()
    times = [when for when, _ in rig.sent]
    assert len(times) == 13
    assert all(b - a == pytest.approx(HELLO_INTERVAL) for a, b in pairwise(times))
    assert rig.link.welcome is not None
    assert rig.link.welcome.board == "model"


def test_no_answer_is_a_time_out() -> None:
    rig = Rig(ModelDevice())
    rig.up = lambda data: b""
    start = rig.now
    rig.run(lambda: False)
    assert isinstance(rig.link.failure, BoardTimeout)
    assert rig.now - start == pytest.approx(OPEN_TIMEOUT)
    assert "no answer within 5 s" in str(rig.link.failure)


@pytest.mark.parametrize(("version", "side"), [(messages.VERSION + 1, "host: install"), (messages.VERSION - 1, "board: flash")])
def test_another_version_is_refused_and_the_side_to_update_named(version: int, side: str) -> None:
    device = ModelDevice()
    device.welcome_changes = {"version": version, "session": 0, "schema": 5}
    rig = Rig(device)
    rig.run(lambda: False)
    assert isinstance(rig.link.failure, VersionMismatch)
    text = str(rig.link.failure)
    assert f"protocol version {version}" in text
    assert f"host version {messages.VERSION}" in text
    assert side in text


def test_another_schema_of_the_same_version_is_refused() -> None:
    device = ModelDevice()
    device.welcome_changes = {"schema": 0xDEADBEEF}
    rig = Rig(device)
    rig.run(lambda: False)
    assert isinstance(rig.link.failure, VersionMismatch)
    assert "deadbeef" in str(rig.link.failure)
    assert f"{messages.SCHEMA:08x}" in str(rig.link.failure)


def test_a_welcome_of_another_size_still_tells_its_version() -> None:
    link = Link(0.0, 77)
    link.receive(encode_frame(messages.Welcome.TYPE, 0, 0, welcome(77, version=9).pack() + b"more"), 0.1)
    assert "version 9" in str(link.failure)


def test_answers_to_another_hello_are_ignored() -> None:
    link = Link(0.0, 77)
    link.receive(encode_frame(messages.Welcome.TYPE, 0, 0, welcome(76).pack()), 0.1)
    assert link.state is LinkState.OPENING
    with pytest.raises(BoardError, match="not open"):
        link.submit(train(b"12"), 0.1)


# --- the window ---


def test_commands_arrive_in_order_also_when_the_sequence_wraps() -> None:
    rig, device = opened()
    commands = rig.finish(*numbered(1000))
    assert device.executed == [c.payload for c in commands]
    assert rig.link.idle
    assert rig.link.counters.resent == 0


@pytest.mark.parametrize("window", [120, 250, 1024])
def test_bytes_in_flight_stay_within_credit_and_frames_within_the_limit(window: int) -> None:
    rig, device = opened(window=window)
    rig.finish(*numbered(100, size=64))
    flights = [data for when, data in rig.sent if when > 100.01]
    assert max(map(len, flights)) <= window
    assert max(len(frames(data)) for data in flights) <= MAX_OUTSTANDING
    assert max(map(len, flights)) > window - 80 or max(len(frames(data)) for data in flights) == MAX_OUTSTANDING
    assert len(device.executed) == 100


def test_without_credit_nothing_is_sent_but_a_probe() -> None:
    rig, device = opened()
    device.credit = 0
    rig.finish(*numbered(1))
    sent = len(rig.sent)
    commands = rig.submit(*numbered(3))
    rig.wait(0.01)
    assert len(rig.sent) == sent
    # The ACK that reopens the window is lost: the probe finds out.
    device.credit = 1024
    rig.run(lambda: all(c.done for c in commands))
    assert len(device.executed) == 4


# --- losses ---


def test_a_damaged_frame_is_sent_again_before_the_time_out() -> None:
    rig, device = opened()
    rig.finish(*numbered(50))
    start = rig.now
    rig.up = flip_once(15)
    commands = rig.finish(*numbered(8))
    assert device.executed[50:] == [c.payload for c in commands]
    assert rig.now - start < RTO_FLOOR
    assert rig.link.counters.resent == 8


def test_the_last_frame_damaged_is_sent_again_at_once() -> None:
    rig, device = opened()
    rig.finish(*numbered(50))
    start = rig.now
    rig.up = flip_once(15)
    rig.finish(*numbered(1))
    assert len(device.executed) == 51
    assert rig.now - start < RTO_FLOOR


def test_noise_between_frames_makes_nothing_be_sent_again() -> None:
    rig, device = opened()
    rig.finish(*numbered(20))
    once = [b"\x12\x34\0"]
    rig.up = lambda data: (once.pop() if once else b"") + data
    rig.finish(*numbered(200))
    assert len(device.executed) == 220
    assert rig.link.counters.bad_frames == 1
    assert rig.link.counters.resent == 0


def test_a_frame_that_vanished_whole_is_found_by_the_time_out() -> None:
    rig, device = opened()
    rig.finish(*numbered(50))
    start = rig.now
    rig.up = drop_frames(messages.Train.TYPE)
    rig.finish(*numbered(8))
    assert len(device.executed) == 58
    assert RTO_FLOOR <= rig.now - start < 3 * RTO_FLOOR


def test_lost_acks_make_one_frame_be_sent_again_and_nothing_be_executed_twice() -> None:
    rig, device = opened()
    rig.finish(*numbered(50))
    rig.down = drop_frames(messages.Ack.TYPE, times=8)
    commands = rig.finish(*numbered(8))
    assert device.executed[50:] == [c.payload for c in commands]
    assert rig.link.counters.resent == 1
    assert device.old_frames == 1


def test_lost_acks_in_a_stream_do_not_start_a_storm() -> None:
    rig, device = opened()
    rig.down = drop_frames(messages.Ack.TYPE, times=8)
    rig.finish(*numbered(2000))
    assert len(device.executed) == 2000
    assert rig.link.counters.resent <= MAX_OUTSTANDING


def test_time_outs_back_off() -> None:
    rig, _ = opened()
    rig.finish(*numbered(20))
    rig.up = lambda data: b""
    start = rig.now
    rig.submit(*numbered(1))
    rig.run(lambda: False)
    times = [when - start for when, _ in rig.sent if when >= start]
    gaps = [b - a for a, b in pairwise(times)]
    assert all(b >= a for a, b in pairwise(gaps))
    assert gaps[0] == pytest.approx(RTO_FLOOR)
    assert max(gaps) == pytest.approx(RTO_CAP)


# --- refusals and answers ---


def test_an_answer_goes_to_its_question() -> None:
    rig, _ = opened()
    status, metrics = rig.finish(Command.of(messages.GetStatus()), Command.of(messages.GetMetrics()))
    assert isinstance(status.answer, messages.Status)
    assert isinstance(metrics.answer, messages.Metrics)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_lost_answer_is_asked_for_again(times: int) -> None:
    rig, _ = opened()
    rig.down = drop_frames(messages.Status.TYPE, times=times)
    (status,) = rig.finish(Command.of(messages.GetStatus()))
    assert isinstance(status.answer, messages.Status)
    assert rig.link.counters.asked_again == times
    rig.finish(*numbered(10))


def test_a_refusal_goes_to_its_command_and_the_others_are_executed() -> None:
    rig, device = opened()
    commands = numbered(20)
    device.refuses = {commands[7].payload}
    rig.finish(*commands)
    assert [c.refusal for c in commands] == [Refusal(3, 7) if i == 7 else None for i in range(20)]
    assert len(device.executed) == 19


@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_lost_err_is_found_by_the_counter(place: int) -> None:
    rig, device = opened()
    commands = numbered(20)
    device.refuses = {commands[place].payload}
    rig.down = drop_frames(messages.Err.TYPE)
    rig.finish(*commands)
    assert [i for i, c in enumerate(commands) if c.refusal] == [place]
    assert commands[place].refusal == Refusal(3, place)
    device.refuses.clear()
    assert all(c.refusal is None for c in rig.finish(*numbered(5)))


def test_several_lost_errs_leave_no_refused_command_unnoticed() -> None:
    rig, device = opened()
    commands = numbered(40)
    refused = {3, 5, 6, 30}
    device.refuses = {commands[i].payload for i in refused}
    err, ack = drop_frames(messages.Err.TYPE, times=3), drop_frames(messages.Ack.TYPE, times=8)
    rig.down = lambda data: ack(err(data))
    rig.finish(*commands)
    assert {i for i, c in enumerate(commands) if c.refusal} >= refused
    assert len(device.executed) == 36
    # Afterwards both sides agree again.
    assert all(c.refusal is None for c in rig.finish(*numbered(3, size=30)))


@pytest.mark.parametrize("lost", [0, 1, 3, 40])
def test_nothing_slips_in_behind_samples_that_a_noise_fault_refused(lost: int) -> None:
    rig, device = opened()
    commands = numbered(60)
    device.faults = {commands[20].payload}
    rig.down = drop_frames(messages.Err.TYPE, times=lost)
    rig.submit(*commands)
    rig.run(lambda: commands[20].done)
    # A busy owner: the link continues alone before it hears of it.
    rig.wait(0.3)
    assert commands[20].refusal == Refusal(messages.Error.NOISE_FAULT, messages.NoiseFault.STUCK)
    rig.link.drop_queued()
    rig.run(lambda: rig.link.idle)
    assert device.executed == [command.payload for command in commands[:20]]
    again = numbered(60)[20:]
    rig.finish(Command.of(messages.GetStatus()), *again)
    assert all(command.done and command.refusal is None for command in again)
    assert device.executed == [command.payload for command in commands]


@pytest.mark.parametrize(
    ("message", "silence"),
    [
        (messages.Checkpoint(messages.CheckpointAction.SAVE), WRITING_SILENCE),
        (messages.Halt(), WRITING_SILENCE),
        (Schedule(messages.Task.XOR).message, WRITING_SILENCE),
        (messages.DefineDataset(1, 1, 0, 0, 0, 0), WRITING_SILENCE),
        (messages.GetStatus(), SILENCE),
    ],
)
def test_a_device_that_writes_its_memory_has_longer(message: messages.Message, silence: float) -> None:
    rig, _ = opened()
    rig.up = lambda data: b""
    begun = rig.now
    rig.finish(Command.of(message))
    assert isinstance(rig.link.failure, BoardLost)
    assert rig.now - begun == pytest.approx(silence, abs=0.01)


def test_the_largest_checkpoint_is_written_within_that_time() -> None:
    assert WRITING_SILENCE > 3968 / 2 * 0.0034  # a slot of half a Mega's memory, 3.4 ms per byte


def test_a_question_refused_with_its_err_lost_is_refused_when_asked_again() -> None:
    rig, _ = opened()
    rig.down = drop_frames(messages.Err.TYPE)
    question, after = Command.of(messages.GetBlob(0, 0)), train(b"1234")
    rig.finish(question)
    assert question.refusal == Refusal(messages.Error.NOT_CONFIGURED, 0)
    rig.finish(after)
    assert after.refusal is None


def test_refusals_are_counted_beyond_the_counter() -> None:
    rig, device = opened()
    device.refuses = {b"no"}
    commands = rig.finish(*(train(b"no") for _ in range(600)))
    assert all(c.refusal is not None for c in commands)
    (fine,) = rig.finish(train(b"ok"))
    assert fine.refusal is None


def test_dropping_the_queue_keeps_what_was_sent() -> None:
    rig, device = opened()
    commands = rig.submit(*numbered(100))
    rig.wait(0.005)
    rig.link.drop_queued()
    sent = [c for c in commands if c.number >= 0]
    rig.run(lambda: rig.link.idle)
    assert 0 < len(sent) < 100
    assert all(c.done for c in sent)
    assert len(device.executed) == len(sent)


# --- what comes unasked ---


def test_telemetry_and_noise_are_kept_in_order() -> None:
    rig, device = opened()
    tell = [messages.Telemetry(i, 0, i, 0, 0, 0, 0) for i in range(5)]
    noise = [messages.NoiseCodes(i, 0, 8, 1, b"x") for i in range(5)]
    for a, b in zip(tell, noise, strict=True):
        rig.link.receive(device.send(a) + device.send(b), rig.now)
    assert list(rig.link.telemetry) == tell
    assert list(rig.link.noise) == noise


def test_frames_of_another_session_are_ignored() -> None:
    rig, device = opened()
    stray = messages.Telemetry(1, 0, 1, 0, 0, 0, 0)
    rig.link.receive(encode_frame(stray.TYPE, device.session + 1, 0, stray.pack(), rig.link.nonce), rig.now)
    assert not rig.link.telemetry


def test_payloads_of_the_wrong_length_are_dropped() -> None:
    rig, device = opened()
    rig.link.receive(device.frame(messages.Ack.TYPE, b"123"), rig.now)
    rig.link.receive(device.frame(0x99, b"123"), rig.now)
    assert rig.link.counters.received_bad == 2
    rig.finish(*numbered(3))


# --- loss of the board ---


def test_a_device_that_restarted_is_noticed_within_two_seconds() -> None:
    rig, device = opened()
    rig.finish(*numbered(20))
    device.restart()
    start = rig.now
    rig.submit(*numbered(3))
    rig.run(lambda: False)
    assert isinstance(rig.link.failure, BoardLost)
    assert rig.now - start <= SILENCE + RTO_CAP < 2
    assert "has not answered" in str(rig.link.failure)
    with pytest.raises(BoardLost):
        rig.link.submit(train(b"12"), rig.now)


def test_silence_while_nothing_is_asked_is_no_loss() -> None:
    rig, _ = opened()
    rig.finish(*numbered(3))
    rig.wait(1000.0)
    rig.finish(*numbered(3))
    assert rig.link.state is LinkState.OPEN


def test_a_line_that_lets_nothing_through_is_a_loss() -> None:
    rig, _ = opened()
    rig.finish(*numbered(3))
    rig.up = lambda data: b"\x11\0" if data else b""
    start = rig.now
    rig.submit(*numbered(3))
    rig.run(lambda: False)
    assert "nothing intact" in str(rig.link.failure)
    assert rig.now - start <= STALL + RTO_CAP


def test_a_process_that_was_stopped_does_not_take_its_own_absence_for_the_boards() -> None:
    rig, device = opened()
    commands = rig.submit(*numbered(8))
    rig.wait(0.001)
    rig.now += 30.0  # nothing was called meanwhile, though the answers lie in the port
    rig.run(lambda: all(c.done for c in commands))
    assert rig.link.state is LinkState.OPEN
    assert len(device.executed) == 8
