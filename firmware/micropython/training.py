"""An autonomous training: AUTONOMOUS, HALT, stopping rules, schedule, evaluation and curve (shared/numerics.md, section 11). One
training step or one sample of an evaluation in each turn of the main loop, so that the line is served meanwhile. autonomous.py
calls poll(), and restore.py resume().
"""

if False:
    from kinds import Device

import struct

import learner
from curve import Curve
from mean import Mean
from messages import (
    ACTIVITY_EVALUATING,
    ACTIVITY_FINISHED,
    ACTIVITY_HALTED,
    ACTIVITY_IDLE,
    ACTIVITY_LEARNING,
    ERROR_NO_MEMORY,
    ERROR_NOT_LOADED,
    ERROR_TOO_LARGE,
    FIELD_AUTONOMOUS_EPOCH_STEPS,
    FIELD_AUTONOMOUS_EVALUATE_EVERY,
    FIELD_AUTONOMOUS_LIVE_PERIOD,
    FIELD_AUTONOMOUS_SEED,
    FIELD_AUTONOMOUS_TASK,
    LAYOUT_AUTONOMOUS,
    NOISE_SOURCE_ADC,
    STOP_REASON_EPOCHS,
    STOP_REASON_HOST,
    STOP_REASON_LOSS,
    STOP_REASON_NONE,
    STOP_REASON_STEPS,
    TASK_DATASET,
    TASK_LIVE,
    TASK_NONE,
    TASK_TEACHER,
    TASK_XOR,
)
from micropython import const
from order import Order
from session import DONE
from steps import READY, step_prepare, step_train
from tasks import Tasks, task_arena_bytes

_PAUSE = const(500)
"""Units of 1,024 us."""
_XOR_SAMPLES = const(4)
_XOR_INPUTS = const(2)
_LIVE_PINS = const(7)
_DEFAULT_INTERVAL = const(1800)
"""Seconds between checkpoints."""
_MASK = 0xFFFFFFFF


def _task_suits(device: Device, task: int) -> bool:
    config = device.net.config
    inputs, targets = config.sizes[0], config.sizes[config.layers]
    squared = config.loss == learner.SQUARED
    if task == TASK_TEACHER:
        return squared and not config.decorrelate
    if task == TASK_XOR:
        return squared and inputs == _XOR_INPUTS and targets == 1
    if task == TASK_LIVE:
        return squared and device.board.has_analog and inputs + targets <= _LIVE_PINS
    return task == TASK_DATASET


def _unfit(device: Device, task: int, epoch_steps: int, evaluate_every: int, live_period: int, seed: int) -> int:
    """Number of the field that does not go with the task, the network or the board; 0: all do."""
    if not _task_suits(device, task):
        return FIELD_AUTONOMOUS_TASK
    timed = task == TASK_LIVE
    if (timed or task == TASK_TEACHER) != (epoch_steps != 0):
        return FIELD_AUTONOMOUS_EPOCH_STEPS
    if timed and evaluate_every:
        return FIELD_AUTONOMOUS_EVALUATE_EVERY
    if timed != (live_period != 0):
        return FIELD_AUTONOMOUS_LIVE_PERIOD
    return 0 if seed else FIELD_AUTONOMOUS_SEED


