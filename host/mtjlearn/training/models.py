"""The model of a run: what its last checkpoint holds, with the scaling and the names of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import CheckpointFile
from mtjlearn.board.checkpoint_file import MAGIC
from mtjlearn.datasets import Dataset, Scale, load
from mtjlearn.models import Model, ModelError, read_model
from mtjlearn.models.model import rounded_matrices, rounded_weights
from mtjlearn.models.storage import FILE
from mtjlearn.network import WeightFormat
from mtjlearn.runs import Checkpoint, read_checkpoint, read_config, read_meta
from mtjlearn.runs.files import CONFIG
from mtjlearn.training.defaults import default_scale
from mtjlearn.training.plan import Plan


def load_model(path: Path, dataset: Dataset | None = None) -> Model:
    """The model of a run directory, of a model's file, or of a checkpoint's file.

    Args:
        path: of one of them.
        dataset: what a checkpoint has learned; None: its inputs and outputs are numbers in the network's own units.

    Raises:
        ModelError, CheckpointError, RunError, DatasetError: it cannot be read, or is none of them; data for another than a
            checkpoint, which know theirs.
    """
    if dataset is not None and not is_checkpoint(path):
        raise ModelError(f"{path} knows its data; omit --data, which is for a checkpoint's file")
    if path.is_dir():
        return model_of_run(path) if (path / CONFIG).exists() else read_model(path)
    if is_checkpoint(path):
        found = CheckpointFile.read(path)
        return Model.of_checkpoint(found.content, {"checkpoint": path.name, "board": found.board, "build": found.build}, dataset)
    return read_model(path)


def data_of_run(path: Path) -> Dataset | None:
    """The data that the run in a directory learned; None if there is no run in it.

    Raises:
        RunError, DatasetError: the run's configuration is damaged, or the data are not there any more.
    """
    return Plan.from_config(read_config(path)).dataset if (path / CONFIG).exists() else None


def data_of_checkpoint(path: Path, data: str, *, seed: int, scale: Scale | None, **options: Any) -> Dataset:
    """The data that a checkpoint has learned, scaled as its training did unless another scale is asked for.

    Args:
        path: the checkpoint's file.
        data: as for ``mtjlearn train``.
        seed: of the split.
        scale: of the inputs; None: what a training with the checkpoint's rule has.
        options: others of :func:`mtjlearn.datasets.load`.

    Raises:
        ModelError: it is not a checkpoint.
        CheckpointError, DatasetError: one of them cannot be read.
    """
    if not is_checkpoint(path):
        raise ModelError(f"{path} is not a checkpoint's file; omit --data, which a run and a model.npz know")
    decorrelated = any(CheckpointFile.read(path).content.network.decorrelate)
    return load(data, seed=seed, scale=scale or default_scale(data, "danp" if decorrelated else "anp"), **options)


def is_checkpoint(path: Path) -> bool:
    """Whether this is the file of a board's checkpoint."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False  # reading it as a model says why


def model_of_run(path: Path) -> Model:
    """The model in a run directory; of a run of an earlier version, which wrote none, made from its weights and its data.

    Raises:
        ModelError: the run has learned nothing yet, what it learned fits no device, or its data have changed.
        RunError, DatasetError: as reading the run and loading its data.
    """
    meta, checkpoint = read_meta(path), read_checkpoint(path)
    if (path / FILE).exists():
        written = read_model(path / FILE)
        # A run that was killed has newer weights.
        if checkpoint is None or checkpoint.steps == written.origin.get("steps"):
            return written
    plan = Plan.from_config(read_config(path))
    if checkpoint is None:
        raise ModelError(f"{path} has learned nothing yet; resume it with: mtjlearn train --resume {path}")
    learned = meta.get("data")
    if isinstance(learned, dict) and learned.get("digest") != plan.dataset.digest:
        raise ModelError(
            f"{plan.data} has changed since {path} learned from it, and the run's scaling is that of the old data; "
            "bring them back, or train again"
        )
    board = meta["result"].get("board")
    return model_of(plan, checkpoint, path, board if isinstance(board, dict) else {})


def model_of(plan: Plan, checkpoint: Checkpoint, run: Path, board: Mapping[str, Any]) -> Model:
    """The model of a training.

    Args:
        plan: what was trained.
        checkpoint: its weights; those of a float reference that learns alone are rounded to a device's.
        run: the run directory.
        board: name and build of the board that learned it; empty without one.

    Raises:
        ModelError: no device can hold the weights, or run the network.
    """
    network = plan.network
    shapes = [(units, fan_in + 1) for fan_in, units in pairwise(network.sizes)]
    squares = [(size, size) for size, flag in zip(network.sizes, network.decorrelate, strict=False) if flag]
    rows = _cut(checkpoint.weights, shapes)
    origin: dict[str, str | int] = {"run": run.name, "rule": plan.rule, "steps": checkpoint.steps}
    origin |= {what: str(board[name]) for what, name in (("board", "name"), ("build", "build")) if name in board}
    if plan.start is not None:
        origin |= {"continued": plan.start.run, "steps_before": plan.start.steps}
    if not checkpoint.is_float:
        return Model.of(network, rows, _cut(checkpoint.matrices, squares), plan.dataset, origin)
    if plan.floats.centring or plan.floats.reading != "paper":
        raise ModelError("what the float reference learned with these options is not what a device computes; train on a board")
    matrices = [matrix[0] for matrix in checkpoint.state[: len(squares)]]
    if [matrix.shape for matrix in matrices] != squares:
        raise ModelError("the run's decorrelation matrices do not belong to its network; train again")
    rounded = rounded_weights(network, rows), rounded_matrices(network, matrices)
    return Model.of(replace(network, weight_format=WeightFormat.INT16, rounding=None), *rounded, plan.dataset, origin)


def _cut(values: NDArray[Any], shapes: list[tuple[int, int]]) -> list[NDArray[Any]]:
    """The values as arrays of these shapes."""
    if values.size != sum(rows * columns for rows, columns in shapes):
        raise ModelError("the run's weights do not belong to its network; train again")
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1].tolist()
    return [part.reshape(shape) for part, shape in zip(np.split(values, ends), shapes, strict=True)] if shapes else []
