"""Ports, the raw log and connections in real time, on pseudo-terminals and sockets."""

from __future__ import annotations

import errno
import grp
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from link_support import ModelDevice

from mtjlearn.wire import messages, transport
from mtjlearn.wire.command import Command
from mtjlearn.wire.connection import Connection
from mtjlearn.wire.errors import BoardLost, BoardTimeout, PortBusy, PortError, PortForbidden, PortMissing
from mtjlearn.wire.linklog import MAGIC, LinkLog, LogKind, read_log
from mtjlearn.wire.transport import WRITE_TIMEOUT, SerialTransport


class PtyDevice:
    """A device behind a pseudo-terminal, served by a thread."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.slave = slave
        self.answer = answer
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        try:
            while data := os.read(self.master, 4096):
                reply = self.answer(data)
                if reply:
                    os.write(self.master, reply)
        except OSError:
            pass  # closed: the cable is out

    def vanish(self) -> None:
        if self.master >= 0:
            os.close(self.slave)
            # The thread sits in read(); a hang-up of the other end lets it go.
            os.close(self.master)
            self.master = -1


@pytest.fixture
def device() -> Iterator[PtyDevice]:
    opened = PtyDevice(ModelDevice().exchange)
    yield opened
    opened.vanish()


def read_until(line: SerialTransport, count: int, seconds: float = 5.0) -> bytes:
    data, end = b"", time.monotonic() + seconds
    while len(data) < count and time.monotonic() < end:
        data += line.read(0.1)
    return data


def test_bytes_pass_both_ways_and_all_values() -> None:
    echo = PtyDevice(lambda data: data)
    line = SerialTransport(echo.path)
    everything = bytes(range(256)) * 4
    line.write(everything)
    assert read_until(line, len(everything)) == everything
    start = time.monotonic()
    assert line.read(0.05) == b""
    assert 0.04 < time.monotonic() - start < 10
    line.close()
    echo.vanish()


def test_a_port_is_opened_for_one_process_alone(device: PtyDevice) -> None:
    line = SerialTransport(device.path)
    with pytest.raises(PortBusy, match=f"another program uses {device.path}"):
        SerialTransport(device.path)
    line.close()
    SerialTransport(device.path).close()


@pytest.mark.parametrize(
    ("url", "error", "text"),
    [
        ("/dev/ttyNowhere9", PortMissing, "there is no port /dev/ttyNowhere9"),
        ("socket://127.0.0.1:1", PortMissing, "nobody listens at socket://127.0.0.1:1"),
        ("gopher://x", PortError, "not a URL that pyserial knows"),
        ("/dev/null", PortError, "/dev/null cannot be opened"),
        ("loop://", PortError, "loop:// cannot reach a board"),
        ("rfc2217://127.0.0.1:4000", PortError, "cannot reach a board; name its serial port, or a raw TCP server"),
        ("socket://127.0.0.1", PortError, "lacks a host or a port number"),
        ("socket://127.0.0.1:", PortError, "lacks a host or a port number"),
        ("socket://:4000", PortError, "lacks a host or a port number"),
        ("SOCKET://127.0.0.1:70000", PortError, "lacks a host or a port number"),
        ("socket://127.0.0.1:many", PortError, "lacks a host or a port number"),
    ],
)
def test_ports_that_cannot_be_opened(url: str, error: type[PortError], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        SerialTransport(url)
    assert "\n" not in str(caught.value)


def test_a_forbidden_port_names_the_group_that_owns_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyX"
    port.touch()

    def refuse(*args: object, **options: object) -> None:
        raise serial.SerialException(errno.EACCES, f"could not open port {port}: Permission denied")

    monkeypatch.setattr(transport.serial, "serial_for_url", refuse)
    group = grp.getgrgid(port.stat().st_gid).gr_name
    with pytest.raises(PortForbidden, match=f"it belongs to group {group}; run `sudo usermod -aG {group}"):
        SerialTransport(str(port))


# --- the log ---


def test_the_log_holds_every_byte_of_both_directions(tmp_path: Path) -> None:
    echo = PtyDevice(lambda data: data[::-1])
    log = tmp_path / "link.log"
    line = SerialTransport(echo.path, log=log)
    before = time.time()
    line.write(b"\0abc\xff")
    assert read_until(line, 5) == b"\xffcba\0"
    # Readable while it is being written, as after a crash.
    kinds = [record.kind for record in read_log(log)]
    assert kinds[:2] == [LogKind.OPENED, LogKind.TO_BOARD]
    line.close()
    echo.vanish()
    records = list(read_log(log))
    assert records[0].data == echo.path.encode()
    assert b"".join(r.data for r in records if r.kind is LogKind.TO_BOARD) == b"\0abc\xff"
    assert b"".join(r.data for r in records if r.kind is LogKind.FROM_BOARD) == b"\xffcba\0"
    assert records[-1].kind is LogKind.CLOSED
    assert all(before - 1 <= r.time <= time.time() + 1 for r in records)
    assert [r.time for r in records] == sorted(r.time for r in records)


@pytest.mark.parametrize("torn", [1, 5, 12, 13, 14])
def test_a_torn_record_is_left_out_and_the_log_goes_on(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "link.log"
    first = LinkLog(path)
    first.write(LogKind.TO_BOARD, b"one")
    first.write(LogKind.FROM_BOARD, b"two")
    first.close()
    first.write(LogKind.TO_BOARD, b"nothing after close")
    whole = path.read_bytes()
    path.write_bytes(whole[: -len(b"two") - 13 + torn])
    assert [r.data for r in read_log(path)] == [b"one"]
    again = LinkLog(path)
    again.write(LogKind.TO_BOARD, b"three")
    again.close()
    assert [r.data for r in read_log(path) if r.kind is not LogKind.SKIPPED] == [b"one", b"three"]


def test_another_file_is_not_taken_for_a_log(tmp_path: Path, device: PtyDevice) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"my notes, not to be harmed")
    with pytest.raises(ValueError, match="is not a link log"):
        SerialTransport(device.path, log=path)
    assert path.read_bytes() == b"my notes, not to be harmed"
    assert not path.read_bytes().startswith(MAGIC)
    SerialTransport(device.path).close()  # and the port is free again


def test_a_log_that_cannot_be_written_ends_alone_with_the_reason(
    device: PtyDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = SerialTransport(device.path, log=tmp_path / "link.log")
    connection = Connection(transport)
    assert transport.log_problem is None

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LinkLog, "write", full)
    assert isinstance(connection.execute(messages.GetStatus()).answer, messages.Status)
    assert transport.log_problem == "No space left on device"
    connection.close()


# --- connections ---


def test_commands_over_a_pseudo_terminal(device: PtyDevice) -> None:
    connection = Connection(SerialTransport(device.path))
    assert connection.welcome.board == "model"
    done: list[Command] = []
    commands = [Command(messages.Train.TYPE, bytes([i, i])) for i in range(200)]
    assert connection.stream(iter(commands), done.append) is None
    assert done == commands
    assert isinstance(connection.execute(messages.GetStatus()).answer, messages.Status)
    connection.close()
    with pytest.raises(BoardLost, match="closed"):
        connection.execute(messages.GetStatus())


def test_a_stream_ends_with_the_first_refusal() -> None:
    model = ModelDevice()
    model.refuses = {b"no"}
    device = PtyDevice(model.exchange)
    connection = Connection(SerialTransport(device.path))
    commands = [Command(messages.Train.TYPE, b"no" if i == 100 else b"ok") for i in range(5000)]
    done: list[Command] = []
    assert connection.stream(iter(commands), done.append) is commands[100]
    assert 100 < len(done) < 1000
    assert all(command.done for command in done)
    assert len(model.executed) == len(done) - 1
    connection.close()
    device.vanish()


def test_an_interrupted_stream_reports_all_that_was_done(device: PtyDevice) -> None:
    connection = Connection(SerialTransport(device.path))
    done: list[Command] = []

    def interrupt(command: Command) -> None:
        done.append(command)
        if len(done) == 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        connection.stream((Command(messages.Train.TYPE, b"ok") for _ in range(10_000)), interrupt)
    status = connection.execute(messages.GetStatus()).answer
    assert isinstance(status, messages.Status)
    assert status.steps == len(done)
    connection.close()


def test_a_cable_pulled_out_is_noticed_at_once(device: PtyDevice) -> None:
    connection = Connection(SerialTransport(device.path))
    threading.Timer(0.2, device.vanish).start()
    start = time.monotonic()
    with pytest.raises(BoardLost, match="gone"):
        connection.stream((Command(messages.Train.TYPE, b"ok") for _ in range(10**9)), lambda command: None)
    assert time.monotonic() - start < 10
    assert isinstance(connection.lost, BoardLost)
    connection.close()


def test_a_read_ends_when_it_is_woken(device: PtyDevice) -> None:
    line = SerialTransport(device.path)
    threading.Timer(0.05, line.wake).start()
    started = time.monotonic()
    assert line.read(60) == b""
    assert time.monotonic() - started < 40
    line.close()


def test_a_line_that_is_gone_opens_no_session_again(device: PtyDevice) -> None:
    connection = Connection(SerialTransport(device.path))
    connection.close()
    with pytest.raises(BoardLost, match=rf"^the board at {device.path} is gone; connect it again$"):
        connection.restart()


def test_a_silent_port_is_given_up_and_free_again() -> None:
    device = PtyDevice(lambda data: b"")
    with pytest.raises(BoardTimeout, match="no answer"):
        Connection(SerialTransport(device.path), timeout=0.3)
    SerialTransport(device.path).close()
    device.vanish()


def test_a_socket_that_ends_is_noticed() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    model = ModelDevice()

    def serve() -> None:
        client, _ = server.accept()
        with client:
            for _ in range(40):
                client.sendall(model.exchange(client.recv(4096)))

    threading.Thread(target=serve, daemon=True).start()
    connection = Connection(SerialTransport(f"socket://127.0.0.1:{server.getsockname()[1]}"))
    with pytest.raises(BoardLost):
        connection.stream((Command(messages.Train.TYPE, b"ok") for _ in range(10**9)), lambda command: None)
    connection.close()
    server.close()


STOPPED_HOST = """
import sys
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.connection import Connection
from mtjlearn.wire.transport import SerialTransport
connection = Connection(SerialTransport(sys.argv[1]))
print("open", flush=True)
connection.stream((Command(messages.Train.TYPE, b"ok") for _ in range(int(sys.argv[2]))), lambda command: None)
print("done", flush=True)
"""


STOPPED_WRITER = """
import sys
from mtjlearn.wire.transport import SerialTransport
transport = SerialTransport(sys.argv[1])
print("open", flush=True)
transport.write(bytes(1 << 16))
print("done", flush=True)
"""


def test_a_write_outlasts_a_stop_of_its_process() -> None:
    """pyserial's write() took the time that the process stood still for the line's."""
    board, port = os.openpty()
    tty.setraw(port)
    with subprocess.Popen([sys.executable, "-c", STOPPED_WRITER, os.ttyname(port)], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "open\n"
        left = 1 << 16
        left -= len(os.read(board, 1024))
        host.send_signal(signal.SIGSTOP)
        time.sleep(1.5 * WRITE_TIMEOUT)
        host.send_signal(signal.SIGCONT)
        while left and select.select([board], [], [], 5.0)[0]:
            left -= len(os.read(board, 4096))
        assert host.stdout.readline() == "done\n"
    os.close(board)
    os.close(port)


def test_a_line_that_takes_nothing_is_given_up() -> None:
    board, port = os.openpty()
    tty.setraw(port)
    line = SerialTransport(os.ttyname(port))
    start = time.monotonic()
    with pytest.raises(BoardLost, match="gone"):
        line.write(bytes(1 << 20))
    assert time.monotonic() - start >= WRITE_TIMEOUT
    line.close()
    os.close(board)
    os.close(port)


@pytest.mark.thorough
def test_a_host_that_is_stopped_for_long_goes_on() -> None:
    model = ModelDevice()

    def slowly(data: bytes) -> bytes:
        time.sleep(0.002)
        return model.exchange(data)

    device = PtyDevice(slowly)
    command = [sys.executable, "-c", STOPPED_HOST, device.path, "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "open\n"
        time.sleep(0.2)
        host.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        host.send_signal(signal.SIGCONT)
        assert host.stdout.readline() == "done\n"
    assert model.executed == [b"ok"] * 2000
    device.vanish()
