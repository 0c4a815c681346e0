"""The raw log of a link: its bound, what damage costs, and logs of the protocol before."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from link_support import ModelDevice, Rig, train, welcome

from mtjlearn.cli.train import cli as train_cli
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.decoding import Entry, decode
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.linklog import LEAST, MAGIC, LinkLog, LogFile, LogKind, LogRecord, is_log, read_log, set_aside
from mtjlearn.wire.replaying import replay

BOUND = 20_000


def write_sessions(log: LinkLog, commands: int, sessions: int = 2) -> None:
    """Sessions of a model device, each of `commands` commands."""
    device = ModelDevice()
    for nonce in range(70, 70 + sessions):
        log.write(LogKind.OPENED, b"rig")
        rig = Rig(device, nonce=nonce)
        deliver, transmit = rig.link.receive, rig.link.transmit

        def receive(data: bytes, now: float, deliver=deliver) -> None:  # type: ignore[no-untyped-def]
            log.write(LogKind.FROM_BOARD, data)
            deliver(data, now)

        def send(now: float, transmit=transmit) -> bytes:  # type: ignore[no-untyped-def]
            data = transmit(now)
            if data:
                log.write(LogKind.TO_BOARD, data)
            return bytes(data)

        rig.link.receive, rig.link.transmit = receive, send  # type: ignore[method-assign]
        rig.open().finish(*(train(number.to_bytes(4, "little")) for number in range(commands)))


def payloads(entries: list[Entry]) -> list[bytes]:
    return [e.frame.payload for e in entries if e.frame is not None and e.frame.type == messages.Train.TYPE]


def named(entries: list[Entry], kind: type[messages.Message]) -> list[messages.Message]:
    return [entry.message for entry in entries if isinstance(entry.message, kind)]


def test_a_bounded_log_keeps_its_newest_bytes_and_every_session(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    log = LinkLog(LogFile(path, BOUND))
    write_sessions(log, commands=900)
    log.close()
    assert path.stat().st_size <= BOUND
    assert list(tmp_path.iterdir()) == [path]
    entries = list(decode(read_log(path)))
    found = payloads(entries)
    assert found == [number.to_bytes(4, "little") for number in range(900 - len(found), 900)]
    assert len(found) > 50
    assert [hello.nonce for hello in named(entries, messages.Hello)] == [70, 71]  # type: ignore[attr-defined]
    assert [answer.nonce for answer in named(entries, messages.Welcome)] == [70, 71]  # type: ignore[attr-defined]
    # Where the log was cut there may be one half frame in each direction.
    assert sum(entry.bad for entry in entries) <= 2
    assert any("dropped" in entry.text for entry in entries)


def test_a_log_without_a_bound_keeps_all(tmp_path: Path) -> None:
    log = LinkLog(tmp_path / "link.log")
    write_sessions(log, commands=600)
    log.close()
    entries = list(decode(read_log(tmp_path / "link.log")))
    assert len(payloads(entries)) == 1200
    assert not any(entry.bad for entry in entries)


def test_the_openings_of_many_sessions_do_not_break_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    log = LinkLog(LogFile(path, BOUND))
    write_sessions(log, commands=2, sessions=120)
    log.close()
    assert path.stat().st_size <= BOUND


@pytest.mark.parametrize("seed", range(20))
def test_damage_costs_what_it_hits_and_nothing_behind_it(tmp_path: Path, seed: int) -> None:
    path, random = tmp_path / "link.log", Random(seed)
    log = LinkLog(path)
    for number in range(300):
        log.write(random.choice((LogKind.TO_BOARD, LogKind.FROM_BOARD)), b"%03d" % number + random.randbytes(random.randrange(90)))
    log.close()
    whole = bytearray(path.read_bytes())
    start, length = random.randrange(len(whole) // 3, len(whole) // 2), random.choice((1, 4, 8, 50, 3000))
    whole[start : start + length] = random.choice((bytes(length), random.randbytes(length), b""))
    path.write_bytes(whole)
    again = LinkLog(path)  # as --resume does
    again.write(LogKind.CLOSED, b"behind")
    again.close()
    records = list(read_log(path))
    kept = {int(record.data[:3]) for record in records if record.kind in (1, 2) and record.data[:3].isdigit()}
    assert records[-1].data == b"behind"
    assert set(range(299 - 100, 300)) <= kept
    assert set(range(60)) <= kept
    lost = set(range(300)) - kept
    assert len(lost) <= 3 + length // 20
    assert len(lost) < 2 or any(record.kind is LogKind.SKIPPED for record in records)


def test_torn_bytes_in_the_middle_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    for number in range(4):
        log = LinkLog(path)
        log.write(LogKind.TO_BOARD, b"number %d" % number)
        log.close()
        with open(path, "ab") as file:
            file.write((struct.pack("<BdI", 2, time.time(), 40) + b"torn off")[: 3 + 6 * number])
    assert [r.data for r in read_log(path) if r.kind is LogKind.TO_BOARD] == [b"number %d" % number for number in range(4)]


def test_a_log_whose_beginning_is_damaged_is_still_one(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    log = LinkLog(path)
    log.write(LogKind.OPENED, b"port")
    log.close()
    path.write_bytes(bytes(len(MAGIC)) + path.read_bytes()[len(MAGIC) :])
    assert is_log(path)
    LinkLog(path).close()
    assert [record.data for record in read_log(path)][-1] == b"port"


def test_what_is_no_log_is_neither_written_nor_lost(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    for number in range(3):
        path.write_bytes(bytes(1000 + number))
        with pytest.raises(ValueError, match="not a link log"):
            LinkLog(path)
        aside = set_aside(path)
        assert aside is not None
        assert aside.stat().st_size == 1000 + number
    LinkLog(path).close()
    assert set_aside(path) is None
    assert len(list(tmp_path.iterdir())) == 4


def old_log() -> list[LogRecord]:
    """Of protocol 2: no CRC is seeded."""
    hello, answer = messages.Hello(5, 2, 2), welcome(5, version=2, schema=1)
    records = [
        LogRecord(LogKind.OPENED, 1.0, b"port"),
        LogRecord(LogKind.TO_BOARD, 2.0, encode_frame(hello.TYPE, 0, 0, hello.pack())),
        LogRecord(LogKind.FROM_BOARD, 3.0, encode_frame(answer.TYPE, 0, 0, answer.pack())),
    ]
    for number in range(600):
        sample, ack = messages.Train(np.array([number], np.int16)), messages.Ack((number + 1) & 0xFF, 100, 0, 0, 0)
        records.append(LogRecord(LogKind.TO_BOARD, 4.0 + number, encode_frame(sample.TYPE, 7, number & 0xFF, sample.pack())))
        records.append(LogRecord(LogKind.FROM_BOARD, 4.5 + number, encode_frame(ack.TYPE, 7, (number + 1) & 0xFF, ack.pack())))
    return records


def test_logs_of_protocol_2_are_read_and_replayed() -> None:
    entries = list(decode(old_log()))
    assert not any(entry.bad for entry in entries)
    assert len(payloads(entries)) == 600
    (session,) = replay(old_log())
    assert session.failure is None
    assert session.summary()["train_acknowledged"] == 600


@pytest.mark.thorough
@pytest.mark.parametrize(("size", "exists"), [("off", False), (str(LEAST), True)])
def test_the_option_of_train(tmp_path: Path, size: str, exists: bool) -> None:
    asked = ["xor", "--board", "native", "--epochs", "20", "--no-reference", "--runs", str(tmp_path), "--link-log", size]
    found = CliRunner().invoke(train_cli, asked)
    assert found.exit_code == 0, found.output
    (run,) = (path for path in tmp_path.iterdir() if path.is_dir())
    log = run / "link.log"
    assert log.exists() == exists
    if exists:
        assert log.stat().st_size <= LEAST
        assert named(list(decode(read_log(log))), messages.Welcome)


def test_a_strange_size_is_refused() -> None:
    found = CliRunner().invoke(train_cli, ["xor", "--link-log", "7"])
    assert found.exit_code == 2
    assert "neither off nor a number of bytes from 65,536 on" in found.output


@pytest.mark.thorough
def test_a_ruined_log_does_not_stop_a_resume(tmp_path: Path) -> None:
    asked = ["xor", "--board", "native", "--epochs", "10", "--no-reference", "--runs", str(tmp_path)]
    assert CliRunner().invoke(train_cli, asked).exit_code == 0
    (run,) = (path for path in tmp_path.iterdir() if path.is_dir())
    meta = run / "meta.json"
    meta.write_text(meta.read_text().replace('"finished"', '"interrupted"'))
    (run / "link.log").write_bytes(bytes(5000))
    found = CliRunner().invoke(train_cli, ["--resume", str(run)])
    assert found.exit_code == 0, found.output
    assert (run / "link.log.damaged").stat().st_size == 5000
    assert is_log(run / "link.log")


def test_commands_are_counted_across_a_gap() -> None:
    """More than 256 commands are missing; the CRC behind the gap says how many."""
    records: list[LogRecord] = []
    device = ModelDevice()
    rig = Rig(device)
    rig.down = lambda data: records.append(LogRecord(LogKind.FROM_BOARD, 1.0, data)) or data  # type: ignore[func-returns-value]
    rig.open().finish(*(Command.of(messages.GetMetrics()) for _ in range(2000)))
    gap = LogRecord(LogKind.SKIPPED, 1.0, b"gap")
    entries = list(decode([*records[:2], gap, *records[-40:]]))
    assert not any(entry.bad for entry in entries)
    assert named(entries, messages.Metrics)
