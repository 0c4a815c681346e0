"""What an autonomous device learns, sample by sample (shared/numerics.md, section 11): dataset, teacher, XOR, live pins. Sample and
teacher lie in the arena behind the network, as with the C firmware. training.py asks for one sample after the other.
"""

if False:
    from kinds import Device, Network, Training

from messages import TASK_DATASET, TASK_LIVE, TASK_TEACHER
from micropython import const
from noise import random_next, random_skip

_ONE = const(4096)
_MINUS_ONE = const(61440)
"""As a half."""
_SCALE_BITS = const(13)
"""Full scale of a pin is 2 in Q3.12."""
_TEACHER_SHIFT = const(3)
"""16 random bits become -1 .. 1."""


def _teacher_place(net: Network) -> int:
    """In halves, as all places in the arena."""
    return (net.used + 3 & ~3) // 2


def _sample_place(net: Network, task: int) -> int:
    return _teacher_place(net) + (len(net.weights) // 2 if task == TASK_TEACHER else 0)


def task_arena_bytes(device: Device, task: int) -> int:
    """Bytes of arena that a task takes with the network."""
    net = device.net
    return 2 * (_sample_place(net, task) + net.config.sizes[0] + net.target_count())


class Tasks:
    """The samples of a training.

    Attributes:
        x, target: where the last sample stands in the arena.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.x = 0
        self.target = 0

    def begin(self, own: Training) -> None:
        """Draws the teacher.

        Args:
            own: the training (training.py), of which `task`, `source`, `order` and `epoch_steps` are used here.
        """
        self._device.filled = 0
        net = self._device.net
        self._inputs = net.config.sizes[0]
        self.x = _sample_place(net, own.task)
        self.target = self.x + self._inputs
        if own.task == TASK_TEACHER:
            net.draw_weights(net.arena, _teacher_place(net), own.source)

    def epoch(self, own: Training) -> None:
        """Begins an epoch: the order of its samples."""
        own.order.keep()
        if own.is_ordered():
            own.order.begin(own.epoch_steps)

    def skip(self, own: Training, count: int) -> None:
        """Passes over samples that were taken before a checkpoint."""
        if own.is_ordered():
            own.order.skip(own.epoch_steps, count)
        elif own.task == TASK_TEACHER:
            random_skip(own.order.random, count * self._inputs)

    def sample(self, own: Training) -> None:
        """The next sample to train on. OSError if it cannot be read."""
        if own.is_ordered():
            self._take_indexed(own, own.order.next(own.epoch_steps))
        elif own.task == TASK_TEACHER:
            self._take_random(own)
        elif own.task == TASK_LIVE:
            self._take_live()

    def evaluation(self, own: Training, index: int) -> None:
        """Sample of an evaluation; index 0 begins it. OSError if it cannot be read."""
        if own.is_ordered():
            self._take_indexed(own, index)
            return
        if index == 0:
            own.order.seed(own.source)
        self._take_random(own)

    def _take_indexed(self, own: Training, index: int) -> None:
        arena, x = self._device.arena, self.x
        if own.task == TASK_DATASET:
            self._device.autonomous.dataset.sample(index, arena, x, self.target)
            return
        arena[x] = _ONE if index & 1 else _MINUS_ONE
        arena[x + 1] = _ONE if index & 2 else _MINUS_ONE
        arena[x + 2] = _ONE if arena[x] != arena[x + 1] else _MINUS_ONE

    def _take_random(self, own: Training) -> None:
        net, arena, random = self._device.net, self._device.arena, own.order.random
        for place in range(self.x, self.target):
            random_next(random)
            arena[place] = ((random[1] ^ 32768) - 32768 >> _TEACHER_SHIFT) & 65535
        net.predict_with(arena, _teacher_place(net), arena, self.x, arena, self.target)

    def _take_live(self) -> None:
        """Inputs from the first pins, targets from the next."""
        device = self._device
        board, arena, x = device.board, device.arena, self.x
        bits = board.adc_bits
        for pin in range(self._inputs + device.net.target_count()):
            value = board.analog(pin + 1) - (1 << (bits - 1))
            value = value << (_SCALE_BITS - bits) if bits <= _SCALE_BITS else value >> (bits - _SCALE_BITS)
            arena[x + pin] = value & 65535