class Training:
    """A training, with the fields of AUTONOMOUS, PROGRESS and CHECKPOINT_RECORD by their names there.

    Attributes:
        position: steps done of this epoch, or samples of the evaluation.
        source: CRC-32 of the dataset, or seed of the teacher.
        epoch: done.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._sum = Mean()
        """Of the losses of the epoch, or of the evaluation."""
        self._tasks = Tasks(device)
        self.order = Order()
        self.curve = Curve()
        self.forget()

    def forget(self) -> None:
        """No task, default interval of checkpoints: the state that a new network and a loaded checkpoint begin with."""
        self.activity = ACTIVITY_IDLE
        self.task = TASK_NONE
        self.stop_reason = STOP_REASON_NONE
        self.evaluate_every = 0
        self._partial = False
        """The epoch began before a checkpoint was restored, and its first losses are lost."""
        self.paused = False
        """A host reads the weights."""
        self.paused_at = 0
        self.epoch_steps = 0
        self.position = 0
        self.stop_epochs = 0
        self.checkpoint_interval = _DEFAULT_INTERVAL
        self.live_period = 0
        self.correct = 0
        self.source = 0
        self.epoch = 0
        self.stop_steps = 0
        self.loss_target = 0
        self.halve_every = 0
        self._halve_left = 0
        """Steps until the rate is halved; 0 without a schedule."""
        self.epoch_loss = 0
        self.evaluated = 0
        self.evaluation_loss = 0
        self._micros = 0
        """When the last sample of LIVE was taken."""
        self._sum.clear()
        self.order.seed(0)
        self.order.keep()
        self.curve.init(0)

    @property
    def order_state(self) -> int:
        """As CHECKPOINT_RECORD has it."""
        return self.order.state

    @order_state.setter
    def order_state(self, state: int) -> None:
        self.order.state = state

    def learns(self) -> bool:
        """Whether it continues."""
        return self.activity == ACTIVITY_LEARNING or self.activity == ACTIVITY_EVALUATING

    def is_ordered(self) -> bool:
        """Whether an epoch has each of its samples once."""
        return self.task == TASK_DATASET or self.task == TASK_XOR

    def steps(self) -> int:
        """Training steps since AUTONOMOUS."""
        position = 0 if self.activity == ACTIVITY_EVALUATING else self.position
        steps = self.epoch * self.epoch_steps + position
        return steps if steps <= _MASK else steps & _MASK

    def pause(self, more: bool) -> None:
        """A host reads weights: no step until it has the last of them, or for half a second, so that what it reads belongs
        together.
        """
        self.paused = more
        self.paused_at = self._device.clock()

    def start(self, request: tuple[int, ...]) -> None:
        """Begins as a checked AUTONOMOUS says."""
        self.forget()
        (
            self.task,
            self.stop_steps,
            self.stop_epochs,
            self.loss_target,
            self.epoch_steps,
            self.halve_every,
            self.evaluate_every,
            self.checkpoint_interval,
            self.live_period,
            self.source,
        ) = request
        self._halve_left = self.halve_every
        self.order.seed(self.source)
        self.order.keep()
        if self.task == TASK_DATASET:
            self.epoch_steps = self._device.autonomous.dataset.samples
            self.source = self._device.autonomous.dataset.crc
        elif self.task == TASK_XOR:
            self.epoch_steps = _XOR_SAMPLES
        self.curve.init(self.epoch_steps)
        self._tasks.begin(self)
        self.activity = ACTIVITY_LEARNING

    def stop(self, reason: int) -> None:
        """Ends it, and asks for a checkpoint."""
        if self.activity == ACTIVITY_EVALUATING:
            self.position = 0
        self.activity = ACTIVITY_HALTED if reason == STOP_REASON_HOST else ACTIVITY_FINISHED
        self.stop_reason = reason
        self._device.autonomous.checkpoint.wanted = True

    def resume(self) -> bool:
        """After a checkpoint was loaded: the rest of what it does not hold, and continues where it was. False: its dataset is not
        there any more.
        """
        self.order.go_back()
        if self.activity == ACTIVITY_EVALUATING:
            # No checkpoint says so, unless somebody made it.
            self.activity = ACTIVITY_LEARNING
        self._halve_left = self.halve_every - self.steps() % self.halve_every if self.halve_every else 0
        self._partial = self.position != 0
        self.curve.init(self.epoch_steps)
        there = self.task != TASK_DATASET or self._find_dataset()
        if self.task == TASK_NONE:
            self.activity = ACTIVITY_IDLE
        if self.activity == ACTIVITY_IDLE:
            return there
        if not there or not self._can_continue():
            self.activity = ACTIVITY_IDLE
            return False
        self._tasks.begin(self)
        if self.position:
            self._tasks.epoch(self)
            self._tasks.skip(self, self.position)
        return True

    def poll(self) -> bool:
        """In each turn. True: there may be more to do at once."""
        if not self.learns() or self._is_paused():
            return False
        try:
            if self.activity == ACTIVITY_EVALUATING:
                self._evaluate()
                return True
            return self._learn()
        except OSError:
            self._lose_dataset()
            return False

    def _find_dataset(self) -> bool:
        dataset = self._device.autonomous.dataset
        dataset.samples = self.epoch_steps
        dataset.crc = self.source
        if not dataset.fits():
            dataset.samples = 0
        return dataset.samples != 0 and dataset.check()

    def _can_continue(self) -> bool:
        epoch_steps = 0 if self.is_ordered() else self.epoch_steps
        device = self._device
        return (
            self.epoch_steps != 0
            and self.position < self.epoch_steps
            and _unfit(device, self.task, epoch_steps, self.evaluate_every, self.live_period, self.order_state) == 0
            and task_arena_bytes(device, self.task) <= device.board.arena_bytes
        )

    def _is_paused(self) -> bool:
        if self.paused and (self._device.clock() - self.paused_at) & 0xFFFF >= _PAUSE:
            self.paused = False
        return self.paused

    def _lose_dataset(self) -> None:
        """The file system does not give it any more: as after a start that does not find it."""
        self._device.autonomous.dataset.lose()
        self._device.remember(ERROR_NO_MEMORY)
        self.activity = ACTIVITY_IDLE

    def _limit(self) -> int:
        """The limit that is reached, if one is."""
        if self.stop_epochs and self.epoch >= self.stop_epochs:
            return STOP_REASON_EPOCHS
        return STOP_REASON_STEPS if self.stop_steps and self.steps() >= self.stop_steps else STOP_REASON_NONE

    def _end_epoch(self, loss: int) -> None:
        self.position = 0
        self._sum.clear()
        self.order.keep()
        self.activity = ACTIVITY_LEARNING
        reason = STOP_REASON_LOSS if self.loss_target and loss <= self.loss_target else self._limit()
        if reason != STOP_REASON_NONE:
            self.stop(reason)

    def _evaluate(self) -> None:
        if self.position == 0:
            self.correct = 0
        tasks, net = self._tasks, self._device.net
        tasks.evaluation(self, self.position)
        if net.evaluate(self._device.arena, tasks.x, tasks.target):
            self.correct += 1
        loss = net.evaluated_loss()
        self._sum.add(loss >> 16, loss & 0xFFFF)
        self.position += 1
        if self.position < self.epoch_steps:
            return
        self.evaluated = self.epoch
        self.evaluation_loss = self._sum.of(self.epoch_steps)
        # A teacher's evaluation used the generator for itself.
        self.order.go_back()
        self._end_epoch(self.evaluation_loss)

    def _halve(self) -> None:
        net = self._device.net
        net.set_rates(net.config.learning_rate >> 1, net.config.decorrelation_rate)
        self._halve_left = self.halve_every

    def _count_step(self) -> None:
        counters = self._device.net.counters
        low, high = counters[learner.COUNTED_LAST_LOSS], counters[learner.COUNTED_LAST_LOSS + 1]
        self._sum.add(high, low)
        if self._halve_left:
            self._halve_left -= 1
            if self._halve_left == 0:
                self._halve()
        self.position += 1
        if self.position < self.epoch_steps:
            limit = self._limit()
            if limit != STOP_REASON_NONE:
                self.stop(limit)
            return
        self.epoch = (self.epoch + 1) & _MASK
        self.position = 0
        partial, self._partial = self._partial, False
        if not partial:
            self.curve.add(self._sum)
            self.epoch_loss = self._sum.of(self.epoch_steps)
        self._sum.clear()
        if self.evaluate_every and (self._limit() != STOP_REASON_NONE or self.epoch % self.evaluate_every == 0):
            self.order.keep()
            self.activity = ACTIVITY_EVALUATING
        else:
            self._end_epoch(_MASK if self.evaluate_every or partial else self.epoch_loss)

    def _is_due(self) -> bool:
        if self.task != TASK_LIVE:
            return True
        now = self._device.board.micros()
        if (now - self._micros) & _MASK < self.live_period * 1000:
            return False
        self._micros = now
        return True

    def _learn(self) -> bool:
        # Not before the noise is there and in order: a sample that was taken is trained. A frozen buffer has nothing new to teach,
        # so that a board faster than its converter waits for one code a step; a board that slept finds many at once.
        device, autonomous = self._device, self._device.autonomous
        if (
            step_prepare(device) != READY
            or (autonomous.fresh == 0 and device.intake.source == NOISE_SOURCE_ADC)
            or not self._is_due()
        ):
            return False
        if autonomous.fresh:
            autonomous.fresh -= 1
        tasks = self._tasks
        if self.position == 0:
            tasks.epoch(self)
        tasks.sample(self)
        step_train(device, device.arena, tasks.x, tasks.target)
        self._count_step()
        return True


def command_autonomous(device: Device, payload: memoryview) -> int:
    """AUTONOMOUS: acknowledged once its first checkpoint is kept, if the memory has room for two."""
    autonomous = device.autonomous
    request = struct.unpack_from(LAYOUT_AUTONOMOUS, payload)
    task, _, _, _, epoch_steps, _, evaluate_every, _, live_period, seed = request
    field = _unfit(device, task, epoch_steps, evaluate_every, live_period, seed)
    if field:
        return device.out_of_range(field)
    if device.blobs.damaged or (task == TASK_DATASET and not autonomous.dataset.complete):
        return device.refuse(ERROR_NOT_LOADED, 0)
    needed = task_arena_bytes(device, task)
    if needed > device.board.arena_bytes:
        return device.refuse(ERROR_TOO_LARGE, needed - device.board.arena_bytes)
    autonomous.training.start(request)
    return autonomous.checkpoint.wait()


def command_halt(device: Device, payload: memoryview) -> int:
    """HALT: acknowledged once a checkpoint of it is kept."""
    training = device.autonomous.training
    if not training.learns():
        return DONE
    training.stop(STOP_REASON_HOST)
    return device.autonomous.checkpoint.wait()
