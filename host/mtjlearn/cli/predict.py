"""``mtjlearn predict``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import AS_JSON, print_result, say
from mtjlearn.cli.view.models import say_imprecise

if TYPE_CHECKING:
    from mtjlearn.models import Model, Predictions


@click.command(short_help="Predict with a trained network.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--board", metavar="NAME", help="The board that computes, with the same result; if omitted, this computer does.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write the table to a CSV file.")
@command
def cli(model: Path, data: str, board: str | None, out: Path | None) -> dict[str, Any]:
    """Predict the rows of DATA with MODEL.

    MODEL is a run directory, or a model.npz. DATA is a CSV, NPZ or Parquet file with a column for each input, in any order, or the
    name of a built-in dataset; other columns are ignored. A row of the result has the prediction, and each class's score or a
    value for each target in the unit of the data. Predictions are computed in integers, as a board does, to the last bit.
    """
    from mtjlearn.datasets import read_features
    from mtjlearn.models import predict
    from mtjlearn.training.models import load_model

    found = load_model(model)
    features = read_features(data, found.inputs, found.categories)
    for note in features.notes:
        say(note)
    say_imprecise(found)
    if board is None:
        predictions = predict(found, features.values)
    else:
        from mtjlearn.discovery import open_board

        with open_board(board) as opened:
            predictions = predict(found, features.values, opened)
    if predictions.clipped:
        say(f"{predictions.clipped} of {features.values.size} inputs lie beyond +-8 standard deviations and are limited to it")
    result = {"model": model, "rows": len(features.values), "clipped": predictions.clipped, "out": out}
    return result | _totals(found, predictions) | _write(predictions, out)


def _write(predictions: Predictions, out: Path | None) -> dict[str, Any]:
    """Writes the table where it was asked for; what of it belongs to the result in JSON."""
    from mtjlearn.models.table import heading, rows, save_csv, write_csv

    if out is not None:
        save_csv(predictions, out)
        print_result(f"{len(predictions.outputs):,} predictions are in {out}")
    elif click.get_current_context().meta.get(AS_JSON):
        return {"columns": heading(predictions), "predictions": list(rows(predictions))}
    else:
        from mtjlearn.cli.view.terminal import ShownText

        write_csv(predictions, ShownText(sys.stdout))
    return {}


def _totals(model: Model, predictions: Predictions) -> dict[str, Any]:
    if model.classes is None:
        return {}
    counts = Counter(predictions.values.tolist())
    return {"predicted": {name: counts[name] for name in model.classes}}
