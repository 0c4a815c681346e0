"""A training meets a broken noise source: it waits, shows why, and continues with the right sample."""

from __future__ import annotations

import pytest
from training_support import Watcher

from mtjlearn.board import BoardError
from mtjlearn.runs import Run, read_checkpoint, read_meta, read_metrics
from mtjlearn.training import default_plan, on_board, train

pytestmark = pytest.mark.thorough

EPOCHS = 400
CLOCK = 4
"""Codes of a step, on a clock that does not depend on how busy the machine is."""
AFTER = 10.0
"""Seconds of that clock: the half that records noise before the training, and half of its 48,000 steps."""


def planned(root, **virtual):
    virtual = {"virtual_clock": CLOCK, "fault_after": AFTER, **virtual}
    plan = default_plan("iris", seed=0, epochs=EPOCHS, board="native", reference=False, virtual=virtual)
    return plan, Run.create(root, "train", plan.name, plan.seed, plan.config())


def faults(path):
    return [(record["fault"], record["step"]) for record in read_metrics(path) if record.get("event") == "noise_fault"]


def test_it_waits_for_the_source_and_trains_every_sample_once(tmp_path):
    plan, run = planned(tmp_path, fault="stuck", fault_lasts=60.0)
    watcher = Watcher()
    report = train(plan, run, watcher)
    total = EPOCHS * 120
    assert report.steps == total
    ((fault, step),) = faults(run.path)
    assert fault == "stuck"
    assert 0 < step < total
    assert any("noise source is broken" in note and "stays in one state" in note for note in watcher.notes)
    assert any(f"learning resumes at step {step + 1}" in note for note in watcher.notes)
    assert "noise" in watcher.phases
    steps = [record["step"] for record in read_metrics(run.path) if "loss" in record]
    assert steps == sorted(set(steps))
    assert step in steps
    assert steps[-1] == total
    assert read_meta(run.path)["state"] == "finished"


def test_a_source_that_stays_broken_ends_it_with_everything_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(on_board, "NOISE_PATIENCE", 1)
    plan, run = planned(tmp_path, fault="short")
    with pytest.raises(BoardError, match=r"broken for 1 s: shorted .*at ground.*train --resume"):
        train(plan, run, Watcher())
    ((fault, step),) = faults(run.path)
    assert fault == "shorted"
    assert read_checkpoint(run.path).steps == step
    assert read_meta(run.path)["state"] == "interrupted"


def test_ctrl_c_while_it_waits_keeps_everything(tmp_path):
    def interrupt(phase, done, total):
        if phase == "noise":
            raise KeyboardInterrupt

    plan, run = planned(tmp_path, fault="open")
    with pytest.raises(KeyboardInterrupt, match="train --resume"):
        train(plan, run, Watcher(interrupt))
    ((_, step),) = faults(run.path)
    assert read_checkpoint(run.path).steps == step
    assert read_meta(run.path)["state"] == "interrupted"
