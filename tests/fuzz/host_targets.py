"""Fuzz targets of the host: whatever a board sends and whatever a file holds, no other exception than the documented ones.

A target takes one input and raises when something is wrong. Files are written to one folder and overwritten by the next input.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import itertools
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from host_file_seeds import dataset_seeds, image_seeds, recording_seeds
from host_script import Script

from mtjlearn.board.checkpoint_file import MAGIC, CheckpointError, CheckpointFile
from mtjlearn.board.refusals import refused
from mtjlearn.board.results import BoardInfo, Evaluation, NoiseChunk, NoiseRecording
from mtjlearn.datasets import DatasetError
from mtjlearn.datasets.cifar import read_archive, read_plain, read_records
from mtjlearn.datasets.files import read_file
from mtjlearn.datasets.idx import read_idx
from mtjlearn.datasets.labels import classes_of, from_one_hot, guess_task
from mtjlearn.datasets.suspicions import suspicions
from mtjlearn.network import FRACTION_BITS, LOSS_BITS, WEIGHT32_BITS
from mtjlearn.noise import RecordingError, load_recording
from mtjlearn.runs import Checkpoint, RunError, list_runs, read_checkpoint, read_config, read_meta, read_metrics
from mtjlearn.runs.storage import plain
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.decoding import decode
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.frame import MAX_FRAME, Frame, FrameDecoder, encode_frame
from mtjlearn.wire.linklog import MAGIC as LOG_MAGIC
from mtjlearn.wire.linklog import LinkLog, LogKind, read_log
from mtjlearn.wire.messages import CHECKPOINT_COMMIT, CHECKPOINT_FORMAT
from mtjlearn.wire.replaying import replay
from mtjlearn.wire.session import Link, LinkState

KINDS = sorted(messages.MESSAGES.values(), key=lambda kind: kind.TYPE)
HOST, DEVICE = messages.HOST_MESSAGES, messages.DEVICE_MESSAGES


# --- the line ---


def frames(data: bytes) -> None:
    """Any bytes in any chunks: the same frames, bounded memory, and the frame behind a delimiter arrives."""
    script = Script(data)
    step = script.byte()
    line = script.rest()
    whole = list(FrameDecoder().feed(line))
    decoder = FrameDecoder()
    chunks = [line[at : at + step] for at in range(0, len(line), step)] if step else [line]
    found = []
    for chunk in chunks:
        found += decoder.feed(chunk)
        assert len(decoder._pending) <= MAX_FRAME
    assert [frame for frame in found if isinstance(frame, Frame)] == [frame for frame in whole if isinstance(frame, Frame)]
    assert len(found) == len(whole)
    for frame in whole:
        if isinstance(frame, Frame):
            assert list(FrameDecoder().feed(encode_frame(*frame))) == [frame]
    last = Frame(6, 7, 3, line[:240])
    assert [frame for frame in decoder.feed(encode_frame(*last)) if isinstance(frame, Frame)][-1] == last


def unpack(data: bytes) -> None:
    """Any payload of any message: it is that message, or a MessageError."""
    script = Script(data)
    kind = KINDS[script.byte() % len(KINDS)]
    payload = script.rest()
    try:
        message = kind.unpack(payload)
    except messages.MessageError:
        return
    assert message == kind.unpack(payload)
    for name, value in vars(message).items():
        assert not isinstance(value, str) or value.isprintable(), name
    try:
        assert kind.unpack(message.pack()) == message
    except ValueError as error:
        if kind.NAME not in str(error):  # out of its range, or not ASCII
            raise


def in_session(script: Script, session: int, nonce: int) -> bytes:
    """A frame with a right checksum, mostly of the right length."""
    kind = DEVICE[script.byte() % len(DEVICE)]
    how, seq = script.byte(), script.byte()
    length = kind.LAYOUT.size + (script.byte() % (241 - kind.LAYOUT.size) if kind.TAIL[0] else 0)
    length = max(0, length - (how >> 4)) if how & 8 else length
    number = session if how & 3 else script.byte()
    return encode_frame(kind.TYPE, number, seq & 15 if how & 4 else seq, script.bytes(length), nonce)


def link(data: bytes) -> None:
    """A board that may say anything, a host that asks it things: only documented failures, and what is let through can be used."""
    script = Script(data)
    nonce, now = 5, 100.0
    link = Link(now, nonce)
    sizes = {kind.TYPE: kind.LAYOUT.size for kind in HOST}
    commands: list[Command] = []
    chunks: list[NoiseChunk] = []
    if script.byte() % 8:
        link.transmit(now)
        link.receive(encode_frame(messages.Welcome.TYPE, 0, 0, welcome(nonce)), now)
    for _ in range(64):
        if not script:
            break
        session = link.welcome.session if link.welcome is not None else 0
        match script.byte() % 8:
            case 0:
                now += script.byte() / 64
            case 1:
                answer = bytearray(welcome(nonce))
                for _ in range(script.byte() % 4):
                    answer[script.byte() % len(answer)] = script.byte()
                link.receive(encode_frame(messages.Welcome.TYPE, 0, 0, bytes(answer)), now)
            case 2:
                kind = HOST[script.byte() % len(HOST)]
                command = Command(kind.TYPE, script.bytes(sizes[kind.TYPE]))
                try:
                    link.submit(command, now)
                    commands.append(command)
                except BoardError:
                    assert link.state is not LinkState.OPEN
            case 3:
                link.receive(script.bytes(script.byte()), now)
            case 4:
                ack = messages.Ack(script.byte() & 15, script.byte() * 8, script.byte() & 1, 0, script.byte() & 3)
                link.receive(encode_frame(ack.TYPE, session, 0, ack.pack(), nonce), now)
            case _:
                link.receive(in_session(script, session, nonce), now)
        sent = link.transmit(now)
        assert len(sent) <= messages.MAX_OUTSTANDING * MAX_FRAME
        chunks += use(link)
    for command in commands:
        if command.done and command.refusal is not None:
            assert str(refused(command, None)).isprintable()
        if command.answer is not None:
            assert isinstance(command.answer, messages.ANSWERS[command.type])
    NoiseRecording.of(chunks, 9615)
    assert len(link.noise) == 0
    # Nobody answers any more: the link ends, or has nothing to wait for.
    for _ in range(2000):
        due = link.deadline()
        if due is None:
            return
        now = max(now, due)
        link.transmit(now)
    raise AssertionError("the link waits forever")


def use(link: Link) -> list[NoiseChunk]:
    """Does with what came what the board's methods do."""
    if link.welcome is not None:
        info = BoardInfo.of(link.welcome, "port")
        assert info.name.isprintable()
        assert messages.MIN_PAYLOAD <= info.max_payload <= messages.MAX_PAYLOAD
        assert info.millivolts_per_code >= 0
    if link.failure is not None:
        assert isinstance(link.failure, BoardError)
        assert str(link.failure).isprintable()
    chunks = [NoiseChunk.of(link.noise.popleft()) for _ in range(len(link.noise))]
    assert all(len(chunk.codes) for chunk in chunks)
    link.telemetry.clear()
    Evaluation.of(messages.Metrics(0, 0, 0))
    return chunks


