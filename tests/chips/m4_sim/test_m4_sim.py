"""m4-sim as a process: its options, its clock, its restarts, how it ends, what it loses."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjlearn.discovery import open_board
from mtjlearn.firmware import ToolMissing, build_simulator
from mtjlearn.network import Network
from mtjlearn.virtual import qemu
from mtjlearn.virtual.m4_sim import start_m4_sim
from mtjlearn.virtual.process import BoardProcess, BoardProcessError
from mtjlearn.wire import messages
from mtjlearn.wire.frame import Frame, FrameDecoder, Numbering, encode_frame
from mtjlearn.wire.messages import Features, ResetCause

NETWORK = Network((4, 8, 3), learning_rate=0.02, seed=5)
X = np.random.default_rng(1).integers(-4096, 4097, (300, 4)).astype(np.int16)
TARGET = np.random.default_rng(2).integers(-4096, 4097, (300, 3)).astype(np.int16)
PATIENCE = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(process_id: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


def gone(process_id: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts as ended."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def qemu_of(board: BoardProcess) -> int:
    (qemu,) = children(board.process.pid)
    return qemu


def test_the_board_is_a_cortex_m4_with_the_converter_of_an_uno_r4() -> None:
    with open_board("m4-sim", virtual_clock=4) as board:
        info = board.info
        assert (info.name, info.max_payload, info.receive_window, info.arena) == ("m4-sim", 240, 4096, 65536)
        assert (info.adc_bits, info.adc_rate, info.adc_reference) == (14, 40000, 5.0)
        assert (info.boot_count, info.reset_cause) == (1, ResetCause.POWER_ON)
        assert Features.VIRTUAL_CLOCK | Features.ADC_LIVE in info.features
        assert int(info.build, 16) != 0


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({"preset": "recording"}, 36.2, 48.0),
        ({"preset": "bench"}, 96.1, 187.0),
        ({"device_noise": "stuck"}, 48.0, 48.0),
    ],
)
def test_codes_have_the_levels_of_the_junction(options: dict[str, Any], low: float, high: float) -> None:
    with open_board("m4-sim", virtual_clock=16, **options) as board:
        millivolts = (board.noise(4000).codes + 0.5) * 5000 / 2**14
    above = millivolts > (low + high) / 2 if low < high else np.ones(4000, bool)
    assert np.median(millivolts[above]) == pytest.approx(high, abs=0.3)
    if low < high:
        assert np.median(millivolts[~above]) == pytest.approx(low, abs=0.3)
        switches = np.count_nonzero(np.diff(above))
        assert switches / 4000 == pytest.approx(0.0809, abs=0.02)  # the paper's probability at 40 kHz


def test_a_seed_repeats_a_run_restarts_included() -> None:
    def run(seed: int, pieces: int) -> list[Any]:
        results: list[Any] = []
        with open_board("m4-sim", virtual_clock=7, seed=seed) as board:
            for _ in range(2):
                board.configure(NETWORK)
                for part in np.array_split(np.arange(len(X)), pieces):
                    board.train(X[part], TARGET[part])
                results.append((board.status(), [w.tolist() for w in board.weights()]))
                board.reset()
        return results

    first = run(3, 2)
    assert run(3, 9) == first
    assert run(4, 2)[0] != first[0]
    status = first[0][0]
    assert (status.steps, status.codes, status.codes_lost) == (len(X), 200 - 200 % 7 + 7 * (200 % 7 > 0) + 7 * len(X), 0)


def test_codes_arrive_in_real_time() -> None:
    with open_board("m4-sim") as board:
        assert Features.VIRTUAL_CLOCK not in board.info.features
        before = time.monotonic()
        first = board.status()
        begun = time.monotonic()
        time.sleep(0.5)
        ended = time.monotonic()
        second = board.status()
        codes = second.codes + second.codes_lost - first.codes - first.codes_lost
        slack = 2000  # the board looks at its clock when something happens, 200 times per second at least
        assert 40000 * (ended - begun) - slack < codes < 40000 * (time.monotonic() - before) + slack
        recording = board.noise(4000)
        assert len(recording.codes) == 4000


def test_a_reset_is_reported_and_the_board_forgets() -> None:
    with open_board("m4-sim", virtual_clock=16) as board:
        for boots in (2, 3):
            board.configure(NETWORK)
            board.train(X[:20], TARGET[:20])
            board.reset()
            assert (board.info.boot_count, board.info.reset_cause) == (boots, ResetCause.SOFTWARE)
            assert board.status().state == messages.State.UNCONFIGURED


class Raw:
    """The line without the client: what is not read stays unread."""

    def __init__(self, url: str) -> None:
        self.line = os.open(url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.line)
        self.decoder = FrameDecoder()

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while data:
            assert time.monotonic() < deadline
            if select.select([], [self.line], [], 0.1)[1]:
                data = data[os.write(self.line, data[:512]) :]

    def frames(self) -> list[Frame]:
        """What has come within a fifth of a second."""
        found: list[Frame] = []
        while select.select([self.line], [], [], 0.2)[0]:
            for frame in self.decoder.feed(os.read(self.line, 65536)):
                if isinstance(frame, Frame):
                    found.append(frame)
                    expected = self.decoder.numbering.expected
                    self.decoder.numbering.expected += (frame.seq - expected + 128) % 256 - 128
        return found


def test_bytes_beyond_the_window_are_counted_as_lost() -> None:
    """Questions whose answers nobody reads hold the device up; what then arrives beyond its window is lost."""
    hello = messages.Hello(77, messages.VERSION, messages.VERSION)
    with start_m4_sim(virtual_clock=16) as simulator:
        raw = Raw(simulator.url)
        raw.write(encode_frame(hello.TYPE, messages.SESSION_NONE, 0, hello.pack()))
        session = messages.Welcome.unpack(raw.frames()[0].payload).session
        raw.decoder.numbering = Numbering(hello.nonce)
        raw.write(b"".join(encode_frame(messages.GetStatus.TYPE, session, number, b"", hello.nonce) for number in range(6000)))
        time.sleep(1.5)  # until the last of them has come through
        acks = [messages.Ack.unpack(frame.payload) for frame in raw.frames() if frame.type == messages.Ack.TYPE]
        os.close(raw.line)
    assert acks[0].rx_overruns == 0
    assert acks[-1].rx_overruns > 0


def test_ends_at_once_with_its_qemu() -> None:
    for end in (BoardProcess.close, BoardProcess.kill, lambda board: board.process.stdin.close()):
        board = start_m4_sim(virtual_clock=16)
        qemu = qemu_of(board)
        assert not gone(qemu)
        end(board)
        wait_until(lambda qemu=qemu: gone(qemu))
        board.close()


def test_ends_when_the_program_that_started_it_is_killed() -> None:
    program = (
        "import sys, time\n"
        "from mtjlearn.virtual.m4_sim import start_m4_sim\n"
        "board = start_m4_sim()\n"
        "print(board.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        simulator = int(parent.stdout.readline())
        (qemu,) = children(simulator)
        parent.kill()
        wait_until(lambda: gone(simulator) and gone(qemu))


def test_the_end_of_qemu_is_the_end_of_the_board() -> None:
    with start_m4_sim() as board:
        os.kill(qemu_of(board), signal.SIGKILL)
        assert board.process.wait(PATIENCE) == 1


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(BoardProcessError, match="--preset does not take 'desk'"):
        start_m4_sim(preset="desk")
    with pytest.raises(BoardProcessError, match="--virtual-clock does not take '1025'"):
        start_m4_sim(virtual_clock=1025)
    with pytest.raises(BoardProcessError, match=r"nothing\.elf"):
        start_m4_sim(elf=tmp_path / "nothing.elf")
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(b"not an image")
    with pytest.raises(BoardProcessError, match="is the image one for this machine"):
        start_m4_sim(elf=wrong)
    run = subprocess.run([build_simulator("qemu"), "--elf", "x", "--profile", "y"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--profile needs --virtual-clock" in run.stderr


def test_a_missing_qemu_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissing, match="qemu-system-arm is missing; install it: apt-get install qemu-system-arm"):
        start_m4_sim()
