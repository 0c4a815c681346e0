"""The program with its samples in the chip's memory, and the comparison of noises: what is made of its answers, which are faked."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from mtjlearn.bench.chip import resident, resident_rate
from mtjlearn.bench.chip.resident import ResidentImage
from mtjlearn.bench.chip.resident_rate import LossRatio
from mtjlearn.bench.phases import BenchError
from mtjlearn.network import Network
from mtjlearn.wire.frame import FrameDecoder, encode_frame


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Line:
    """Answers each question with what a function makes of its type and payload; None answers nothing."""

    def __init__(self, answer: Callable[[int, bytes], bytes | None], clock: Clock | None = None) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.waits: list[float] = []
        self._answer, self._clock, self._said = answer, clock, b""

    def write(self, data: bytes) -> None:
        [frame] = FrameDecoder().feed(data)
        assert not isinstance(frame, str)
        self.asked.append((frame.type, frame.payload))
        answer = self._answer(frame.type, frame.payload)
        self._said = b"" if answer is None else encode_frame(frame.type | 0x80, 0, frame.seq, answer)

    def read(self, seconds: float) -> bytes:
        assert seconds <= 120
        self.waits.append(seconds)
        if self._clock is not None and not self._said:
            self._clock.now += min(seconds, 30.0)
        return self._said

    def close(self) -> None:
        self.asked.append((0, b"closed"))


def image_with(line: Line) -> ResidentImage:
    image = ResidentImage.__new__(ResidentImage)
    image._line, image._decoder, image._seq = line, FrameDecoder(), 0
    image._process = SimpleNamespace(close=lambda: None)
    return image


def test_the_measuring_program_gets_network_and_samples_as_it_takes_them() -> None:
    line = Line(lambda kind, payload: b"\0")
    image = image_with(line)
    network, x, targets = resident.resident_task(1)
    image.configure(network)
    image.store(x, targets)
    assert line.asked[0] == (1, struct.pack("<IIH", 2, network.learning_rate_q, network.sigma_q) + bytes([2, 2, 2, 1]))
    stored = np.zeros(64 * 3, "<i2")
    for kind, payload in line.asked[1:]:
        (start,) = struct.unpack_from("<H", payload)
        values = np.frombuffer(payload[2:], "<i2")
        assert kind == 2
        assert len(payload) <= 64
        stored[start : start + len(values)] = values
    np.testing.assert_array_equal(stored.reshape(64, 3), np.hstack([x, targets]))
    with pytest.raises(BenchError, match=r"refuses 2-2-2-1 \(status 3\)"):
        image_with(Line(lambda kind, payload: b"\3")).configure(network)


def test_what_the_measuring_program_counts() -> None:
    answers = {3: struct.pack("<6I", 1, 2, 3, 4, 5, 6), 4: struct.pack("<Q", 7 << 40), 5: struct.pack("<II", 600, 900)}
    line = Line(lambda kind, payload: answers.get(kind, struct.pack("<I", 800)))
    image = image_with(line)
    assert image.run(9, 10) == (1, 2, 3, 4, 5, 6)
    assert image.evaluate() == 7 << 40
    assert image.time_frame(12, 300) == (2.0, 3.0)
    assert image.time_tests(16, 400) == 2.0
    assert line.asked == [
        (3, struct.pack("<II", 9, 10)),
        (4, b""),
        (5, struct.pack("<BH", 12, 300)),
        (6, struct.pack("<BH", 16, 400)),
    ]
    with pytest.raises(BenchError, match="another seed"):
        image_with(Line(lambda kind, payload: b"")).time_tests(16, 400)


def test_a_program_that_is_silent_is_waited_for_as_long_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(resident, "time", clock)
    line = Line(lambda kind, payload: None, clock)
    with pytest.raises(BenchError, match="did not answer within 120 s"):
        image_with(line).evaluate()
    assert line.waits == pytest.approx([120.0, 90.0, 60.0, 30.0])
    silent = itertools.count()
    late = Line(lambda kind, payload: b"" if next(silent) == 199 else None, clock)
    image_with(late)._knock()
    assert len(late.asked) == 200
    silent = itertools.count(1000)
    with pytest.raises(BenchError, match="did not start within 20 s"):
        image_with(late)._knock()
    assert len(late.asked) == 401
    assert late.asked[-1] == (0, b"closed")


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_resident_training_is_the_sum_of_its_stages(monkeypatch: pytest.MonkeyPatch, lacking: int) -> None:
    runs: list[tuple[int, int]] = []

    class Image:
        def __init__(self, seed: int, device_noise: str) -> None:
            assert (seed, device_noise) == (5, "gaussian")

        def __enter__(self) -> Image:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def configure(self, network: Network) -> None:
            pass

        def store(self, x: np.ndarray, targets: np.ndarray) -> None:
            pass

        def run(self, rate: int, count: int) -> tuple[int, ...]:
            runs.append((rate, count))
            return 1000, len(runs) * count - lacking, 2 * len(runs), 0, 30, 1

        def evaluate(self) -> int:
            return 64 << 22

    monkeypatch.setattr(resident, "ResidentImage", Image)
    if lacking:
        with pytest.raises(BenchError, match="made 13439 steps of 13440"):
            resident.train_resident(5, "gaussian")
        return
    found = resident.train_resident(5, "gaussian")
    assert [count for _, count in runs] == [640] * 21
    assert runs[0][0] == round(0.04 * 2**28)
    assert runs[-1][0] < runs[0][0] / 8
    assert found == resident.Run(steps=13440, seconds=pytest.approx(0.021), skipped=42, codes=630, lost=21, loss=0.25)
    assert found.steps_per_second == pytest.approx(640_000)


def test_ratios_of_losses_are_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident_rate, "_BOOTSTRAPS", 2000)
    one, other = np.array([1.0, 2.0, 3.0, 10.0, 5.0]), np.array([2.0, 2.0, 2.0, 2.0, 2.0])
    found = LossRatio.of(one, other)
    assert (found.median, found.pairs, found.smtj, found.gaussian) == (1.5, 5, 3.0, 2.0)
    assert found.ci95[0] in (0.5, 1.0)
    assert found.ci95[1] == 5.0
    assert LossRatio.of(list(np.full(9, 3.0)), [2.0] * 9).ci95 == (1.5, 1.5)
    assert found.figures == {"ratio": 1.5, "ci95": list(found.ci95), "pairs": 5, "loss": 3.0, "loss_gaussian": 2.0}
    spread = LossRatio.of(np.arange(1.0, 1002.0), np.ones(1001))
    # The median of 1,001 values: 501, with a standard error of about 1.25 times 289 / sqrt(1001).
    assert spread.ci95 == pytest.approx((472, 530), abs=8)


def test_speeds_are_medians_and_codes_a_step_follow_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(seed: int, noise: str) -> resident.Run:
        return resident.Run(1000, 1.0 + seed, 0, 4000 + 4000 * seed, seed, 2.0 if noise == "smtj" else 4.0)

    told: list[tuple[int, int]] = []
    compared: list[tuple[int, int]] = []

    def compare(pairs: int, codes: int, progress: Callable[[int], None]) -> LossRatio:
        compared.append((pairs, codes))
        progress(2 * pairs)
        return LossRatio(1.0, (0.9, 1.1), pairs, 1.0, 1.0)

    monkeypatch.setattr(resident_rate, "build_firmware", lambda image: None)
    monkeypatch.setattr(resident_rate, "train_resident", run)
    monkeypatch.setattr(resident_rate, "compare_noises", compare)
    found = resident_rate.measure_resident(3, 7, lambda done, total, note: told.append((done, total)))
    assert told == [(done, 6) for done in range(1, 7)] + [(14, 14)]
    assert (found["steps_per_s"], found["slowest_steps_per_s"]) == (500, pytest.approx(1000 / 3))
    assert (found["codes_per_s"], found["codes_lost"]) == (4000, 3)
    assert (found["net"], found["samples"], found["steps"], found["paper_steps_per_s"]) == ("2-2-2-1", 64, 13440, 1000)
    assert (found["on_chip"]["ratio"], found["on_chip"]["pairs"]) == (0.5, 3)
    assert found["in_process"]["codes_per_step"] == 8
    assert compared == [(7, 8)]


def test_pairs_are_trained_in_chunks_with_the_codes_of_their_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident_rate, "_CHUNK", 2)
    asked: list[tuple[str, int, int, int]] = []
    told: list[int] = []

    def codes(noise: str, replicas: int, count: int, seed: int) -> np.ndarray:
        asked.append((noise, replicas, count, seed))
        return np.full((replicas, 3), {"smtj": 3, "gaussian": 2}[noise])

    monkeypatch.setattr(resident_rate, "_converter_codes", codes)
    monkeypatch.setattr(resident_rate, "_train", lambda seed, row, per_step: float((seed + 1) * row[0] * per_step))
    found = resident_rate.compare_noises(3, 4, told.append)
    count = 200 + 13440 * 4
    assert asked == [(noise, replicas, count, first) for replicas, first in ((2, 0), (1, 2)) for noise in ("smtj", "gaussian")]
    assert told == [2, 4, 5, 6]
    assert (found.median, found.ci95, found.pairs, found.smtj, found.gaussian) == (1.5, (1.5, 1.5), 3, 24.0, 16.0)


def test_gaussian_codes_have_mean_and_spread_of_the_junctions() -> None:
    junction, gaussian = (resident_rate._converter_codes(noise, 2, 20_000, 1) for noise in ("smtj", "gaussian"))
    assert junction.shape == gaussian.shape == (2, 20_000)
    assert gaussian.mean() == pytest.approx(junction.mean(), abs=0.3)
    assert gaussian.std() == pytest.approx(junction.std(), rel=0.05)
    assert gaussian.dtype == np.uint16
    assert len(np.unique(gaussian)) > 2 * 6
    assert not np.array_equal(gaussian, resident_rate._converter_codes("gaussian", 2, 20_000, 2))


def test_a_pair_learns_as_the_chip_does(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = resident_rate._converter_codes("smtj", 1, 200 + 13440, 3)[0]
    network, x, targets = resident.resident_task(3)
    learner = resident_rate.Learner(network)
    before = resident.mean_loss(learner.evaluate(x, targets)[0])
    after = resident_rate._train(3, codes, 1)
    assert after < before / 5
    assert resident_rate._train(3, codes, 1) == after