def welcome(nonce: int) -> bytes:
    """The answer of a board to HELLO."""
    fields: dict[str, object] = {"nonce": nonce, "version": messages.VERSION, "session": 7, "schema": messages.SCHEMA}
    fields |= {"board": "model", "receive_window": 1024, "max_payload": 240, "adc_bits": 10, "adc_rate": 9615}
    fields |= {"adc_reference": 1100, "activation_bits": FRACTION_BITS, "weight32_bits": WEIGHT32_BITS, "loss_bits": LOSS_BITS}
    names = [field.name for field in dataclasses.fields(messages.Welcome)]
    return messages.Welcome(**{name: fields.get(name, 0) for name in names}).pack()  # type: ignore[arg-type]


# --- files ---


class Files:
    """The targets that read files, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "20260101-120000-train-iris-s0"
        self.run.mkdir(parents=True, exist_ok=True)

    def log(self, data: bytes) -> None:
        """A link log: records, or a ValueError; one that can be read can be continued, and one that is whole stays as it is."""
        path = self.folder / "link.log"
        path.write_bytes(data)
        try:
            records = list(read_log(path))
        except ValueError:
            return
        assert len(list(decode(records))) >= len([r for r in records if r.kind in (LogKind.OPENED, LogKind.CLOSED)])
        for session in replay(records):
            assert session.failure is None or isinstance(session.failure, BoardError)
        log = LinkLog(path)
        log.write(LogKind.CLOSED, b"end")
        log.close()
        after = [(record.kind, record.data) for record in read_log(path)]
        whole = len(data) == len(LOG_MAGIC) + sum(13 + len(record.data) for record in records)
        if whole and data.startswith(LOG_MAGIC) and LogKind.SKIPPED not in dict(after):
            assert after == [*((record.kind, record.data) for record in records), (LogKind.CLOSED, b"end")]

    def runs(self, data: bytes) -> None:
        """One file of a run: its content, or a RunError; the list of runs never fails."""
        script = Script(data)
        name = ("config.toml", "meta.json", "metrics.jsonl", "weights.npz", "weights.npz")[which := script.byte() % 5]
        content = zipped(script, ("weights", "matrices", "progress")) if which == 4 else script.rest()
        (self.run / name).write_bytes(content)
        for read in (read_config, read_meta, read_metrics, read_checkpoint):
            try:
                read(self.run)
            except RunError as error:
                if str(self.run) not in str(error):
                    raise
        assert len(list_runs(self.folder)) == 1
        (self.run / name).unlink()

    def checkpoint(self, data: bytes) -> None:
        """A checkpoint's file, mostly with right checksums: its content, or a CheckpointError."""
        script = Script(data)
        path = self.folder / "board.ckpt"
        path.write_bytes(checkpoint_file(script.rest()) if script.byte() & 7 else script.rest())
        try:
            found = CheckpointFile.read(path)
        except CheckpointError as error:
            if str(path) not in str(error):
                raise
            return
        json.dumps(plain(found.content.summary()), allow_nan=False)
        assert len(found.content.weights) == len(found.content.network.sizes) - 1

    def recording(self, data: bytes) -> None:
        """A recording in each of its formats: numbers, or a RecordingError."""
        script = Script(data)
        suffix = (".npz", ".npz", ".npy", ".csv", ".txt", ".pqt")[which := script.byte() % 6]
        path = self.folder / f"recording{suffix}"
        path.write_bytes(zipped(script, ("values", "starts", "rate", "codes")) if which == 1 else script.rest())
        try:
            recording = load_recording(path)
        except RecordingError as error:
            if str(path) not in str(error):
                raise
            return
        assert np.isfinite(recording.values).all()
        assert sum(len(part) for part in recording.segments) == len(recording.values)

    def dataset(self, data: bytes) -> None:
        """A dataset as CSV or NPZ: a table, or a DatasetError."""
        script = Script(data)
        suffix = (".csv", ".tsv", ".npz", ".npz")[which := script.byte() % 4]
        target = (None, 1, "y", 3)[script.byte() % 4]
        path = self.folder / f"data{suffix}"
        path.write_bytes(zipped(script, ("x", "y")) if which == 3 else script.rest())
        try:
            table = from_one_hot(read_file(path, target, None))
        except DatasetError as error:
            if str(path) not in str(error):
                raise
            return
        assert np.isfinite(table.features).all()
        assert len(table.features) == len(table.targets)
        assert all("\n" not in note for note in suspicions(table, regression=guess_task(table) == "regression"))
        with suppress(DatasetError):
            numbers, names, _ = classes_of(table)
            assert set(numbers.tolist()) == set(range(len(names)))

    def images(self, data: bytes) -> None:
        """A file of an image set: pixels, or a DatasetError."""
        script = Script(data)
        which = script.byte() % 4
        path = self.folder / ("images.gz", "images", "set.tar.gz", "records.bin")[which]
        content = script.rest()
        path.write_bytes(gzip.compress(content) if which == 0 else content)
        try:
            if which < 2:
                read_idx(path, 3 - 2 * (len(content) % 2))
            elif which == 2:
                read_records([*read_archive(path, ("train.bin",)).items()], 2)
            else:
                pixels, labels = read_records(read_plain([path]), 1)
                assert pixels.shape == (len(labels), 3072)
        except DatasetError as error:
            if str(path) not in str(error) and which != 2:
                raise


