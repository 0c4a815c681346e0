"""Makes the seeds in corpus/: ``python tests/fuzz/seeds.py``. They are committed, small, and a test compares.

Frames come from the host's own encoder with every message of the protocol; scripts for the device name their operations as script.c
does. Inputs that once broke something lie next to them as ``regression-*`` and are not made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from mtjlearn.wire import messages
from mtjlearn.wire.frame import SEED_STEP, encode_frame
from mtjlearn.wire.messages import Message

FRESH = SEED_STEP
"""The nonce for which a decoder in C is ready that has no session yet (oldest_seed is 0)."""
HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
(_enum,) = re.findall(r"enum operation \{(.*?)\}", (HERE / "script.c").read_text(encoding="utf-8"), re.DOTALL)
OPERATION = {name: number for number, name in enumerate(re.findall(r"\w+", _enum))}

HOST = messages.HOST_MESSAGES
UNO = bytes((0x10, 60, 0x31, 2, 34, 10))  # 64-byte payloads, 1,024 bytes of memory, codes come with the steps
LARGE = bytes((0x63, 255, 0x31, 0, 34, 10))  # 240-byte payloads, 2,048 bytes of memory
BLOCKS = bytes((0xA2, 255, 0x31, 3, 34, 10))  # memory in blocks of 64 bytes
FED = bytes((0x13, 200, 0x06, 0, 34, 10))  # no converter, no memory but codes from the script
BOARDS = (UNO, LARGE, BLOCKS, FED)
HELLO = bytes((1, 0))  # what every script begins with: nonce, versions
EPOCH_STEPS = 99  # their high byte in a CHECKPOINT_RECORD


def op(name: str, *arguments: int) -> bytes:
    """One operation of a script."""
    return bytes((OPERATION[name], *arguments))


def example(kind: type[Message], random: Random) -> bytes:
    """A payload of the right length, of zeros every second time."""
    size = kind.LAYOUT.size + (random.randrange(8) * 2 if kind.TAIL[0] else 0)
    return random.randbytes(size) if random.random() < 0.5 else bytes(size)


def command(kind: type[Message], *fixed: int, in_range: bool = True, extra: int = 0) -> bytes:
    """A command by its name: bytes of its fixed fields, then how many values its open field has."""
    body = bytes(fixed).ljust(kind.LAYOUT.size, b"\0")
    tail = bytes((extra, 7)) if kind.TAIL[0] else b""
    return op("COMMAND", HOST.index(kind), int(in_range)) + body + tail


def small_network(how: int = 0, more: int = 0) -> bytes:
    """2 layers of a few units, from the converter's codes."""
    return op("CONFIGURE", how, more | 1, 200, 3, 4, 2)


TRAIN = op("FLICKER", 10) + op("SAMPLES", 0x40, 3) + op("SAMPLES", 0xF0, 9)


def scripts() -> Iterator[tuple[str, bytes]]:
    """Scripts of the device by name."""
    yield from command_scripts()
    yield from line_scripts()
    yield from autonomous_scripts()
    yield from sequence_scripts()


def sequence_scripts() -> Iterator[tuple[str, bytes]]:
    """Uploads and what comes between their chunks, with fields relative to the device's state."""
    plain = bytes((5, 5, 5)) * 4  # each field as the device expects it
    for kind in range(4):
        begin = small_network(0x42) + op("DATASET", 0, 20, 4)
        chunks = op("CHUNKS", kind, 2) + plain
        yield f"chunks-{kind}", begin + chunks + op("READS", kind, 5) + op("AGAIN", 2) + chunks
    between = op("POLL", 99) + op("REDEFINE", 5, 5, 5) + op("CHUNKS", 2, 0) + plain[:3]
    between += op("STREAM", 3, 9, 0, 5) + op("FLICKER", 10)
    yield "between", small_network(0x01) + op("DATASET", 0x80, 23, 4) + between + op("CHUNKS", 2, 3) + plain + op("AGAIN", 5)
    learned = op("DATASET", 0, 9, 4) + op("AUTONOMOUS", 0x48, 3, 2, 5) + op("POLL", 255) * 2
    learned += command(messages.Halt) + op("POLL", 255) * 2
    changed = op("FETCH_BLOB", 3) + op("SEND_BLOB", 3, 0x11, EPOCH_STEPS, 9) + op("POLL", 255) + op("CHUNKS", 2, 1) + plain
    yield "restored-dataset", small_network(0x01) + learned + changed


