"""The board learns autonomously: a dataset in its memory, rules when to stop, its progress and its loss curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mtjlearn.board import packing
from mtjlearn.board.base import BoardBase
from mtjlearn.board.packing import PackedDataset
from mtjlearn.network import LOSS_BITS, RATE_BITS
from mtjlearn.schedule import CHECKPOINT_INTERVAL
from mtjlearn.wire import messages
from mtjlearn.wire.errors import BoardError
from mtjlearn.wire.messages import Activity, BlobKind, Features, StopReason, Task

Integers = npt.NDArray[np.integer]

_LOSS_ONE = 1 << LOSS_BITS
_EXPONENT_SHIFT = 11
RUNNING = frozenset((Activity.LEARNING, Activity.EVALUATING))


@dataclass(frozen=True)
class Schedule:
    """What a board learns autonomously, and when it stops. With no rule it never stops.

    Args:
        task: what it learns.
        steps: stops after these; 0: no such rule.
        epochs: stops after these; 0: no such rule.
        loss_target: stops at an evaluation (without evaluations: an epoch) with at most this mean loss; 0: no such rule.
        epoch_steps: length of an epoch of TEACHER and LIVE; 0 with the others.
        halve_every: halves the learning rate after this many steps; 0: never.
        evaluate_every: evaluates without noise after this many epochs; 0: never, as with LIVE.
        checkpoint_interval: seconds between checkpoints while it learns; 0: at stops only.
        live_period: milliseconds between two samples of LIVE; 0 with the others.
        seed: of the order of the samples, and of the teacher, 1 .. 2^32 - 1.
    """

    task: Task = Task.DATASET
    steps: int = 0
    epochs: int = 0
    loss_target: float = 0.0
    epoch_steps: int = 0
    halve_every: int = 0
    evaluate_every: int = 0
    checkpoint_interval: int = CHECKPOINT_INTERVAL
    live_period: int = 0
    seed: int = 1

    @property
    def message(self) -> messages.Autonomous:
        """The message that starts it."""
        # A target below half a unit would be no rule at all.
        target = max(1, round(self.loss_target * _LOSS_ONE)) if self.loss_target > 0 else 0
        return messages.Autonomous(
            task=self.task,
            stop_steps=self.steps,
            stop_epochs=self.epochs,
            loss_target=target,
            epoch_steps=self.epoch_steps,
            halve_every=self.halve_every,
            evaluate_every=self.evaluate_every,
            checkpoint_interval=self.checkpoint_interval,
            live_period=self.live_period,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Progress:
    """Where autonomous learning stands.

    Args:
        activity: what the board does.
        task: what it learns.
        stop_reason: why it stopped.
        epoch: epochs done.
        position: steps done of this epoch; while it evaluates, samples of that.
        epoch_steps: length of an epoch.
        steps: since it was started.
        learning_rate: eta now.
        epoch_loss: mean loss of the last whole epoch, with noise; None before.
        evaluated: epochs done at the last evaluation; 0: none yet.
        evaluation_loss: its mean loss, without noise; None before.
        correct: samples correctly classified in it; while it evaluates, in the running one.
        stop_steps: the rule; 0: none.
        stop_epochs: the rule; 0: none.
        loss_target: the rule; 0: none.
        halve_every: steps between two halvings of eta; 0: never.
        evaluate_every: epochs between two evaluations; 0: never.
        checkpoint_interval: seconds between two checkpoints; 0: at stops only.
        samples: of the dataset in the memory; 0: none.
        room: bytes for a dataset, next to two checkpoints of this network.
        sample_bytes: of an int8 sample with its targets.
    """

    activity: Activity
    task: Task
    stop_reason: StopReason
    epoch: int
    position: int
    epoch_steps: int
    steps: int
    learning_rate: float
    epoch_loss: float | None
    evaluated: int
    evaluation_loss: float | None
    correct: int
    stop_steps: int
    stop_epochs: int
    loss_target: float
    halve_every: int
    evaluate_every: int
    checkpoint_interval: int
    samples: int
    room: int
    sample_bytes: int

    @classmethod
    def of(cls, message: messages.Progress) -> Self:
        """From the board's PROGRESS.

        Raises:
            BoardError: it holds a value that this host does not know.
        """
        try:
            activity, task, reason = Activity(message.activity), Task(message.task), StopReason(message.stop_reason)
        except ValueError as error:
            raise BoardError(f"PROGRESS is invalid ({error}); flash the firmware that came with this mtjlearn") from None
        return cls(
            activity=activity,
            task=task,
            stop_reason=reason,
            epoch=message.epoch,
            position=message.position,
            epoch_steps=message.epoch_steps,
            steps=message.steps,
            learning_rate=message.learning_rate / (1 << RATE_BITS),
            epoch_loss=message.epoch_loss / _LOSS_ONE if message.epoch else None,
            evaluated=message.evaluated,
            evaluation_loss=message.evaluation_loss / _LOSS_ONE if message.evaluated else None,
            correct=message.correct,
            stop_steps=message.stop_steps,
            stop_epochs=message.stop_epochs,
            loss_target=message.loss_target / _LOSS_ONE,
            halve_every=message.halve_every,
            evaluate_every=message.evaluate_every,
            checkpoint_interval=message.checkpoint_interval,
            samples=message.samples,
            room=message.room,
            sample_bytes=message.sample_bytes,
        )

    @property
    def running(self) -> bool:
        """Whether it learns, or will continue after an evaluation."""
        return self.activity in RUNNING

    @property
    def total(self) -> int | None:
        """Steps until a rule is met for sure; None if there is no such rule."""
        rules = [self.stop_steps, self.stop_epochs * self.epoch_steps]
        return min((rule for rule in rules if rule), default=None)

    @property
    def accuracy(self) -> float | None:
        """Share of samples classified correctly in the last evaluation; None before one, and while one runs."""
        known = self.evaluated and self.epoch_steps and self.activity is not Activity.EVALUATING
        return self.correct / self.epoch_steps if known else None


@dataclass(frozen=True)
class Curve:
    """The losses that the device kept.

    Args:
        interval: steps of a point.
        losses: mean losses, with noise, oldest first; shape (points,). A point has 11 significant bits.
    """

    interval: int
    losses: npt.NDArray[np.float64]

    @classmethod
    def of(cls, message: messages.Curve) -> Self:
        """From the board's CURVE."""
        points = message.points.astype(np.int64)
        mantissas, exponents = points & ((1 << _EXPONENT_SHIFT) - 1), points >> _EXPONENT_SHIFT
        return cls(message.interval, np.ldexp(mantissas.astype(np.float64), exponents - LOSS_BITS))

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """Step at the end of each point, shape (points,)."""
        return np.arange(1, len(self.losses) + 1, dtype=np.int64) * self.interval


