"""A board against the integer model, step by step: losses, then weights, matrices and the random generator's state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from mtjlearn.board import Board, BoardError, BoardRefused
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import NOISE_BUFFER, Network
from mtjlearn.validate.cases import Case
from mtjlearn.wire.messages import Error, Features, Status

CODES_PER_CHUNK = 29
"""Noise codes injected before each chunk of samples: a number without a common factor with the ring's 200."""
SAMPLES_PER_CHUNK = 10
CHUNKS_PER_COMPARISON = 5
"""Weights are read back after this many chunks, and at the end."""


@dataclass
class BitExact:
    """What the comparison found.

    Args:
        steps: training steps made on both sides.
        mismatches: steps whose loss differs, and comparisons of the whole state that differ.
        first: the first differences, one line each.
        skipped: cases that do not fit the board, with the reason.
    """

    steps: int = 0
    mismatches: int = 0
    first: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether steps were compared and none differs."""
        return self.steps > 0 and self.mismatches == 0

    def differs(self, text: str, count: int = 1) -> None:
        """Notes mismatches."""
        self.mismatches += count
        if len(self.first) < 10:
            self.first.append(text)


def check_board(
    board: Board, chosen: list[Case], steps_per_case: int, progress: Callable[[int, int, str], None] | None = None
) -> BitExact:
    """Trains the board and the model on the same samples with the same injected noise codes.

    Args:
        board: any open board; its network is replaced. However this ends, the last one starts again, with noise from the board's
            ADC if it has one: injected noise would bar the board's own from whoever comes next.
        chosen: cases, see :func:`mtjlearn.validate.cases`.
        steps_per_case: training steps of each.
        progress: called with (steps done, steps in all, name of the case).
    """
    found = BitExact()
    total = steps_per_case * len(chosen)
    with _own_noise_afterwards(board) as injected:
        for number, case in enumerate(chosen):
            if progress is not None:
                progress(number * steps_per_case, total, case.name)
            injected.append(case.network)
            try:
                board.configure(case.network, injected=True)
            except BoardRefused as refusal:
                injected.pop()
                if refusal.code != Error.TOO_LARGE:
                    raise
                found.skipped.append(f"{case.name}: {refusal}")
            else:
                _check_case(board, case, steps_per_case, found)
    if progress is not None:
        progress(total, total, "done")
    return found


@contextmanager
def _own_noise_afterwards(board: Board) -> Iterator[list[Network]]:
    """The networks of the board that get injected noise within it; the last one then gets the board's own, also after Ctrl-C."""
    injected: list[Network] = []
    try:
        yield injected
    except BaseException:
        with suppress(BoardError):
            _give_own_noise(board, injected)
        raise
    _give_own_noise(board, injected)


def _give_own_noise(board: Board, injected: list[Network]) -> None:
    if injected and Features.ADC_LIVE in board.info.features:
        board.telemetry(0)
        board.configure(injected[-1])


def _check_case(board: Board, case: Case, steps: int, found: BitExact) -> None:
    board.telemetry(1)
    board.take_telemetry()
    model = FixedNetwork(case.network)
    x, targets = case.samples(steps)
    chunks = -(-steps // SAMPLES_PER_CHUNK)
    codes = case.codes(NOISE_BUFFER + chunks * CODES_PER_CHUNK)
    board.inject(codes[:NOISE_BUFFER])
    model.put_codes(codes[:NOISE_BUFFER])
    _compare_state(board, model, f"{case.name}: before the first step", found)
    for chunk in range(chunks):
        fresh = codes[NOISE_BUFFER + chunk * CODES_PER_CHUNK :][:CODES_PER_CHUNK]
        part = slice(chunk * SAMPLES_PER_CHUNK, min((chunk + 1) * SAMPLES_PER_CHUNK, steps))
        board.inject(fresh)
        board.train(x[part], targets[part])
        model.put_codes(fresh)
        expected = [int(model.train(sample, target)[0]) for sample, target in zip(x[part], targets[part], strict=True)]
        # The status that _compare_state asks for comes after all telemetry of the chunk.
        compared = (chunk + 1) % CHUNKS_PER_COMPARISON == 0 or chunk == chunks - 1
        status = _compare_state(board, model, f"{case.name}: after step {part.stop}", found) if compared else board.status()
        if status.loss_sum != int(model.loss_sum[0]) or status.random_state != int(model.random_state[0]):
            found.differs(f"{case.name}: sum of losses or random state after step {part.stop}")
        received = {record.step: record.loss for record in board.take_telemetry()}
        for step, loss in enumerate(expected, part.start + 1):
            # Telemetry is not sent again when the line lost it; the sum of losses above covers that step too.
            if received.get(step, loss) != loss:
                found.differs(f"{case.name}: loss of step {step} is {received[step]}, the model says {loss}")
        found.steps += len(expected)
    board.telemetry(0)


def _compare_state(board: Board, model: FixedNetwork, place: str, found: BitExact) -> Status:
    status = board.status()
    numbers = {
        "steps": (status.steps, int(model.steps)),
        "skipped": (status.skipped, int(model.skipped[0])),
        "saturations": (status.saturations, int(model.saturations[0])),
        "random state": (status.random_state, int(model.random_state[0])),
        "sum of losses": (status.loss_sum, int(model.loss_sum[0])),
    }
    for name, (on_board, in_model) in numbers.items():
        if on_board != in_model:
            found.differs(f"{place}: {name} is {on_board}, the model says {in_model}")
    matrices = [matrix[0] for matrix in model.matrices if matrix is not None]
    for what, here, there in (
        ("weights of layer", board.weights(), [layer[0] for layer in model.weights]),
        ("entries of decorrelation matrix", board.matrices(), matrices),
    ):
        for number, (ours, theirs) in enumerate(zip(here, there, strict=True), 1):
            different = np.count_nonzero(ours != theirs)
            if different:
                found.differs(f"{place}: {different} {what} {number} differ")
    return status
