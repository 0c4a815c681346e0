"""A link's log as messages, and replayed: what the host knew."""

from __future__ import annotations

import itertools
import json
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from link_support import ModelDevice, Rig, drop_frames, train

from mtjlearn.cli.log import cli
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.decoding import decode
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.linklog import LinkLog, LogKind, LogRecord, read_log
from mtjlearn.wire.replaying import replay

ERR = messages.Err(messages.Train.TYPE, messages.Error.NO_NOISE, 12)


def frame(message, session=7, seq=3):
    return encode_frame(message.TYPE, session, seq, message.pack())


def decoded(*records):
    return list(decode(LogRecord(kind, float(time), data) for time, (kind, data) in enumerate(records)))


def test_lines_and_fields():
    opened, sent, came, closed = decoded(
        (LogKind.OPENED, b"/dev/ttyACM0"),
        (LogKind.TO_BOARD, frame(messages.Train(np.arange(20, dtype=np.int16)))),
        (LogKind.FROM_BOARD, frame(ERR)),
        (LogKind.CLOSED, b"gone"),
    )
    assert [entry.time for entry in (opened, sent, came, closed)] == [0, 1, 2, 3]
    assert opened.line() == "-- opened: /dev/ttyACM0"
    assert sent.line().startswith("->   7:3   TRAIN samples=[0 1 2 3 4 5 6 7 ... 20 in all]")
    assert came.line() == "<-   7:3   ERR command=TRAIN code=NO_NOISE detail=12"
    assert closed.line() == "-- closed: gone"
    assert sent.plain()["fields"] == {"samples": list(range(20))}
    assert came.plain()["fields"] == {"command": "TRAIN", "code": "NO_NOISE", "detail": 12}


def test_damage_is_shown():
    data = bytearray(frame(ERR))
    data[4] ^= 0x40
    wrong_length = encode_frame(messages.Ack.TYPE, 7, 3, b"12")
    entries = decoded(
        (LogKind.FROM_BOARD, bytes(data)),
        (LogKind.FROM_BOARD, encode_frame(0x7F, 7, 3, b"ab")),
        (LogKind.TO_BOARD, wrong_length),
        (LogKind.FROM_BOARD, frame(ERR)[:-3]),
        (LogKind.OPENED, b"again"),
        (LogKind.FROM_BOARD, frame(ERR)),
        (LogKind.FROM_BOARD, frame(ERR)[:5]),
    )
    assert [entry.bad for entry in entries] == [True, True, True, True, False, False, True]
    assert "damaged, wrong CRC" in entries[0].line()
    assert "unknown type 0x7f" in entries[1].line()
    assert "ACK: a payload of 2 bytes" in entries[2].line()
    assert bytes.fromhex(entries[0].plain()["damaged"]) in bytes(data)
    for entry in entries:
        json.dumps(entry.plain())


def test_bytes_are_shown_in_full_up_to_sixteen():
    texts = [entry.line() for entry in decoded(*((LogKind.TO_BOARD, encode_frame(0x7F, 7, 3, bytes(n))) for n in (0, 16, 17)))]
    assert [text.partition("0x7f: ")[2] for text in texts] == ["-", "00" * 16, "00" * 16 + "..(17)"]


@pytest.mark.thorough
def test_no_bytes_make_an_exception():
    rng = Random(5)
    for _ in range(300):
        chunks = [(rng.choice([LogKind.TO_BOARD, LogKind.FROM_BOARD]), rng.randbytes(rng.randrange(80))) for _ in range(8)]
        # Right frames of every type with payloads of any length, too.
        chunks += [(LogKind.FROM_BOARD, encode_frame(kind, 1, 2, rng.randbytes(rng.randrange(60)))) for kind in messages.MESSAGES]
        for entry in decoded(*chunks):
            entry.line()
            json.dumps(entry.plain())