class Autonomy(BoardBase):
    """The part of a board that learns autonomously."""

    def upload_dataset(
        self,
        x: Integers,
        target: Integers,
        *,
        value_bytes: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> PackedDataset:
        """Puts a dataset into the board's memory, in place of the one before. An Uno's EEPROM takes 3.4 ms per byte.

        Args:
            x: inputs Q3.12, shape (n, inputs).
            target: as for train(); one-hot vectors and signs are packed as classes.
            value_bytes: 1: int8, 2: int16; None: int16 if that fits, else int8.
            on_progress: called with the bytes written and their number.

        Returns:
            What was stored.

        Raises:
            ValueError: naming the value that does not fit.
            BoardError: the board has no such memory, or the samples do not fit; how many bytes are missing, and how
                many samples fit. Nothing was changed then.
        """
        network = self._configured()
        room = self.progress().room  # first: firmware that learns from a stream only says so itself
        self._check_feature(Features.MEMORY, "nonvolatile memory", "stream the samples with train()")
        missing = self._ask(messages.GetCheckpoint(), messages.Checkpoints).missing
        if missing:
            raise BoardError(
                f"the board's memory has {self.info.memory} bytes, and {missing} are missing for two checkpoints of "
                f"{network.name}; use fewer units, int16 weights, or another board"
            )
        packed = packing.fitting(network, x, target, room, value_bytes)
        self.execute(packed.message)
        self._write_blob(BlobKind.DATASET, packed.data, on_progress)
        return packed

    def start_autonomous(self, schedule: Schedule) -> None:
        """Lets the board learn autonomously, now and after each of its starts, until a rule is met or halt().

        It saves a checkpoint first. The host may leave and come back at any time.

        Raises:
            ValueError: a number of the schedule is out of range.
            BoardRefused: BUSY while it does so already; other codes name what does not fit.
        """
        stands = self.progress()  # first, as in upload_dataset()
        if schedule.task is Task.LIVE:
            self._check_feature(Features.ANALOG, "free analog pins", "choose another task")
        if schedule.task is Task.DATASET and stands.samples == 0:
            raise BoardError("the board has no dataset in its memory; upload one first")
        self.execute(schedule.message)

    def halt(self) -> None:
        """Stops autonomous learning, also after the next start, and saves a checkpoint."""
        self.execute(messages.Halt())

    def progress(self) -> Progress:
        """Where autonomous learning stands."""
        return Progress.of(self._ask(messages.GetProgress(), messages.Progress))

    def curve(self) -> Curve:
        """The losses since start_autonomous()."""
        return Curve.of(self._ask(messages.GetCurve(), messages.Curve))

    def _check_feature(self, feature: Features, what: str, advice: str) -> None:
        if feature not in self.info.features:
            raise BoardError(f"{self.info.name} has no {what}; {advice}, or use another board")