def checkpoint_file(data: bytes) -> bytes:
    """The file of a checkpoint with these bytes; both checksums and the length are put right."""
    body = bytearray(data)
    body[:2] = (CHECKPOINT_COMMIT | CHECKPOINT_FORMAT).to_bytes(2, "little")
    body[2:6] = zlib.crc32(body[6:]).to_bytes(4, "little")
    rest = struct.pack("<dI12s", 1.0, 5, b"board") + body
    whole = MAGIC + struct.pack("<HI", 1, len(rest) + 4) + rest
    return whole + zlib.crc32(whole).to_bytes(4, "little")


def zipped(script: Script, names: tuple[str, ...]) -> bytes:
    """An NPZ file whose members are of the script: an array as numpy writes it, or bytes behind numpy's magic number."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if script.byte() & 1 else zipfile.ZIP_STORED) as archive:
        for name in names:
            how = script.byte()
            if how & 7 == 7:
                continue
            archive.writestr(f"{name}.npy", member(script, how))
    return buffer.getvalue()


def member(script: Script, how: int) -> bytes:
    """The bytes of one array's file, of any type and shape."""
    kinds = ("<f8", "<i8", "<i2", "<U3", "|b1", "|O", "<c16", "<M8[s]")
    shape = tuple(script.byte() % 9 for _ in range(how >> 3 & 3))
    count = int(np.prod(shape)) if shape else 1
    if how & 0x20:
        shape = tuple(size << (script.byte() & 63) for size in shape)
    header = repr({"descr": kinds[script.byte() & 7 if how & 0x40 else how & 1], "fortran_order": False, "shape": shape})
    if how & 0x80:
        header = header[: script.byte() % len(header)] + chr(script.byte()) + header[script.byte() % len(header) :]
    text = header.encode("latin1").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + script.bytes(count * 8)


