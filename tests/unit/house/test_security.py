"""What a hostile board, a hostile file and the network can do: nothing but what docs/security.md says."""

from __future__ import annotations

import ast
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from places import PROJECT
from rich.table import Table

from mtjlearn.board import Board, BoardError
from mtjlearn.cli.view.console import console, say
from mtjlearn.datasets import DatasetError
from mtjlearn.datasets.files import read_file
from mtjlearn.network import FRACTION_BITS, LOSS_BITS, WEIGHT32_BITS, Network
from mtjlearn.noise import RecordingError, load_recording
from mtjlearn.npz import NpzError, read_npy, read_npz
from mtjlearn.runs import Checkpoint, Run, RunError, read_checkpoint
from mtjlearn.runs.storage import write_atomic
from mtjlearn.virtual.native import start_native
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command, Refusal
from mtjlearn.wire.errors import BoardLost
from mtjlearn.wire.frame import encode_frame
from mtjlearn.wire.linklog import LinkLog, LogKind, read_log
from mtjlearn.wire.session import ASKED, Link, LinkState

HOST = PROJECT / "host"
FIRMWARE = PROJECT / "firmware"

NEVER_IMPORTED = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle", "yaml", "socketserver"}
NEVER_CALLED = {"eval", "exec", "compile", "system", "popen"}
"""Of any module; re.compile aside."""
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m"


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    """Every call with the name of what is called and of what stands before its dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield node, function.attr, ast.unparse(function.value)
            elif isinstance(function, ast.Name):
                yield node, function.id, ""


def dangers(source: str) -> list[str]:
    """What a module does that no module may."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [f"line {node.lineno}: {name}" for name in names if name.split(".")[0] in NEVER_IMPORTED]
            if "joblib" in names and {"load", "dump"} & {*names}:
                found.append(f"line {node.lineno}: joblib's files are pickles")
    for node, name, owner in calls(tree):
        if name in NEVER_CALLED and owner not in ("re", "console"):
            found.append(f"line {node.lineno}: {name}()")
        if name in ("load", "loads", "fromfile", "memmap") and owner in ("np", "numpy", "joblib"):
            found.append(f"line {node.lineno}: {owner}.{name}(); use mtjlearn.npz")
        for keyword in node.keywords:
            if keyword.arg in ("allow_pickle", "shell") and ast.unparse(keyword.value) != "False":
                found.append(f"line {node.lineno}: {keyword.arg}")
    return found


