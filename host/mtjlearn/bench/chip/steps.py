"""Training steps on a simulated chip, counted by its simulator: the same figures in every run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtjlearn.bench.chip.profile import PhaseCosts, Profile
from mtjlearn.bench.phases import Progress
from mtjlearn.bench.workload import STEP_SIZES, STEPS, VARIANT_SIZES, Workload, workload
from mtjlearn.board import Board, BoardError, BoardRefused
from mtjlearn.discovery import open_board
from mtjlearn.network import NOISE_BUFFER, WeightFormat
from mtjlearn.wire.messages import Error

_CHUNK = 40
_CODES_PER_CHUNK = 116


@dataclass(frozen=True)
class ChipSteps:
    """What the simulator counted.

    Args:
        profile: the whole run.
        costs: of each network that fits the board, by the workload's name.
        left_out: why the others were not measured, by name.
    """

    profile: Profile
    costs: dict[str, PhaseCosts]
    left_out: dict[str, str] = field(default_factory=dict)


def workloads() -> list[Workload]:
    """All that are measured: int16 ANP first, then the same with int32 weights or decorrelation."""
    plain = [workload(sizes) for sizes in STEP_SIZES]
    wide = [workload(sizes, weight_format=WeightFormat.INT32) for sizes in VARIANT_SIZES]
    return plain + wide + [workload(sizes, decorrelated=True) for sizes in VARIANT_SIZES]


def count_steps(name: str, loads: Sequence[Workload], steps: int = STEPS, progress: Progress | None = None) -> ChipSteps:
    """Trains each workload on a simulated chip with injected noise codes and reads what its simulator counted.

    Args:
        name: of a virtual board that simulates a chip.
        loads: what to train.
        steps: training steps of each.
        progress: called with (workloads done, workloads, name).

    Raises:
        BenchError: the simulator left no profile.
        BoardError: as open_board() and Board.train().
    """
    made: dict[str, slice] = {}
    left_out: dict[str, str] = {}
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        with open_board(name, profile=path) as board:
            for number, load in enumerate(loads):
                if progress is not None:
                    progress(number, len(loads), load.name)
                reason = _train(board, load, steps)
                if reason:
                    left_out[load.name] = reason
                else:
                    made[load.name] = slice(done, done + steps)
                    done += steps
        profile = Profile.read(path)
    return ChipSteps(profile, {name: PhaseCosts.of(profile.steps[rows]) for name, rows in made.items()}, left_out)


def _train(board: Board, load: Workload, steps: int) -> str:
    """Returns why the network does not fit the board, or nothing."""
    values = load.network.sizes[0] + load.network.target_count
    if 2 * values > board.info.max_payload:
        return f"a sample of {values} values does not fit the board's messages of {board.info.max_payload} bytes"
    try:
        board.configure(load.network, injected=True)
    except BoardRefused as refusal:
        if refusal.code != Error.TOO_LARGE:
            raise
        return str(refusal)
    x, targets = load.samples()
    codes = load.codes(NOISE_BUFFER + steps // _CHUNK * _CODES_PER_CHUNK)
    board.inject(codes[:NOISE_BUFFER])
    for start in range(0, steps, _CHUNK):
        rows = [step % len(x) for step in range(start, min(start + _CHUNK, steps))]
        board.train(x[rows], targets[rows])
        first = NOISE_BUFFER + start // _CHUNK * _CODES_PER_CHUNK
        board.inject(codes[first : first + _CODES_PER_CHUNK])
    if board.status().steps != steps:
        raise BoardError(f"{load.name}: the board counts {board.status().steps} steps of {steps}; run it again")
    return ""