# --- all of them, with their seeds ---


@dataclass(frozen=True)
class Target:
    """A target and inputs that reach deep into it."""

    run: Callable[[bytes], None]
    seeds: list[bytes]


def targets(folder: Path) -> dict[str, Target]:
    """All targets by name; those that read files use this folder."""
    files = Files(folder)
    return {
        "host-frames": Target(frames, list(frame_seeds())),
        "host-messages": Target(unpack, [bytes([i]) + bytes(k.LAYOUT.size) for i, k in enumerate(KINDS)]),
        "host-link": Target(link, list(link_seeds())),
        "host-log": Target(files.log, list(log_seeds(folder))),
        "host-runs": Target(files.runs, list(run_seeds())),
        "host-checkpoint": Target(files.checkpoint, list(checkpoint_seeds())),
        "host-recording": Target(files.recording, list(recording_seeds(folder))),
        "host-dataset": Target(files.dataset, list(dataset_seeds())),
        "host-images": Target(files.images, list(image_seeds())),
    }


def frame_seeds() -> Iterator[bytes]:
    """Lines with every message."""
    random = Random(1)
    line = [encode_frame(kind.TYPE, 7, 3, random.randbytes(kind.LAYOUT.size)) for kind in KINDS]
    yield from (b"\x07" + frame for frame in line)
    yield b"\0" + b"".join(line)
    yield b"\x20" + b"\xff" * 300 + line[3]