@pytest.mark.thorough
def test_the_host_unpickles_and_evaluates_nothing() -> None:
    modules = sorted(HOST.rglob("*.py"))
    assert len(modules) > 50
    assert not {str(path.relative_to(HOST)): found for path in modules if (found := dangers(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from joblib import load", "np.load(p)", "f(p, allow_pickle=True)", "eval('1')", "run(c, shell=x)"],
)
def test_the_guard_sees_what_is_forbidden(source: str) -> None:
    assert dangers(source)


# --- the network ---


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's table of sockets")
def test_a_board_behind_tcp_listens_on_loopback_alone() -> None:
    with start_native(tcp_port=0) as board:
        port = int(board.url.rpartition(":")[2])
        tables = [Path(f"/proc/{board.process.pid}/net/{name}") for name in ("tcp", "tcp6")]
        rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    assert listening == {f"0100007F:{port:04X}"}


def test_nothing_else_listens() -> None:
    binds, any_address = [], []
    for path in [*FIRMWARE.rglob("*.c"), *FIRMWARE.rglob("*.cpp"), *HOST.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if re.search(r"(?<![\w])(?:bind|listen)\s*\(|\.(?:bind|listen)\(|create_server", text):
            binds.append(path.name)
        if re.search(r"INADDR_ANY|in6addr_any|[\"']0\.0\.0\.0|[\"']::[\"']", text):
            any_address.append(path.name)
    assert sorted(binds) == ["line.c", "serve.py"]
    assert 'ADDRESS = "127.0.0.1"' in (HOST / "mtjlearn/dashboard/serve.py").read_text(encoding="utf-8")
    assert "INADDR_LOOPBACK" in (FIRMWARE / "virtual/line.c").read_text(encoding="utf-8")
    assert any_address == []


# --- a hostile board ---


def welcome(nonce: int = 5, **changes: object) -> bytes:
    fields: dict[str, object] = dict.fromkeys(messages.Welcome.__match_args__, 0)
    fields |= {"nonce": nonce, "version": messages.VERSION, "session": 7, "schema": messages.SCHEMA, "board": "model"}
    fields |= {"receive_window": 1024, "max_payload": 240, "adc_bits": 10, "adc_rate": 9615, "adc_reference": 1100}
    fields |= {"activation_bits": FRACTION_BITS, "weight32_bits": WEIGHT32_BITS, "loss_bits": LOSS_BITS}
    answer = messages.Welcome(**{**fields, **changes})  # type: ignore[arg-type]
    return encode_frame(answer.TYPE, 0, 0, answer.pack())


def opened(**changes: object) -> Link:
    link = Link(100.0, 5)
    link.transmit(100.0)
    link.receive(welcome(**changes), 100.0)
    return link


def say_to(link: Link, message: messages.Message, seq: int = 0, now: float = 100.0) -> None:
    link.receive(encode_frame(message.TYPE, 7, seq, message.pack(), link.nonce), now)


def test_a_boards_name_is_no_command_to_the_terminal() -> None:
    fields = dict.fromkeys(messages.Welcome.__match_args__, 0)
    payload = messages.Welcome(**{**fields, "board": "model"}).pack().replace(b"model", b"\x1b[2J\x07")  # type: ignore[arg-type]
    assert messages.Welcome.unpack(payload).board == "\ufffd[2J\ufffd"


def test_text_of_others_reaches_the_terminal_without_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(console(), "_file", output)
    say(f"{ESCAPE} file")
    table = Table(ESCAPE)
    table.add_row(f"[bold]{ESCAPE}[/]")
    console().print(table)
    console().print(f"[red]{ESCAPE}[/]")
    text = output.getvalue()
    assert text.count("owned") == 4
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


@pytest.mark.parametrize("changes", [{"max_payload": 0}, {"max_payload": 63}, {"max_payload": 241}, {"adc_bits": 17}])
def test_a_board_that_says_nonsense_of_itself_is_refused(changes: dict[str, object]) -> None:
    link = opened(**changes)
    assert link.state is LinkState.LOST
    assert isinstance(link.failure, BoardError)


@pytest.mark.parametrize(("bits", "count", "size"), [(0, 4, 8), (17, 4, 16), (10, 5, 6), (10, 0, 6), (16, 255, 200)])
def test_noise_codes_that_are_not_there_are_thrown_away(bits: int, count: int, size: int) -> None:
    link = opened()
    say_to(link, messages.NoiseCodes(1, 2, bits, count, bytes(size)))
    assert not link.noise
    assert link.counters.received_bad == 1


def test_a_blob_beyond_its_end_is_no_answer() -> None:
    link = opened()
    command = Command.of(messages.GetBlob(messages.BlobKind.WEIGHTS, 0))
    link.submit(command, 100.0)
    link.transmit(100.0)
    say_to(link, messages.Blob(0, 2**32 - 1, 4, b"12345"))
    assert command.answer is None
    say_to(link, messages.Blob(0, 0, 5, b"12345"))
    assert command.answer is not None


def test_a_board_that_acknowledges_questions_and_never_answers_is_given_up() -> None:
    link = opened()
    command = Command.of(messages.GetStatus())
    link.submit(command, 100.0)
    now = 100.0
    for seq in range(1, ASKED + 20):
        link.transmit(now)
        say_to(link, messages.Ack(seq & 0xFF, 1024, 0, 0, 0), now=now)
        now = max(now, link.deadline() or now)
    assert isinstance(link.failure, BoardLost)
    assert "never answers" in str(link.failure)
    assert now < 120


def test_a_board_that_refuses_to_say_what_it_refused() -> None:
    link = opened()
    command = Command.of(messages.Stop())
    link.submit(command, 100.0)
    link.transmit(100.0)
    say_to(link, messages.Ack(1, 1024, 0, 0, 1))  # one error; its ERR did not come
    link.transmit(100.0)
    say_to(link, messages.Err(messages.GetStatus.TYPE, 1, 10), seq=1)
    say_to(link, messages.Ack(2, 1024, 0, 0, 2))
    assert command.done
    assert command.refusal == Refusal(1, 10)


def test_answers_of_another_size_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board.__new__(Board)
    board._network = Network((2, 3, 1))
    monkeypatch.setattr(board, "_connection", SimpleNamespace(welcome=SimpleNamespace(max_payload=64)), raising=False)
    monkeypatch.setattr(Board, "_takes_parts", False)
    answer = messages.Prediction(np.zeros(5, np.int16))

    def stream(commands: object, done: object) -> None:
        for command in commands:  # type: ignore[attr-defined]
            done(SimpleNamespace(answer=answer, refusal=None, payload=command.payload))  # type: ignore[operator]

    monkeypatch.setattr(board, "_stream", stream)
    with pytest.raises(BoardError, match="5 outputs for 1 inputs"):
        board.predict(np.zeros((1, 2), np.int16))
    monkeypatch.setattr(board, "execute", lambda message: None)
    monkeypatch.setattr(board, "status", lambda: SimpleNamespace(steps=5))
    monkeypatch.setattr(board, "_read_blob", lambda kind, check: bytes(4))
    with pytest.raises(BoardError, match="another network"):
        board.weights()


# --- hostile files ---


def member(descr: str, shape: str, data: bytes = b"") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


EVIL = b"cos\nsystem\n(S'touch owned'\ntR."
LIES = {
    "pickle": member("|O", "(1,)", EVIL),
    "larger than its bytes": member("<f8", "(1099511627776,)", bytes(8)),
    "smaller than its bytes": member("<f8", "(1,)", bytes(24)),
    "negative": member("<f8", "(-1,)", bytes(8)),
    "nothing": b"",
}


@pytest.mark.parametrize("data", LIES.values(), ids=LIES)
def test_arrays_that_lie_are_refused_everywhere(tmp_path: Path, data: bytes) -> None:
    whole = member("<f8", "(1, 1)", bytes(8))
    with pytest.raises(NpzError):
        read_npz(archive(tmp_path / "a.npz", values=data))
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(NpzError):
        read_npy(tmp_path / "a.npy")
    for name in ("a.npz", "a.npy"):
        with pytest.raises(RecordingError):
            load_recording(tmp_path / name)
    with pytest.raises(DatasetError):
        read_file(archive(tmp_path / "b.npz", x=whole, y=data), None, None)
    with pytest.raises(RunError):
        read_checkpoint(archive(tmp_path / "weights.npz", weights=data, matrices=whole, progress=whole).parent)


@pytest.mark.thorough
def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "weights.npz", weights=member("|i1", f"({2**27},)", bytes(2**27)))
    assert bomb.stat().st_size < 200_000
    with pytest.raises(NpzError, match="more than"):
        read_npz(bomb, 2**26)
    with pytest.raises(RunError):
        read_checkpoint(tmp_path)


def test_arrays_that_numpy_wrote_come_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.asfortranarray(np.eye(3, dtype=np.int16))}
    arrays |= {"c": np.array("text"), "d": np.zeros((0, 4))}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    np.save(tmp_path / "b.npy", arrays["b"])
    assert np.array_equal(read_npy(tmp_path / "b.npy"), arrays["b"])


def test_a_log_whose_record_says_it_is_huge_takes_no_memory_for_it(tmp_path: Path) -> None:
    path = tmp_path / "link.log"
    log = LinkLog(path)
    log.write(LogKind.OPENED, b"port")
    log.close()
    with open(path, "ab") as file:
        file.write(bytes((1, *bytes(8))) + b"\xff\xff\xff\xff" + b"few")
    assert [record.data for record in read_log(path)] == [b"port"]
    path.write_bytes(b"MTJLINK1" + bytes((9, *bytes(12))))
    assert list(read_log(path)) == []


@pytest.mark.parametrize("name", ["metrics.jsonl", "lock", "link.log"])
def test_a_run_from_elsewhere_does_not_lead_writing_out_of_it(tmp_path: Path, name: str) -> None:
    with Run.create(tmp_path, "train", "iris", 0, {}) as run:
        run.save_weights(Checkpoint(0, 0, 0, np.zeros(1, np.int16)))
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious, without an end of line")
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(victim)
    with pytest.raises(RunError), Run.open(run.path) as again:
        print(again.link_log)
    assert victim.read_bytes() == b"precious, without an end of line"


def test_a_draft_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / ".meta.json.tmp").symlink_to(victim)
    write_atomic(tmp_path / "meta.json", b"new")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "meta.json").read_bytes() == b"new"
    assert not (tmp_path / "meta.json").is_symlink()
