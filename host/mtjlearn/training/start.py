"""A training that begins with what another one has learned: a new run, with a schedule of its own, on any kind of board.

It differs from a resumed run, which repeats nothing and ends where it was to end: this one learns for epochs of its own, from the
full learning rate on. Data, split, scaling and network stay, as the weights mean nothing with others. What is random does not
repeat: the order of the samples continues with the epochs of before, noise and generators have other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import FRACTION_BITS, MATRIX_BITS, WEIGHT32_BITS, NetworkError, WeightFormat
from mtjlearn.runs import Checkpoint, RunError, is_running, read_checkpoint, read_config, read_meta
from mtjlearn.schedule import ScheduleName
from mtjlearn.training.plan import Plan, Start

_SEEDS = 2**32 - 1


def continued(
    path: Path,
    *,
    board: str | None = None,
    virtual: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    eta: float | None = None,
    sigma: float | None = None,
    epsilon: float | None = None,
    schedule: ScheduleName | None = None,
    reference: bool | None = None,
) -> tuple[Plan, Checkpoint]:
    """The plan of a training that begins with the weights of a run.

    Args:
        path: the directory of a run that is finished or was interrupted.
        board: name of the board; None: that of the run.
        virtual: options of a virtual board that were asked for; None: those of the run, on the same board.
        epochs: of the new training; None: as many as the run's.
        eta: learning rate that it begins with; None: the one that the run began with.
        sigma: standard deviation of a unit's noise; None: the run's.
        epsilon: rate of the decorrelation; None: the run's.
        schedule: how the learning rate falls; None: as the run's.
        reference: train the float reference too; None: as the run's.

    Returns:
        The plan, and the weights in its numbers: the device's, or real ones where no board learns.

    Raises:
        RunError: it is not a training's run, is still learning, has learned nothing, is damaged, or its data have changed.
        NetworkError: the board cannot learn the network, or hold its weights.
        DatasetError: the data are not there any more.
    """
    meta, old, checkpoint = read_meta(path), Plan.from_config(read_config(path)), read_checkpoint(path)
    if is_running(path):
        raise RunError(f"{path} is still learning; wait for it, or stop it with Ctrl-C")
    if checkpoint is None or not checkpoint.steps:
        raise RunError(f"{path} has learned nothing yet; resume it with: mtjlearn train --resume {path}")
    learned = meta.get("data")
    if isinstance(learned, dict) and learned.get("digest") != old.dataset.digest:
        raise RunError(
            f"{old.data} is not the data that {path} learned, so its scaling, classes or split differ; bring the data back, or "
            "start a new run"
        )
    if epsilon is not None and old.rule != "danp":
        raise NetworkError(f"--epsilon is the rate of danp's decorrelation, and {path} learned with {old.rule}; omit it")
    before = old.start or Start("", "", 0, 0, 0)
    began = replace(
        before,
        run=path.resolve().name,
        path=str(path.resolve()),
        trainings=before.trainings + 1,
        epochs=before.epochs + checkpoint.epoch + (checkpoint.samples > 0),
        steps=before.steps + checkpoint.steps,
    )
    same_board = board is None or board == old.board
    network = old.network
    plan = replace(
        old,
        board=old.board if board is None else board,
        virtual=(dict(old.virtual) if same_board else {}) | dict(virtual or {}),
        epochs=old.epochs if epochs is None else epochs,
        schedule=old.schedule if schedule is None else schedule,
        reference=old.reference if reference is None else reference,
        network=replace(
            network,
            seed=1 + (network.seed + began.epochs) % _SEEDS,
            learning_rate=network.learning_rate if eta is None else eta,
            sigma=network.sigma if sigma is None else sigma,
            decorrelation_rate=network.decorrelation_rate if epsilon is None else epsilon,
        ),
        start=began,
        loaded=old.dataset,
    )
    plan = plan if plan.on_board else replace(plan, reference=True, loaded=old.dataset)
    return plan, _beginning(plan, checkpoint, path)


def in_floats(plan: Plan, beginning: Checkpoint) -> Checkpoint:
    """The weights that a training begins with as the float reference has them."""
    if beginning.is_float:
        return beginning
    bits = WEIGHT32_BITS if plan.network.weight_format is WeightFormat.INT32 else FRACTION_BITS
    ends = np.cumsum([size * size for size in _squares(plan)])[:-1].tolist()
    parts = np.split(np.ldexp(beginning.matrices.astype(np.float64), -MATRIX_BITS), ends) if _squares(plan) else []
    state = [part.reshape(1, size, size) for part, size in zip(parts, _squares(plan), strict=True)]
    if plan.network.rule == "feedback":  # which is learned again: a run begins with the weights of another
        state += [np.zeros((1, units, plan.network.sizes[-1])) for units in plan.network.sizes[1:-1]]
    return Checkpoint(0, 0, 0, np.ldexp(beginning.weights.astype(np.float64), -bits), state=tuple(state))


def _beginning(plan: Plan, checkpoint: Checkpoint, path: Path) -> Checkpoint:
    """A checkpoint of the new training before its first step, from the last one of another."""
    network = plan.network
    values = sum(size * size for size in _squares(plan))
    if checkpoint.weights.size != sum((fan_in + 1) * units for fan_in, units in pairwise(network.sizes)):
        raise RunError(f"the weights of {path} do not belong to {network.name}; start a new run")
    if not checkpoint.is_float and checkpoint.matrices.size != values:
        raise RunError(f"the decorrelation matrices of {path} do not belong to {network.name}; start a new run")
    start = replace(checkpoint, epoch=0, samples=0, steps=0, whole=b"")
    if not plan.on_board:
        return in_floats(plan, start)
    if not checkpoint.is_float:
        return start
    if plan.network.weight_format is WeightFormat.INT32:
        weights = _rounded(checkpoint.weights, WEIGHT32_BITS, np.int32, "a weight")
    else:
        weights = _rounded(checkpoint.weights, FRACTION_BITS, np.int16, "a weight")
    squares = checkpoint.state[: len(_squares(plan))]
    joined = np.concatenate([matrix.ravel() for matrix in squares]) if squares else np.zeros(0)
    if joined.size != values:
        raise RunError(f"the decorrelation matrices of {path} do not belong to {network.name}; start a new run")
    return Checkpoint(0, 0, 0, weights, _rounded(joined, MATRIX_BITS, np.int16, "a decorrelation matrix"))


def _squares(plan: Plan) -> list[int]:
    """Inputs of each decorrelated layer."""
    return [size for size, flag in zip(plan.network.sizes, plan.network.decorrelate, strict=False) if flag]


def _rounded(values: NDArray[Any], bits: int, kind: type[np.signedinteger[Any]], what: str) -> NDArray[Any]:
    rounded = np.rint(values * 2.0**bits)
    if not (np.abs(rounded) <= np.iinfo(kind).max).all():
        raise NetworkError(f"{what} is too large for a board; continue with --board none, or train again with a smaller --eta")
    return rounded.astype(kind)