def link_seeds() -> Iterator[bytes]:
    """Scripts: questions with their answers, refusals, noise, telemetry, another WELCOME, silence."""
    device = {kind.NAME: number for number, kind in enumerate(DEVICE)}
    for number, kind in enumerate(HOST):
        ask = bytes((1, 2, number)) + bytes(kind.LAYOUT.size)
        for answer, open_bytes in itertools.product(device.values(), (b"", b"\x08")):
            size = DEVICE[answer].LAYOUT.size
            tail = open_bytes if DEVICE[answer].TAIL[0] else b""
            if answer % 3 == number % 3:
                yield ask + bytes((5, answer, 1, 0)) + tail + bytes(size) + bytes((4, 1, 90, 0, 0, 0, 40))
    codes = struct.pack("<IIBB", 100, 5, 10, 4) + b"\x11\x22\x33\x44\x55\0\0\0"
    yield bytes((1, 5, device["NOISE_CODES"], 1, 0, 8)) + codes
    yield bytes((0, 1, 1, 20, 64, 1, 0, 0, 200, 0, 200))
    refusal = bytes((1, 2, 2)) + bytes(HOST[2].LAYOUT.size) + bytes((4, 1, 90, 0, 1))
    yield refusal + bytes((5, device["ERR"], 1, 1, 10, 4, 0, 0, 0, 0)) + bytes((4, 2, 90, 0, 2))


def log_seeds(folder: Path) -> Iterator[bytes]:
    """A log, whole and torn."""
    path = folder / "seed.log"
    path.unlink(missing_ok=True)
    log = LinkLog(path)
    for kind, data in zip(LogKind, (b"port", b"\0\x05abcd\0", b"", b"out", b"left out"), strict=True):
        log.write(kind, data)
    log.close()
    whole = path.read_bytes()
    yield whole
    yield whole[:-2]
    yield whole[:8]


def run_seeds() -> Iterator[bytes]:
    """The files of a run."""
    meta: dict[str, object] = {"command": "train", "name": "iris", "seed": 0, "state": "running"}
    meta |= {"started": "2026-01-01T12:00:00+00:00", "result": {"a": 1.5}}
    yield b"\0" + b'command = "train"\nsizes = [4, 8, 3]\n[net]\nrate = 0.1\n'
    yield b"\x01" + json.dumps(meta).encode()
    records = ({"step": 10, "loss": 0.5}, {"step": 20, "loss": 0.4, "reference_loss": 0.3}, {"event": "resumed", "step": 10})
    yield b"\x01" + b"[" * 2000
    yield b"\0a=" + b"[" * 2000
    yield b"\x02" + b"[" * 2000 + b"\n{}\n"
    yield b"\x02" + b"".join(json.dumps(record).encode() + b"\n" for record in records)
    yield b"\x03" + Checkpoint(1, 2, 3, np.arange(8, dtype=np.int16)).pack()
    yield b"\x04\0" + bytes((8, 4)) + bytes(32) + bytes((8, 0)) + bytes((8 | 1, 4)) + bytes(32)
    yield b"\x04\x01" + bytes((0x28, 3, 40)) + bytes(24) + bytes((0x68, 3, 5)) + bytes(24)


def checkpoint_seeds() -> Iterator[bytes]:
    """The bytes of checkpoints, of two networks."""
    names = [field.name for field in dataclasses.fields(messages.CheckpointRecord)]
    base: dict[str, int] = dict.fromkeys(names, 0) | {"layers": 2, "sigma": 1229, "seed": 5, "random_state": 6}
    sizes = np.array((2, 3, 1), "<u2").tobytes()
    for changes, values in (({}, 13 * 2), ({"weight_format": 1, "decorrelate": 1, "decorrelation_rate": 300_000}, 13 * 4 + 8)):
        record = messages.CheckpointRecord(**{**base, **changes}).pack()  # type: ignore[arg-type]
        yield b"\x01" + record + sizes + bytes(values)
        yield b"\0" + checkpoint_file(record + sizes + bytes(values))
