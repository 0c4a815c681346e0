"""The native board and the one in MicroPython as processes: options, lines, clock, start and end; the native one also with
sanitizers.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from plain_client import PATIENCE, PlainClient, configure, noise_codes, set_blob, sum_codes
from upload_support import SEQUENCES

from mtjlearn.network import Loss, Network
from mtjlearn.virtual.micropython import interpreter, micropython_root, start_micropython
from mtjlearn.virtual.native import native_program, start_native
from mtjlearn.virtual.process import BoardProcess, BoardProcessError
from mtjlearn.wire import messages
from mtjlearn.wire.messages import BlobKind, Error, Features, ResetCause

pytestmark = pytest.mark.thorough

NETWORK = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.02)
FIRMWARE = ["lib/anp/src", "lib/wire/src", "src", "src/autonomous", "virtual", "boards/native"]


def rows(count: int) -> np.ndarray:
    """Samples of NETWORK, shape (count, 5)."""
    rng = np.random.default_rng(2)
    return np.hstack([rng.integers(-4096, 4097, (count, 4)), rng.integers(0, 3, (count, 1))])


def train(client: PlainClient, count: int) -> None:
    for part in np.split(rows(count), range(24, count, 24)):
        client.tell(messages.Train(part.ravel()))


def sanitized(project: Path, compile_c: Callable[..., Path]) -> Path:
    """The program, built with sanitizers."""
    firmware = project / "firmware"
    sources = [path for folder in FIRMWARE for path in sorted((firmware / folder).glob("*.c"))]
    sources.sort(key=lambda path: path.name != "main.c")
    return compile_c(sources, [firmware / folder for folder in FIRMWARE], ["-lm"])


@contextmanager
def session(url: str, nonce: int = 1) -> Iterator[PlainClient]:
    """A session over the board's line, which is closed afterwards."""
    if url.startswith("socket://"):
        host, port = url.removeprefix("socket://").split(":")
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)  # soon full, as a serial line is
            connection.connect((host, int(port)))
            yield from_descriptor(connection.fileno(), nonce)
    else:
        descriptor = os.open(url, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(descriptor)
            yield from_descriptor(descriptor, nonce)
        finally:
            os.close(descriptor)


def from_descriptor(descriptor: int, nonce: int = 1) -> PlainClient:
    def read() -> bytes:
        ready = select.select([descriptor], [], [], 0.2)[0]
        return os.read(descriptor, 65536) if ready else b""

    return PlainClient(lambda data: os.write(descriptor, data), read, nonce)


@pytest.fixture(params=[start_native, start_micropython], ids=["native", "micropython"])
def start(request: pytest.FixtureRequest) -> Callable[..., BoardProcess]:
    """``start(**options)``: starts the board."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=["native", "micropython"])
def program(request: pytest.FixtureRequest) -> list[str]:
    """The board's command, without options."""
    return [str(native_program())] if request.param == "native" else [*interpreter(), str(micropython_root() / "main.py")]


@pytest.fixture(params=["pty", "tcp"])
def tcp_port(request: pytest.FixtureRequest) -> int | None:
    return None if request.param == "pty" else 0


def gone(process_id: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts as ended."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().split(")")[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(start: Callable[..., BoardProcess], by_signal: bool = True) -> int:
    """The exit code of a board that was told to end: MicroPython has no handlers of signals."""
    return -signal.SIGTERM if by_signal and start is start_micropython else 0


def test_learns_over_both_lines(start: Callable[..., BoardProcess], tcp_port: int | None) -> None:
    with start(virtual_clock=10, tcp_port=tcp_port) as board, session(board.url) as client:
        assert board.url.startswith("/dev/" if tcp_port is None else "socket://127.0.0.1:")
        assert client.welcome.board == start.__name__.removeprefix("start_")
        assert Features.VIRTUAL_CLOCK | Features.ADC_LIVE in Features(client.welcome.features)
        client.tell(configure(NETWORK))
        before = client.weights()
        train(client, 500)
        status = client.status()
        assert (status.steps, status.codes, status.codes_lost) == (500, 200 + 10 * 500, 0)
        assert client.weights() != before
    assert board.process.returncode == ended(start)


def test_options_reach_the_board(start: Callable[..., BoardProcess]) -> None:
    options = {"adc_bits": 12, "adc_rate": 20000, "adc_reference": 3300, "arena": 2000, "max_payload": 64}
    with start(tcp_port=0, preset="bench", device_noise="open", **options) as board, session(board.url) as client:
        welcome = client.welcome
        assert (welcome.adc_bits, welcome.adc_rate, welcome.adc_reference) == (12, 20000, 3300)
        assert (welcome.arena, welcome.max_payload) == (2000, 64)
        assert Features.VIRTUAL_CLOCK not in Features(welcome.features)
        assert set(noise_codes(client.noise(500))) == {4095}


def test_voltages_of_a_file_are_sampled_in_turn(start: Callable[..., BoardProcess], tmp_path: Path) -> None:
    volts = tmp_path / "volts"
    volts.write_bytes(np.array([-1.0, 0.0, 1.5, 10.0, 999.5, 1e9], dtype=np.float32).tobytes())
    with start(tcp_port=0, adc_reference=1024, virtual_clock=4, voltages=volts) as board, session(board.url) as client:
        codes = noise_codes(client.noise(300))
    assert codes[:18].tolist() == 3 * [0, 0, 1, 10, 999, 1023]
    assert codes.tolist() == np.resize(codes[:6], 300).tolist()


@pytest.mark.parametrize("content", [b"", b"\0\0\0", np.float32([1, np.nan]).tobytes()], ids=["empty", "part", "nan"])
def test_files_without_voltages_are_refused(start: Callable[..., BoardProcess], tmp_path: Path, content: bytes) -> None:
    volts = tmp_path / "volts"
    volts.write_bytes(content)
    with pytest.raises(BoardProcessError, match="--voltages does not take"):
        start(voltages=volts)


def test_a_seed_repeats_a_run_whatever_the_timing(start: Callable[..., BoardProcess]) -> None:
    def run(seed: int, per_frame: int, pause: float) -> tuple[bytes, messages.Status]:
        with start(virtual_clock=7, seed=seed, tcp_port=0) as board, session(board.url) as client:
            client.tell(configure(NETWORK))
            for part in np.split(rows(200), range(per_frame, 200, per_frame)):
                client.tell(messages.Train(part.ravel()))
                time.sleep(pause)
            return client.weights(), client.status()

    first = run(3, 24, 0)
    assert run(3, 10, 0.01) == first
    assert run(4, 24, 0)[0] != first[0]


def test_codes_arrive_in_real_time(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board, session(board.url) as client:
        stream = client.noise(6000)
        # By the numbers of the codes: a busy machine may have lost some.
        expected = (stream[-1].first - stream[0].first) / 9615
        assert (stream[-1].micros - stream[0].micros) / 1e6 == pytest.approx(expected, abs=0.1)


def test_the_virtual_clock_counts_codes(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0, virtual_clock=4, adc_rate=20_000) as board, session(board.url) as client:
        stream = client.noise(3000)
        for message in stream[1:]:
            passed = 50 * (message.first - stream[0].first)
            assert message.micros - stream[0].micros == pytest.approx(passed, abs=50 * stream[0].count)


def test_an_idle_board_uses_no_time_but_takes_its_codes(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board, session(board.url) as client:
        before = client.status()
        ticks = cpu_ticks(board.process.pid)
        time.sleep(1.0)
        # The virtual junction is most of it: native 1 %, MicroPython 8 %.
        share = 0.05 if start is start_native else 0.2
        assert cpu_ticks(board.process.pid) - ticks <= share * os.sysconf("SC_CLK_TCK")
        after = client.status()
        assert after.codes + after.codes_lost - before.codes >= 9000
        assert after.noise_filled == 200


def sleeps(process_id: int, seconds: float = 0.4) -> bool:
    """Whether a process uses hardly any time for a while."""
    ticks = cpu_ticks(process_id)
    time.sleep(seconds)
    return cpu_ticks(process_id) - ticks <= 1


def cpu_ticks(process_id: int) -> int:
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_clients_come_and_go(start: Callable[..., BoardProcess], tcp_port: int | None) -> None:
    with start(virtual_clock=5, tcp_port=tcp_port) as board:
        with session(board.url, nonce=1) as client:
            client.tell(configure(NETWORK))
            train(client, 48)
            weights = client.weights()
            client.push(messages.GetStatus.TYPE, b"")  # and leaves without the answer
        for nonce in range(2, 6):
            with session(board.url, nonce) as client:
                assert client.weights() == weights
                client.write(b"\7\7\7 half a frame")
        with session(board.url, nonce=7) as client:
            assert client.status().steps == 48


@pytest.mark.parametrize(
    ("start", "tcp_port"),
    [(start_native, None), (start_native, 0), (start_micropython, None)],  # which would fill TCP's megabytes in minutes
    ids=["native-pty", "native-tcp", "micropython-pty"],
)
def test_a_client_that_does_not_read_does_not_stop_the_board(start: Callable[..., BoardProcess], tcp_port: int | None) -> None:
    with start(virtual_clock=5, tcp_port=tcp_port) as board:
        with session(board.url) as client:
            client.tell(configure(NETWORK))
            client.tell(messages.SetTelemetry(1))
            client.tell(messages.Noise(0, 0))
            rounds = 0
            while client.status().telemetry_dropped == 0:  # once more if the system's buffers were not full yet
                wait_until(lambda: sleeps(board.process.pid, 1.0))  # noise codes have filled the line
                client.push(messages.Train.TYPE, messages.Train(rows(24).ravel()).pack())
                time.sleep(0.2)
                assert client.finish() == []
                rounds += 1
                assert rounds < 20
            client.tell(messages.Stop())
            assert client.status().steps == 24 * rounds
        with session(board.url, nonce=2) as client:
            assert client.status().steps == 24 * rounds


def test_noise_stream_to_a_client_that_left_ends_with_its_session(start: Callable[..., BoardProcess]) -> None:
    with start(virtual_clock=100, tcp_port=0) as board:
        with session(board.url) as client:
            client.tell(messages.Noise(0, 0))
        wait_until(lambda: sleeps(board.process.pid))
        with session(board.url, nonce=2) as client:
            client.status()
            assert sum_codes(client.unasked) == 0


def test_reset_restarts_the_device(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board, session(board.url) as client:
        assert (client.welcome.boot_count, client.welcome.reset_cause) == (1, ResetCause.POWER_ON)
        client.tell(configure(NETWORK))
        client.tell(messages.Reset())
        again = PlainClient(client.write, client.read, nonce=2)
        assert (again.welcome.boot_count, again.welcome.reset_cause) == (2, ResetCause.SOFTWARE)
        assert again.refused(messages.GetBlob(BlobKind.WEIGHTS, 0)) == (Error.NOT_CONFIGURED, 0)


@pytest.mark.parametrize("name", ["native", "micropython"])
def test_ends_with_its_parent(name: str) -> None:
    program = (
        "import sys, time\n"
        "from mtjlearn.virtual.boards import start_process\n"
        f"board = start_process({name!r})\n"
        "print(board.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        board = int(parent.stdout.readline())
        assert not gone(board)
        parent.kill()
        wait_until(lambda: gone(board))


def test_ends_when_its_input_closes_and_on_sigterm(start: Callable[..., BoardProcess]) -> None:
    def by_input(board: BoardProcess) -> None:
        assert board.process.stdin is not None
        board.process.stdin.close()

    for end in (by_input, lambda board: board.process.send_signal(signal.SIGTERM)):
        with start() as board:
            end(board)
            assert board.process.wait(PATIENCE) == ended(start, end is not by_input)


def test_kill_is_sudden(start: Callable[..., BoardProcess]) -> None:
    with start(tcp_port=0) as board, session(board.url) as client:
        board.kill()
        assert board.process.returncode == -signal.SIGKILL
        assert client.read() == b""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--seed", "one"], "--seed does not take 'one'"),
        (["--seed", "-1"], "--seed does not take '-1'"),
        (["--preset", "desk"], "--preset does not take 'desk'"),
        (["--device-noise", "pink"], "--device-noise does not take 'pink'"),
        (["--voltages", "no-such-file"], "--voltages does not take 'no-such-file'"),
        (["--adc-bits", "11"], "--adc-bits does not take '11'"),
        (["--adc-rate", "0"], "--adc-rate does not take '0'"),
        (["--adc-reference", "99"], "--adc-reference does not take '99'"),
        (["--virtual-clock", "0"], "--virtual-clock does not take '0'"),
        (["--virtual-clock", "1025"], "--virtual-clock does not take '1025'"),
        (["--arena", "2000000"], "--arena does not take '2000000'"),
        (["--max-payload", "63"], "--max-payload does not take '63'"),
        (["--tcp", "65536"], "--tcp does not take '65536'"),
        (["4000"], "'4000' is not an option"),
        (["--speed"], "--speed"),
    ],
)
def test_mistakes_are_named(program: list[str], options: list[str], named: str) -> None:
    run = subprocess.run([*program, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert run.returncode == 2
    assert named in run.stderr
    assert "--help" in run.stderr
    assert run.stdout == ""


def test_help_names_every_option() -> None:
    run = subprocess.run([native_program(), "--help"], capture_output=True, text=True, timeout=20, check=True)
    for option in ("pty", "tcp", "seed", "preset", "device-noise", "voltages", "fault", "adc-bits", "adc-rate", "adc-reference"):
        assert f"--{option} " in run.stdout
    for option in ("fault-after", "fault-lasts", "virtual-clock", "arena", "max-payload", "eeprom", "eeprom-bytes", "help"):
        assert f"--{option} " in run.stdout


def test_both_boards_have_the_same_options_and_words() -> None:
    def words(program: list[str]) -> list[str]:
        run = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=20, check=True)
        return run.stdout.splitlines()

    native, micropython = words([str(native_program())]), words([*interpreter(), str(micropython_root() / "main.py")])
    assert len(native) == len(micropython) > 20
    different = [line for line, other in zip(native, micropython, strict=True) if line != other]
    assert [line.split(maxsplit=1)[0] for line in different] == ["Usage:", "A", "--eeprom", "--eeprom-bytes"]


def test_start_explains_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(BoardProcessError, match="--adc-bits does not take '9'"):
        start_native(adc_bits=9)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BoardProcessError, match=f"cannot serve port {port}.*--tcp 0"):
            start_native(tcp_port=port)
    with pytest.raises(BoardProcessError, match="cannot be started"):
        start_native(program=tmp_path / "nothing")
    with pytest.raises(BoardProcessError, match="not its port"):
        BoardProcess(["echo", "hello"])
    with pytest.raises(BoardProcessError, match="did not start"):
        BoardProcess(["true"])


def test_sanitized_build_learns_and_survives_garbage(project: Path, compile_c: Callable[..., Path]) -> None:
    program = sanitized(project, compile_c)
    rng = np.random.default_rng(6)
    network = Network((4, 8, 3), decorrelate=(True, True), decorrelation_rate=0.001)
    with start_native(program=program, tcp_port=0, virtual_clock=9, arena=8192) as board:
        with session(board.url) as client:
            client.tell(configure(network))
            client.tell(messages.SetTelemetry(5))
            client.tell(messages.Noise(0, 70))
            for _ in range(20):
                client.tell(messages.Train(rng.integers(-32767, 32768, 7 * 17)))
            for kind in (BlobKind.WEIGHTS, BlobKind.DECORRELATION):
                for chunk in set_blob(kind, client.blob(kind), chunk=33):
                    client.tell(chunk)
            for type_ in rng.integers(0, 128, 500):
                if type_ not in (messages.Hello.TYPE, messages.Reset.TYPE):
                    client.send(int(type_), rng.bytes(int(rng.integers(0, 241))))
            client.tell(messages.Stop())
            client.write(rng.bytes(100_000))
        with session(board.url, nonce=2) as client:
            client.tell(configure(network))
            client.status()
            client.tell(messages.Reset())
        with session(board.url, nonce=3) as client:
            assert len(noise_codes(client.noise(3000))) == 3000
    assert board.process.returncode == 0


def test_sanitized_build_refuses_uploads_beyond_their_bounds(project: Path, compile_c: Callable[..., Path], tmp_path: Path) -> None:
    program = sanitized(project, compile_c)
    for name, sequence in SEQUENCES.items():
        eeprom = tmp_path / name
        with start_native(program=program, eeprom=eeprom) as board:
            with session(board.url) as client:
                sequence(client, eeprom.read_bytes)
            assert board.process.poll() is None
