"""``mtjlearn show``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import plain, print_result, print_rows, say

if TYPE_CHECKING:
    from mtjlearn.datasets import Dataset
    from mtjlearn.models import Model
    from mtjlearn.models.summary import Layer, Score

_MOST_CLASSES = 20
"""More do not fit as columns; their confusion matrix is in the JSON alone."""


@click.command(short_help="Show a trained network, and how well it does.")
@click.argument("model", type=click.Path(path_type=Path))
@command
def cli(model: Path) -> dict[str, Any]:
    """Show MODEL: its layers, and of a run also how well it does on the test part.

    MODEL is a run directory, a model.npz, or a checkpoint's file. Saturated weights are at the limit of their format. For
    comparison: the accuracy of always the most frequent class, or the error of always the mean.
    """
    from mtjlearn.models.summary import layers, score
    from mtjlearn.training.models import load_model

    found = load_model(model)
    network = found.network
    about = {"network": f"{network.name}, {network.loss.name.lower().replace('_', '-')} loss"}
    about |= {"hidden units": f"leaky ReLU, slope 1/{2**network.shift} below 0"} if network.layers > 1 else {}
    about |= {"weights": network.weight_format.name.lower(), **{name: str(value) for name, value in found.origin.items()}}
    print_rows((name.replace("_", " "), value) for name, value in about.items())
    print_rows((f"input {category.column}", "one of " + ", ".join(map(repr, category.values))) for category in found.categories)
    described = layers(found)
    _print_layers(described)
    dataset = _same_data(found, model)
    result: dict[str, Any] = {
        "model": model,
        "sizes": network.sizes,
        "slope": 2.0**-network.shift,
        "origin": dict(found.origin),
        "categories": found.categories,
        "layers": described,
    }
    if dataset is not None:
        scored = score(found, dataset)
        _print_score(found, scored)
        result["test"] = scored
    return result


def _same_data(found: Model, model: Path) -> Dataset | None:
    """The data that a run learned, if they are still there; a model says nothing about others."""
    from mtjlearn.datasets import DatasetError
    from mtjlearn.training.models import data_of_run

    try:
        dataset = data_of_run(model)
    except DatasetError as error:
        say(f"no score on the test part: {error}")
        return None
    if dataset is not None and dataset.digest != found.origin.get("data_digest"):
        say(f"no score on the test part: the data of {dataset.name} have changed since they were learned")
        return None
    return dataset


def _print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, column in enumerate(heading):
        table.add_column(plain(column), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(plain, row))
    print_result(table)


def _print_layers(described: Sequence[Layer]) -> None:
    rows = []
    for number, layer in enumerate(described, 1):
        size = f"{layer.inputs} to {layer.units}" + (", decorrelated" if layer.decorrelated else "")
        rows.append([str(number), size, f"{layer.smallest:.3f} to {layer.largest:.3f}", f"{layer.rms:.3f}", str(layer.saturated)])
    _print_table(["layer", "size", "weights", "rms", "saturated"], rows)


def _print_score(model: Model, scored: Score) -> None:
    if model.classes is not None and scored.confusion is not None:
        if len(model.classes) <= _MOST_CLASSES:
            rows = [[name, *map(str, row)] for name, row in zip(model.classes, scored.confusion.tolist(), strict=True)]
            _print_table(["class \\ predicted", *model.classes], rows)
        print_result(
            f"test accuracy {scored.accuracy:.4f} on {scored.samples} samples; always the most frequent class: "
            f"{scored.baseline_accuracy:.4f}"
        )
        return
    rows = [
        [name, f"{error:.4g}", f"{base:.4g}", *(f"{value:.4g}" for value in quantiles)]
        for name, error, base, quantiles in zip(
            model.targets, scored.rms_error, scored.baseline_rms_error, scored.error_quantiles, strict=True
        )
    ]
    _print_table(["target", "rms error", "of the mean", "error at 5 %", "25 %", "50 %", "75 %", "95 %"], rows)
    r2 = "undefined: all test targets are equal" if scored.r2 is None else f"{scored.r2:.4f}"
    print_result(f"test R2 {r2}, on {scored.samples} samples")
