"""A run of ``mtjlearn sweep``: a training as numbers, without a run directory.

They are the numbers that ``mtjlearn train`` finds with the same options, where the seed repeats a run exactly.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.datasets import dequantise
from mtjlearn.errors import BoardError
from mtjlearn.network import Loss
from mtjlearn.reference.losses import losses
from mtjlearn.runs import Run, read_metrics
from mtjlearn.training import Plan, train
from mtjlearn.training.floats import train_reference
from mtjlearn.training.scores import score


def training_numbers(plan: Plan) -> dict[str, Any]:
    """Trains as planned: on its board, or the float reference alone.

    Returns:
        ``train_loss``, the mean over the samples of the last epoch, or of the last stretch of it on a board; ``test_loss``;
        ``test_accuracy`` of a classification or ``test_r2`` of a regression; on a board also ``skipped``, steps without an update,
        and ``saturations``, values cut.

    Raises:
        BoardError, DatasetError, NetworkError: as :func:`mtjlearn.training.train`.
    """
    return _on_board(plan) if plan.on_board else _in_floats(plan)


def _in_floats(plan: Plan) -> dict[str, Any]:
    # A rate that is too large diverges, and that is its result.
    with np.errstate(over="ignore", invalid="ignore"):
        found = train_reference(plan)
        targets = plan.quantised.t_test
        expected = targets[:, 0] if plan.network.loss is Loss.CROSS_ENTROPY else dequantise(targets)
        test_loss = float(np.mean(losses(plan.network.loss, found.outputs, expected)))
        accuracy, r2 = score(plan.dataset, found.outputs)
    return {"train_loss": float(found.losses[-1]), "test_loss": test_loss, **_quality(plan, accuracy, r2)}


def _on_board(plan: Plan) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mtjlearn-sweep-") as folder:
        run = Run.create(Path(folder), "train", plan.name, plan.seed, plan.config())
        try:
            report = train(plan, run, _Silent(), link_log=0, plots=False)
        except BoardError as error:
            # Without the advice to resume a directory that is gone.
            raise (error.__cause__ if isinstance(error.__cause__, BoardError) else error) from None
        records = read_metrics(run.path)
    last = {name: value for record in records for name, value in record.items()}
    numbers = {"train_loss": last.get("loss"), "test_loss": last.get("test_loss")}
    return {
        **numbers,
        **_quality(plan, report.test_accuracy, report.test_r2),
        "skipped": report.skipped,
        "saturations": report.saturations,
    }


def _quality(plan: Plan, accuracy: float | None, r2: float | None) -> dict[str, float | None]:
    return {"test_r2": r2} if plan.dataset.classes is None else {"test_accuracy": accuracy}


class _Silent:
    """An observer of a training that nobody watches."""

    def note(self, text: str) -> None:
        """See :class:`mtjlearn.training.Observer`."""

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        """See :class:`mtjlearn.training.Observer`."""
