"""A float reference that learns alone is a run like any other: interrupted and resumed it gives what one go gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtjlearn.runs import Run, read_checkpoint, read_meta, read_metrics
from mtjlearn.training import Plan, default_plan, train

pytestmark = pytest.mark.thorough

EPOCHS = 6


class Stopper:
    """Presses Ctrl-C after a number of samples."""

    def __init__(self, after: float = np.inf) -> None:
        self.after = after

    def note(self, text: str) -> None:
        pass

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        assert 0 < done <= total
        if done >= self.after:
            raise KeyboardInterrupt


def new_run(root: Path, plan: Plan) -> Run:
    return Run.create(root, "train", plan.name, plan.seed, plan.config())


@pytest.mark.parametrize("rule", ["bp", "np"])
def test_interrupted_twice_it_learns_what_one_go_learns(tmp_path: Path, rule: str) -> None:
    plan = default_plan("iris", seed=3, rule=rule, epochs=EPOCHS)
    samples = len(plan.dataset.x_train)
    whole = new_run(tmp_path / "whole", plan)
    expected = train(plan, whole, Stopper())

    run = new_run(tmp_path / "parts", plan)
    path = run.path
    for after, kept in ((2.5 * samples, 2), (3.2 * samples, 3)):
        with pytest.raises(KeyboardInterrupt, match=f"interrupted; resume with: mtjlearn train --resume {path}"):
            train(plan, run, Stopper(after))
        assert read_meta(path)["state"] == "interrupted"
        assert read_checkpoint(path).steps == kept * samples
        run = Run.open(path)
    found = train(plan, run, Stopper())
    assert (found.steps, found.reference_test_accuracy) == (expected.steps, expected.reference_test_accuracy)
    np.testing.assert_array_equal(read_checkpoint(path).weights, read_checkpoint(whole.path).weights)
    losses = [[r["reference_loss"] for r in read_metrics(p) if "reference_loss" in r] for p in (path, whole.path)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == EPOCHS


def test_losses_after_the_last_checkpoint_are_not_kept_twice(tmp_path: Path) -> None:
    """As after a kill: metrics are ahead of the weights."""
    plan = default_plan("iris", seed=3, rule="bp", epochs=3)
    samples = len(plan.dataset.x_train)
    run = new_run(tmp_path, plan)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Stopper(1.5 * samples))
    run = Run.open(run.path)
    run.metric(step=2 * samples, reference_loss=99.0)
    run.interrupt()
    run = Run.open(run.path)
    train(plan, run, Stopper())
    steps = [record["step"] for record in read_metrics(run.path) if "reference_loss" in record]
    assert steps == [samples, 2 * samples, 3 * samples]
    assert not [record for record in read_metrics(run.path) if record.get("reference_loss") == 99.0]
