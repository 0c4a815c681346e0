"""Streaming to the simulated Uno, a host that ignores the credit, and learning from the chip's memory."""

from __future__ import annotations

import time

import numpy as np
import pytest
from plain_client import PlainClient, configure

from mtjlearn.bench.chip.autonomous import uno_autonomous
from mtjlearn.bench.chip.credit_client import CreditClient
from mtjlearn.bench.chip.profile import Profile
from mtjlearn.bench.chip.resident import EPOCHS, SAMPLES, STEPS, ResidentImage, resident_task, train_resident
from mtjlearn.bench.chip.resident_rate import LossRatio, compare_noises
from mtjlearn.bench.chip.streaming import CLOCK, stream
from mtjlearn.bench.tasks import TASKS, iris_like
from mtjlearn.bench.workload import workload
from mtjlearn.board import Board
from mtjlearn.board.samples import checked_samples, train_commands
from mtjlearn.firmware import build_firmware, build_simulator
from mtjlearn.firmware.compilers import ToolMissing
from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.uno import SteppedUno
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.virtual.uno_sim import start_uno_sim
from mtjlearn.wire import messages
from mtjlearn.wire.frame import OVERHEAD
from mtjlearn.wire.transport import SerialTransport

FRAMES = 40


@pytest.fixture(scope="module", autouse=True)
def tools(tool_missing):
    try:
        build_firmware("uno")
        build_simulator("uno")
    except ToolMissing as missing:
        tool_missing(str(missing))


def test_stream():
    found = stream(workload((4, 8, 3)), frames=200)
    assert found.rx_overruns[1] == 0
    # 56 bytes of samples in a frame of 66; four samples.
    assert found.line_limit == pytest.approx(25_000 * 4 / 66)
    assert 0 < found.samples_per_s < min(found.line_limit, found.learner_limit)
    assert found.share == pytest.approx(found.samples_per_s / min(found.line_limit, found.learner_limit))
    by_time = 9615 * sum(found.code_cycles.values())
    assert found.learner_limit == pytest.approx((CLOCK - by_time) / sum(found.cycles.values()), rel=1e-3)
    assert 40 < found.code_cycles["interrupt"] < 60
    assert 20 < found.code_cycles["tests"] < 200
    assert found.cycles["step"] > found.cycles["decode"] > found.cycles["encode"] > 0


def test_waiting_for_the_host_counts_and_its_own_work_does_not(monkeypatch):
    load = workload((4, 8, 3))
    prompt, late = (stream(load, frames=150, latency=latency).samples_per_s for latency in (0.001, 0.01))
    assert late < 0.8 * prompt
    read = SteppedUno.read

    def busy(self, timeout):
        time.sleep(0.002)
        return read(self, timeout)

    monkeypatch.setattr(SteppedUno, "read", busy)
    assert stream(load, frames=150).samples_per_s == pytest.approx(prompt, rel=0.01)


@pytest.mark.slow
def test_learning_alone():
    found = uno_autonomous()
    assert {net: one["task"] for net, one in found.items()} == {"2-2-2-1": "teacher", "2-3-1": "xor", "4-8-3": "dataset"}
    for one in found.values():
        assert 0.4 < one["share"] < 1
        assert one["steps_per_s"] == pytest.approx(one["share"] * one["limit"])
        assert one["codes_a_step"] == pytest.approx(9615 / one["steps_per_s"], rel=1e-3)
        assert min(one["steps_per_s"], one["streamed_per_s"]) > 500


def test_the_chips_clock_tells_steps_alone():
    """The board's reports against the simulator's cycles and the board's count of steps."""
    uno = SteppedUno(0.001)
    client = CreditClient(uno)
    client.execute(configure(TASKS[1].load.network))
    client.execute(messages.SetTelemetry(100))
    client.execute(TASKS[1].schedule.message)
    client.collect(1)
    begun = uno.seconds
    reports = client.collect(20)
    steps = reports[-1].step - reports[0].step + 100
    assert steps / (uno.seconds - begun) == pytest.approx(np.mean([report.steps_per_second for report in reports]), rel=0.02)