def recorded(up=None, down=None, *, refuse=()):
    """The log of a session over a line with faults, the link that lived it, and its commands."""
    device = ModelDevice()
    rig = Rig(device)
    records = [LogRecord(LogKind.OPENED, 0.0, b"rig")]
    deliver = rig.link.receive

    def transmit(now, inner=rig.link.transmit):
        data = inner(now)
        if data:
            records.append(LogRecord(LogKind.TO_BOARD, now, data))
        return data

    def receive(data, now):
        records.append(LogRecord(LogKind.FROM_BOARD, now, data))
        deliver(data, now)

    rig.link.transmit, rig.link.receive = transmit, receive
    rig.open()
    rig.up, rig.down = up or rig.up, down or rig.down
    commands = [train(bytes([i]) * 20) for i in range(40)]
    commands[20:20] = [Command.of(messages.GetMetrics()), Command.of(messages.GetMetrics())]
    device.refuses = {commands[i].payload for i in refuse}
    rig.finish(*commands)
    return records, rig.link, commands


def told(commands):
    return [(c.type, c.payload, c.done, c.refusal) for c in commands]


FAULTS = {
    "none": {},
    "acks lost": {"down": lambda: drop_frames(messages.Ack.TYPE, times=9)},
    "answers lost": {"down": lambda: drop_frames(messages.Metrics.TYPE, times=3)},
    "refusals lost": {"down": lambda: drop_frames(messages.Err.TYPE, times=2)},
    "commands lost": {"up": lambda: drop_frames(messages.Train.TYPE, times=6)},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_replay_ends_where_the_host_did(fault):
    options = {name: make() for name, make in FAULTS[fault].items()}
    records, link, commands = recorded(**options, refuse=(3, 30))
    (session,) = replay(records)
    assert told(session.commands) == told(commands)
    assert all(command.done for command in commands)
    assert (session.repeated > 0) == (link.counters.resent > 0)
    assert session.counters.bad_frames == link.counters.bad_frames
    summary = session.summary()
    assert summary["refused"] == {"TRAIN OUT_OF_RANGE": 2}
    assert summary["commands"] == {"TRAIN": 40, "GET_METRICS": 2}
    welcome = link.welcome
    assert (summary["board"], summary["session"], summary["boot_count"]) == (welcome.board, welcome.session, welcome.boot_count)


def test_a_board_that_never_answered_has_no_name():
    hello = encode_frame(messages.Hello.TYPE, 0, 0, messages.Hello(nonce=7, version_min=3, version_max=3).pack())
    (session,) = replay([LogRecord(LogKind.OPENED, 0.0, b"rig"), LogRecord(LogKind.TO_BOARD, 0.1, hello)])
    assert [session.summary()[key] for key in ("board", "session", "boot_count")] == [None, None, None]


def test_a_log_cut_anywhere_replays():
    records, _, commands = recorded(refuse=(7,))
    known = [sum(c.done for s in replay(records[:length]) for c in s.commands) for length in range(len(records) + 1)]
    assert all(a <= b for a, b in itertools.pairwise(known))
    assert (known[0], known[-1]) == (0, len(commands))


def test_the_commands(tmp_path):
    records, _, _ = recorded(refuse=(7,))
    log = LinkLog(tmp_path / "link.log")
    for record in records:
        log.write(record.kind, record.data)
    log.write(LogKind.FROM_BOARD, b"\0\1\2\3\0")
    log.close()
    entries = list(read_log(tmp_path / "link.log"))
    assert len(entries) == len(records) + 1
    found = CliRunner().invoke(cli, ["decode", str(tmp_path), "--json"])
    *lines, last = map(json.loads, found.stdout.splitlines())
    assert last == {"entries": len(lines), "damaged": 1}
    assert sum(line.get("message") == "TRAIN" and line["kind"] == "to_board" for line in lines) == 40
    damaged = CliRunner().invoke(cli, ["decode", str(tmp_path / "link.log"), "--damaged"])
    (line,) = damaged.stdout.splitlines()
    assert "damaged" in line
    replayed = json.loads(CliRunner().invoke(cli, ["replay", str(tmp_path), "--json"]).stdout)
    (session,) = replayed["sessions"]
    assert (session["done"], session["unknown"], session["damaged"]) == (42, 0, 1)
    assert session["refused"] == {"TRAIN OUT_OF_RANGE": 1}


@pytest.mark.parametrize("command", ["decode", "replay"])
@pytest.mark.parametrize(("name", "words"), [("none", "cannot be read"), ("other", "is not a link log")])
def test_what_is_no_log(tmp_path, command, name, words):
    (tmp_path / "other").write_text("something else")
    found = CliRunner().invoke(cli, [command, str(tmp_path / name), "--json"])
    assert found.exit_code == 2
    assert words in json.loads(found.stdout.splitlines()[-1])["error"]
