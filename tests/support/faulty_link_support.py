"""The host's link and the real device in C, with a line between them that damages what it carries, on a virtual clock."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
from link_support import Rig, train

from mtjlearn.inprocess import Learner
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.session import LinkState

NETWORK = Network((4, 3, 2), learning_rate=0.02, seed=5)
WIDTH = NETWORK.sizes[0] + NETWORK.sizes[-1]
KINDS = ("flip", "drop", "duplicate", "insert", "merge", "stall")


class FaultyLine:
    """Damages one direction: one fault after about `gap` bytes, each of a kind drawn at random."""

    def __init__(self, random: Random, gap: int, kinds: tuple[str, ...] = KINDS) -> None:
        self.random = random
        self.gap = gap
        self.kinds = kinds
        self.count = 0
        self.next = self._draw()
        self._stall = 0.0

    def _draw(self) -> int:
        return 1 + int(self.random.expovariate(1 / self.gap))

    def __call__(self, data: bytes) -> bytes:
        out = bytearray()
        while self.next <= len(data):
            out += data[: self.next - 1]
            data = self._damage(data[self.next - 1 :], out)
            self.count += 1
            self.next = self._draw()
        self.next -= len(data)
        return bytes(out + data)

    def stall(self) -> float:
        stall, self._stall = self._stall, 0.0
        return stall

    def _damage(self, data: bytes, out: bytearray) -> bytes:
        """One fault at the start of `data`; moves what is through to `out` and returns the rest."""
        random = self.random
        match random.choice(self.kinds):
            case "flip":
                out.append(data[0] ^ (1 << random.randrange(8)))
                return data[1:]
            case "drop":
                return data[random.choice((1, 1, 2, 20)) :]
            case "duplicate":
                run = random.choice((1, 10, 300))
                out += data[:run] + data[:run]
                return data[run:]
            case "insert":
                out += random.randbytes(random.choice((1, 1, 8, 40)))
                return data
            case "merge":
                return data.replace(b"\0", b"", 2)
            case _:
                self._stall = random.choice((0.01, 0.05, 0.3))
                return data


def configure(network: Network) -> Command:
    return Command.of(
        messages.Configure(
            loss=network.loss,
            weight_format=network.weight_format,
            rounding=network.rounding or 0,
            options=messages.Options.NORMALISED,
            decorrelate=0,
            noise_source=messages.NoiseSource.INJECTED,
            rule=network.rule_code,
            slope=network.shift,
            sigma=network.sigma_q,
            noise_std=network.noise_std_q,
            learning_rate=network.learning_rate_q,
            decorrelation_rate=0,
            seed=network.seed,
            sizes=np.array(network.sizes, np.uint16),
        )
    )


def codes() -> npt.NDArray[np.uint16]:
    return np.random.default_rng(11).choice([34, 44], 200).astype(np.uint16)


def inject() -> list[Command]:
    return [Command.of(messages.Inject(part)) for part in np.split(codes(), 2)]


def samples(count: int, seed: int) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-4096, 4097, (count, WIDTH)).astype(np.int16)


def split(rows: npt.NDArray[np.int16], random: Random) -> list[Command]:
    """TRAIN commands of one to five samples each."""
    commands, start = [], 0
    while start < len(rows):
        end = min(len(rows), start + random.randint(1, 5))
        commands.append(train(rows[start:end].tobytes()))
        start = end
    return commands


def learner() -> Learner:
    model = Learner(NETWORK)
    model.put_codes(codes())
    return model


def teach(model: Learner, rows: npt.NDArray[np.int16]) -> None:
    if len(rows):
        model.train(rows[:, : NETWORK.sizes[0]], rows[:, NETWORK.sizes[0] :])


def status(rig: Rig) -> messages.Status:
    (question,) = rig.finish(Command.of(messages.GetStatus()))
    assert isinstance(question.answer, messages.Status), rig.link.failure
    return question.answer


def weights(rig: Rig) -> bytes:
    (question,) = rig.finish(Command.of(messages.GetBlob(messages.BlobKind.WEIGHTS, 0)))
    assert isinstance(question.answer, messages.Blob), rig.link.failure
    assert len(question.answer.data) == question.answer.total
    return question.answer.data


def assert_same(rig: Rig, model: Learner) -> None:
    """Bit for bit the network that saw these samples once and in this order."""
    seen, expected = status(rig), model.counters
    assert (seen.steps, seen.loss_sum, seen.random_state) == (expected.steps, expected.loss_sum, expected.random_state)
    assert weights(rig) == b"".join(rows.tobytes() for rows in model.weights)


def run_faults(faults: int, gap: int, seed: int, kinds: tuple[str, ...] = KINDS, window: int = 1024) -> Rig:
    """Trains over a faulty line until it has done this many faults, and compares with a run without faults."""
    random = Random(seed)
    rig = Rig(InProcessDevice(receive_window=window), latency=0.0005)
    rig.keep_sent = False
    up, down = FaultyLine(random, gap, kinds), FaultyLine(random, gap, kinds)
    rig.open().finish(configure(NETWORK), *inject())
    rig.up, rig.down = up, down
    rig.stall = lambda: up.stall() + down.stall()
    model = learner()
    batch = 0
    while up.count + down.count < faults:
        batch += 1
        rows = samples(500, seed + batch)
        commands = rig.finish(*split(rows, random), limit=10_000)
        assert rig.link.state is LinkState.OPEN, rig.link.failure
        assert all(c.done and c.refusal is None for c in commands)
        teach(model, rows)
        assert status(rig).steps == model.counters.steps
    rig.up = rig.down = lambda data: data
    assert_same(rig, model)
    return rig
