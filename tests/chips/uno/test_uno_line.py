"""The Uno's line and converter under load: interrupts are short, nothing gets lost, and what does by force is counted."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from chip_support import ADC, BYTE_CYCLES, CLOCK, CODE_CYCLES, RECEIVE, SEND, TIMER, Chip, Host

from mtjlearn.bench.chip.profile import Profile
from mtjlearn.bench.chip.resident import ResidentImage
from mtjlearn.wire import messages
from mtjlearn.wire.frame import OVERHEAD, Frame, FrameDecoder, Numbering, encode_frame

FRAME_BYTES = 66
FIFO = 27
UNTOUCHED = 300


def loaded(*, profiled: bool = False) -> tuple[Chip, Host]:
    """A chip that learns 4-8-3 with a full noise buffer, and whose figures start now."""
    chip = Chip(profiled=profiled)
    chip.paint(chip.symbols["_end"] & 0xFFFF)
    host = Host(chip)
    host.configure(4, 8, 3)
    host.stream(host.frames(2))
    chip.measure()
    return chip, host


def ring_of_receiver(chip: Chip) -> int:
    """Bytes that found the receive ring full."""
    memory, place = chip.memory(), chip.symbols["overruns"] & 0xFFFF
    return int(memory[place] | memory[place + 1] << 8)


def acks_among(host: Host, data: bytes) -> list[messages.Ack]:
    frames = FrameDecoder(Numbering(host.link.nonce, host.sent)).feed(data)
    return [messages.Ack.unpack(f.payload) for f in frames if isinstance(f, Frame) and f.type == messages.Ack.TYPE]


def test_interrupts_are_short_and_lose_nothing_with_everything_at_once() -> None:
    chip, host = loaded()
    lost = host.status().codes_lost  # while the noise was calibrated
    host.do(messages.SetTelemetry(1))
    host.do(messages.Noise(0, 0))
    host.stream(host.frames(60))
    host.do(messages.Stop())
    most = {RECEIVE: 48, SEND: 44, ADC: 50, TIMER: 46}
    figures = {vector: chip.handler(vector) for vector in most}
    assert {vector: figure.longest for vector, figure in figures.items() if figure.longest > most[vector]} == {}
    assert all(figure.calls > 0 for figure in figures.values())
    assert chip.longest_masked() < BYTE_CYCLES
    assert chip.line_overruns() == 0
    assert ring_of_receiver(chip) == 0
    assert host.link.counters.resent == 0
    assert host.link.counters.bad_frames == 0
    assert host.status().codes_lost == lost


def test_ram_is_left_untouched_under_load() -> None:
    """Converter, line and EEPROM (the count of starts) at once, every command, and the deepest kinds of step."""
    chip = Chip()
    end = chip.symbols["_end"] & 0xFFFF
    chip.run_to("main")
    chip.paint(end)
    host = Host(chip)
    for hidden, decorrelate, loss in ((8, 0, 0), (5, 1, 0), (8, 0, 1)):
        host.use(hidden, decorrelate, loss)
    assert chip.untouched(end) >= UNTOUCHED


def useful_share(path: Path, latency: float, waste: int = 0) -> float:
    """Of the time of streaming: what steps, frames, interrupts and noise tests are measured to cost, each alone.

    Args:
        path: of a scratch file.
        latency: the host's.
        waste: cycles that the program does nothing for after every fifth frame.
    """
    chip, host = loaded(profiled=True)
    host.latency = latency
    frames = host.frames(100)
    codes = chip.handler(ADC).calls
    begun = chip.cycle()
    for command in frames:
        host.link.submit(command, chip.seconds)
    for command in frames[::5]:
        host.finish([command])
        if waste:
            chip.hang(waste, masked=False)
    host.finish(frames)
    passed = chip.cycle() - begun
    codes = chip.handler(ADC).calls - codes
    assert host.link.counters.resent == 0
    assert chip.write_profile(str(path).encode())
    profile = Profile.read(path)
    useful = profile.steps[-4 * len(frames) :, 0].sum()
    with ResidentImage() as measured:
        useful += len(frames) * CLOCK / 1e6 * measured.time_frame(FRAME_BYTES - OVERHEAD, 100)[1]
        useful += len(frames) * CLOCK / 1e6 * measured.time_frame(messages.Ack.LAYOUT.size, 100)[0]
        useful += codes * CLOCK / 1e6 * measured.time_tests(6, 100) / 6
    means = {RECEIVE: "uart_rx", SEND: "uart_tx", ADC: "adc", TIMER: "timer1"}
    useful += sum(chip.handler(vector).calls * profile.interrupts[name].mean for vector, name in means.items())
    return float(useful / passed)


USEFUL = 0.88
"""What is left takes codes into the buffer, checks samples, keeps the session and looks for work."""


@pytest.mark.parametrize("latency", [0.0, 0.001])
def test_streaming_keeps_the_learner_busy_with_what_is_useful(latency: float, tmp_path: Path) -> None:
    assert USEFUL <= useful_share(tmp_path / "profile.json", latency) < 1


def test_waste_would_be_seen(tmp_path: Path) -> None:
    """A thousand cycles per sample."""
    assert useful_share(tmp_path / "profile.json", 0.001, waste=20_000) < USEFUL


def test_a_violated_credit_is_counted() -> None:
    chip, host = loaded()
    # The learner is slower than the line: each frame leaves more bytes in the ring.
    frames = [
        encode_frame(command.type, host.welcome.session, host.sent + i, command.payload, host.link.nonce)
        for i, command in enumerate(host.frames(40))
    ]
    calls = chip.handler(RECEIVE).calls
    chip.push(b"".join(frames))
    chip.run(40 * FRAME_BYTES * BYTE_CYCLES + 200_000)
    lost = ring_of_receiver(chip)
    assert chip.handler(RECEIVE).calls - calls == 40 * FRAME_BYTES
    assert 0 < lost < 20 * FRAME_BYTES
    acks = acks_among(host, chip.take())
    assert acks[-1].rx_overruns == lost
    assert acks[-1].bad_frames > 0
    assert (acks[-1].next_seq - host.sent) & 0xFF < 40


def test_a_receiver_that_was_not_read_in_time_is_counted() -> None:
    chip, host = loaded()
    chip.hang(12 * BYTE_CYCLES)
    chip.push(bytes(10))
    chip.run(40 * BYTE_CYCLES)
    assert chip.line_overruns() >= 6
    assert ring_of_receiver(chip) >= 1
    chip.push(bytes(2))
    assert host.status().steps == 8


def test_codes_that_found_the_fifo_full_are_a_hole_of_the_right_size() -> None:
    chip, host = loaded()
    before = host.status()
    host.do(messages.Noise(0, 0))
    host.turn(CLOCK // 20)
    conversions = chip.handler(ADC).calls
    chip.hang(100 * CODE_CYCLES, masked=False)
    host.turn(CLOCK // 20)
    conversions = chip.handler(ADC).calls - conversions
    host.do(messages.Stop())
    stream = list(host.link.noise)
    holes = [after.first - before.first - before.count for before, after in itertools.pairwise(stream)]
    after = host.status()
    lost = after.codes_lost - before.codes_lost
    (hole,) = [hole for hole in holes if hole]
    assert 100 - FIFO <= lost <= 110 - FIFO + 11  # up to eleven had waited for others
    assert lost <= hole <= lost + FIFO + stream[0].count  # also what had been taken and did not fill a frame
    assert sum(frame.count for frame in stream) + hole == stream[-1].first + stream[-1].count - stream[0].first
    assert conversions == pytest.approx(CLOCK / 20 / CODE_CYCLES, abs=2)


def test_a_stream_at_full_rate_has_no_holes() -> None:
    _, host = loaded()
    host.do(messages.Noise(4800, 0))
    while sum(frame.count for frame in host.link.noise) < 4800:
        host.turn()
    stream = list(host.link.noise)
    assert all(after.first == before.first + before.count for before, after in itertools.pairwise(stream))
    passed = (stream[-1].micros - stream[0].micros) * 1e-6
    assert (stream[-1].first - stream[0].first) / passed == pytest.approx(CLOCK / CODE_CYCLES, rel=0.01)
