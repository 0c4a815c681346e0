"""A network with categories and several targets, from the file it learns to the programs it is exported to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from model_support import outputs_in_c, outputs_in_micropython, random_model
from training_support import Watcher, write_csv

from mtjlearn.cli import main
from mtjlearn.datasets import Columns, read_features
from mtjlearn.datasets.dataset import Category
from mtjlearn.models import ModelError, predict
from mtjlearn.runs import Run, read_config
from mtjlearn.training import Plan, default_plan, train
from mtjlearn.training.models import model_of_run


@pytest.mark.thorough
def test_categories_and_several_targets_from_training_to_programs(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    colours = ("red", "green", 'a "blue" */')
    rows = []
    for number in range(60):
        colour, width = colours[number % 3], rng.normal()
        rows.append((f"{width:.3f}", colour, f"{width + (colour == 'red'):.3f}", f"{3 * width - (colour == 'green'):.3f}"))
    file = write_csv(tmp_path / "some.csv", ("width", "colour", "heat", "force"), rows)
    plan = default_plan(
        str(file),
        seed=1,
        target="heat,force",
        columns=Columns(categorical=("colour",)),
        epochs=20,
        board="inprocess",
        reference=False,
    )
    run = Run.create(tmp_path / "runs", "train", plan.name, plan.seed, plan.config())
    train(plan, run, Watcher(), link_log=0, plots=False)
    model = model_of_run(run.path)
    assert model.inputs == ("width", 'colour=a "blue" */', "colour=green", "colour=red")
    assert Plan.from_config(read_config(run.path)) == plan
    found = CliRunner().invoke(main, ["predict", str(run.path), str(file), "--json"])
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[-1])["columns"] == ["prediction_heat", "prediction_force"]
    shown = CliRunner().invoke(main, ["show", str(run.path), "--json"])
    assert json.loads(shown.stdout.splitlines()[-1])["categories"][0]["values"] == ['a "blue" */', "green", "red"]
    assert "input colour" in shown.stderr
    assert "force" in shown.stderr
    x = read_features(file, model.inputs, model.categories).values
    x = x.astype(np.float32).astype(np.float64)
    expected = predict(model, x).outputs
    assert np.array_equal(outputs_in_c(model, x, tmp_path), expected)
    assert np.array_equal(outputs_in_micropython(model, x, tmp_path), expected)
    assert 'features 2 to 4 are 1 for the "colour" that it is' in (tmp_path / "exported.h").read_text()


@pytest.mark.parametrize(("first", "values"), [(0, ()), (1, ("red", "blue")), (-1, ("red", "blue"))])
def test_categories_that_are_not_those_of_the_inputs(first: int, values: tuple[str, ...]) -> None:
    model = random_model((3, 2, 2))
    names = ("colour=red", "colour=blue", "size")
    good = Category("colour", ("red", "blue"), 0)
    assert replace(model, inputs=names, categories=(good,)).categories == (good,)
    with pytest.raises(ModelError, match="categories of 'colour' are not those of its inputs"):
        replace(model, inputs=names, categories=(Category("colour", values, first),))