def command_scripts() -> Iterator[tuple[str, bytes]]:
    """Every command, and what belongs together."""
    for kind in HOST:
        fixed = range(1, 1 + kind.LAYOUT.size)
        any_values = command(kind, *fixed, in_range=False)
        yield f"command-{kind.NAME.lower()}", small_network() + command(kind, 1, extra=3) + any_values
    for how in (0x00, 0x01, 0x02, 0x4F, 0x86, 0x18):
        ask = op("SAMPLES", 2, 5) + op("SAMPLES", 0x1B, 5) + command(messages.GetStatus)
        yield f"train-{how:02x}", small_network(how) + TRAIN + ask
    wide = op("CONFIGURE", 0, 5, 200, 9, 3, 4)
    expected = bytes((5,)) * 3  # each field as the device expects it
    for kind, seed in ((0, 0x20), (2, 0x30), (3, 0x21)):
        one = op("SAMPLES", kind, seed) + expected * (1 + (seed >> 4)) + bytes((5,))
        yield f"parts-{kind}", wide + op("FLICKER", 10) + one * 2 + op("SAMPLES", kind, 0x10) + expected * 2 + bytes((1, 7)) + one
    yield "inject", small_network(0x20) + command(messages.Inject, extra=25) * 8 + op("SAMPLES", 0, 1)
    fetch = op("FETCH_BLOB", 0) + op("FETCH_BLOB", 1)
    yield "blobs", small_network(0x42) + TRAIN + fetch + op("SEND_BLOB", 0, 1, 3, 9) + op("SEND_BLOB", 1, 0)
    forbidden = op("SEND_BLOB", 0, 2, 0, 0, 1, 0x80) + op("SEND_BLOB", 1, 2, 0, 0, 1, 0x80)
    yield "forbidden-weight", small_network(0x40) + fetch + forbidden + op("SAMPLES", 2, 1)
    beyond = command(messages.SetBlob, 0, 0, 0, 0, 0, 86, extra=200)
    yield "beyond-blob", small_network() + beyond + op("FETCH_BLOB", 0)
    half = op("FETCH_BLOB", 0) + op("SEND_BLOB", 0, 0x20) + op("SAMPLES", 0, 1)
    yield "half-blob", small_network() + half + op("HELLO", 9, 0) + TRAIN


def line_scripts() -> Iterator[tuple[str, bytes]]:
    """Streams, a host that stalls, bytes that are not a command, restarts, a broken junction."""
    stalls = op("FLICKER", 15) + op("ROOM", 0) + op("FLICKER", 15) + op("ROOM", 1)
    yield "stream", small_network() + command(messages.Noise, 100, 0, 0, 0, 20) + stalls
    yield "stream-bursts", command(messages.Noise, 0, 0, 0, 0, 7) + op("FLICKER", 15) + command(messages.Stop)
    yield "telemetry", small_network() + command(messages.SetTelemetry, 1) + TRAIN + op("TIME", 200, 12) + TRAIN
    asked = command(messages.GetStatus) * 4
    yield "host-stalls", small_network() + op("ROOM", 0) + TRAIN + asked + op("ROOM", 1) + op("POLL", 9)
    yield "narrow-line", small_network() + op("ROOM", 6 | 1) + command(messages.GetBlob, 0) + op("ROOM", 1)
    again = op("RESTART", 0) + op("HELLO", 3, 0) + TRAIN + op("RESTART", 0x84) + command(messages.Reset)
    yield "restarts", small_network() + TRAIN + again
    yield "raw", op("RAW_BYTES", 8, 0, 5, 1, 2, 3, 4, 0, 0) + op("OTHER_FRAME", 4, 0, 3) + op("OTHER_FRAME", 4, 1, 0)
    stuck = op("CODES", 250, 0, 0) + op("SAMPLES", 0, 1) + op("CODES", 250, 255, 255) + op("SAMPLES", 0, 2)
    yield "broken-noise", small_network() + stuck
    limits = command(messages.SetHealth, 5, 0, 200, 0, 1, 0, 190, 0, 3)
    broken = op("CODES", 200, 34, 0) + TRAIN + op("FLICKER", 15) * 2 + TRAIN
    yield "health", small_network() + limits + TRAIN + broken