def test_iris_like():
    x, targets = iris_like(TASKS[2].load)
    assert (x.shape, targets.shape) == ((100, 4), (100, 3))
    assert set(np.unique(targets)) == {0, 4096}
    assert (targets.sum(axis=1) == 4096).all()


def test_bytes_beyond_the_credit_are_lost_and_counted(tmp_path):
    # Steps that take four times as long as their samples on the line.
    load = workload((2, 3, 1), decorrelated=True)
    path = tmp_path / "profile.json"
    with start_uno_sim(profile=path, speed=0) as process:
        # This repeats its HELLO; one that comes before the chip has started is lost.
        Board.open(process.url).close()
        line = SerialTransport(process.url)
        client = PlainClient(line.write, lambda: line.read(0.1))
        client.tell(configure(load.network))
        while client.status().noise_filled < NOISE_BUFFER:
            pass
        before = client.status()
        commands = train_commands(checked_samples(load.network, *load.samples(FRAMES * 10)), client.welcome.max_payload)
        first = client.next_seq
        frames = [client.frame(one.type, one.payload, ahead) for ahead, one in zip(range(FRAMES), commands, strict=False)]
        sent = b"".join(frames)
        line.write(sent)
        ack = last_ack(client, line)
        client.skip((ack.next_seq - first) & 0xFF)
        after = client.status()
        line.close()
    executed = (ack.next_seq - first) & 0xFF
    samples = (len(frames[0]) - OVERHEAD) // (2 * (2 + 1))
    assert before.steps == 0
    # What the window holds is trained, in order; then comes a gap, behind which nothing is, so that the board keeps up again.
    assert client.welcome.receive_window // len(frames[0]) <= executed < FRAMES
    assert after.steps == executed * samples
    assert len(frames[0]) < ack.rx_overruns < len(sent) - executed * len(frames[0])
    assert ack.bad_frames > 0
    # The UART itself lost nothing: its interrupt saw every byte, the ring behind it was full.
    profile = Profile.read(path)
    assert profile.rx_overruns == 0
    assert profile.interrupts["uart_rx"].calls > len(sent)


def last_ack(client, line):
    """The last ACK before the board falls silent."""
    data = b"".join(iter(lambda: line.read(1.0), b""))
    return messages.Ack.unpack([frame for frame in client.decode(data) if frame.type == messages.Ack.TYPE][-1].payload)


def test_resident_run_is_the_learners():
    """The program on the chip trains what it was given: its first steps, without noise of its own, have the model's losses."""
    network, x, targets = resident_task(3)
    with ResidentImage(3) as image:
        image.configure(network)
        image.store(x, targets)
        learner = Learner(network)
        assert image.evaluate() == learner.evaluate(x, targets)[0]
        micros, steps, skipped, _, codes, lost = image.run(network.learning_rate_q, 100)
        assert (steps, lost) == (100, 0)
        assert skipped < 50
        # The converter continues meanwhile.
        assert codes == pytest.approx(micros * 9615 / 1e6, abs=40)
        assert image.evaluate() != learner.evaluate(x, targets)[0]


def test_resident_training():
    found = train_resident(0, "smtj")
    assert found.steps == STEPS == SAMPLES * EPOCHS
    assert found.lost == 0
    assert found.steps_per_second > 500
    network, x, targets = resident_task(0)
    before = Learner(network).evaluate(x, targets)[0] / 2**24 / SAMPLES
    assert found.loss < before / 3


def test_frames_cost_what_their_bytes_say():
    with ResidentImage() as image:
        short, long = image.time_frame(8, 20), image.time_frame(56, 20)
    # 48 bytes more; COBS and CRC of a byte take some 40 to 200 cycles.
    for less, more in zip(short, long, strict=True):
        assert 40 < (more - less) * CLOCK / 1e6 / 48 < 200


def test_noises_compared():
    found = compare_noises(30, codes_per_step=3)
    assert found.pairs == 30
    assert found.ci95[0] < found.median < found.ci95[1]
    assert found == compare_noises(30, codes_per_step=3)


def test_loss_ratio():
    found = LossRatio.of([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert (found.median, found.smtj, found.gaussian, found.pairs) == (1.0, 2.0, 2.0, 3)
    assert found.ci95 == (0.5, 1.5)
    assert found.figures["ci95"] == [0.5, 1.5]