def autonomous_scripts() -> Iterator[tuple[str, bytes]]:
    """Datasets, learning alone, checkpoints, power cuts."""
    for kind in (0x00, 0x02, 0x0A, 0x05, 0x1D):
        data = small_network(0 if kind & 6 else 1) + op("DATASET", kind, 9, 4) + op("FETCH_BLOB", 2)
        learn = op("AUTONOMOUS", 0x48, 3, 2, 5) + op("POLL", 200) + command(messages.GetProgress) + op("POLL", 99)
        yield f"dataset-{kind:02x}", data + learn
    watch = op("POLL", 200) + command(messages.GetProgress) + command(messages.GetCurve) + command(messages.GetHealth)
    stop = command(messages.Halt) + op("POLL", 250) + command(messages.GetCheckpoint)
    restore = op("FETCH_BLOB", 3) + op("SEND_BLOB", 3, 0x10)
    for task in range(1, 4):
        begin = op("CONFIGURE", 0, 1, 200, 1, 3, 0) + op("AUTONOMOUS", task | 0x24, 50, 20, 9, 9)
        alone = op("RESTART", 3) + op("POLL", 255) + op("HELLO", 5, 0)
        yield f"autonomous-{task}", begin + watch + alone + watch + stop + restore + TRAIN
    save = small_network() + TRAIN + command(messages.Checkpoint) + op("POLL", 255) * 2
    start = op("HELLO", 2, 0) + command(messages.GetCheckpoint)
    yield "checkpoint", save + op("FETCH_BLOB", 3) + op("SEND_BLOB", 3, 0x11, 30, 1) + op("RESTART", 0) + start + TRAIN
    yield "torn", save + command(messages.Checkpoint) + op("POLL", 5) + op("RESTART", 3) + start
    yield "poked", save + op("POKE", 12, 0, 3, 1, 2, 3) + op("RESTART", 0) + start


def frames() -> Iterator[tuple[str, bytes]]:
    """Lines by name."""
    random = Random(1)
    for kind in messages.MESSAGES.values():
        yield kind.NAME.lower(), encode_frame(kind.TYPE, 7, 3, example(kind, random), FRESH)
    train = encode_frame(messages.Train.TYPE, 7, 0, np.arange(-60, 60, dtype="<i2").tobytes(), FRESH)
    yield "largest", train
    yield "zeros", encode_frame(6, 0, 0, bytes(240))
    yield "no-zeros", encode_frame(6, 1, 1, b"\x01" * 240, FRESH)
    yield "merged", train.rstrip(b"\0") + train.lstrip(b"\0")
    yield "cut", train[:40] + train
    yield "too-long", b"\0" + b"\x05abcd" * 80 + train
    yield "full-blocks", b"\0\xff" + b"\x01" * 254 + b"\0" + train
    yield "delimiters", b"\0" * 5 + train[1:] * 2


def seeds() -> dict[Path, bytes]:
    """All seeds that are made here."""
    needs_memory = {name for make in (autonomous_scripts, sequence_scripts) for name, _ in make()}
    made = {CORPUS / "frame" / name: bytes((176, 7)) + line for name, line in frames()}
    for number, (name, script) in enumerate(scripts()):
        board = UNO if name in needs_memory else LARGE if name == "beyond-blob" else BOARDS[number % len(BOARDS)]
        made[CORPUS / "device" / name] = board + HELLO + script
    for name in ("autonomous-1", "checkpoint", "torn"):
        made[CORPUS / "device" / f"{name}-blocks"] = BLOCKS + made[CORPUS / "device" / name][len(BLOCKS) :]
    return made


if __name__ == "__main__":
    for path, data in seeds().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
