"""``mtjlearn export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result
from mtjlearn.cli.view.models import say_imprecise
from mtjlearn.cli.view.options import seed_option
from mtjlearn.cli.view.planning import data_options

if TYPE_CHECKING:
    from mtjlearn.datasets import Dataset
    from mtjlearn.models.export import Kind

_WITHOUT_DATA = ("model", "kind", "out", "name", "data", "as_json")
_KINDS = ("c", "arduino", "micropython", "onnx", "model")


@click.command(short_help="Export a trained network as a program.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(_KINDS), required=True, help="What to write.")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path), help="The file, or the folder for a sketch's folder.")
@click.option("--name", metavar="NAME", help="Prefix of the program's names; if omitted, the name of the data.")
@click.option("--data", metavar="DATA", help="What a checkpoint has learned, for its scaling and names: as for train.")
@data_options
@seed_option
@command
def cli(model: Path, kind: Kind, out: Path | None, name: str | None, data: str | None, seed: int, **of_data: Any) -> dict[str, Any]:
    """Export MODEL as a program that predicts.

    MODEL is a run directory, a model.npz, or a checkpoint's file. The program scales its features itself and finds the outputs that
    a board finds, to the last bit: a C header that needs nothing else, an Arduino sketch with that header, a module for
    MicroPython and Python, or ONNX in integer operators. --data and the options of its columns, scale and split are those that the
    checkpoint's training had.
    """
    from mtjlearn.models.export import export
    from mtjlearn.training.models import load_model

    dataset = None if data is None else _dataset(model, data, seed, **of_data)
    if data is None:
        _refuse_without_data()
    found = load_model(model, dataset)
    say_imprecise(found)
    files = export(found, kind, out, name)
    print_result(f"{found.network.name} is in {', '.join(map(str, files))}")
    return {"model": model, "to": kind, "files": files}


def _dataset(
    model: Path,
    data: str,
    seed: int,
    drop: tuple[str, ...],
    features: tuple[str, ...],
    categorical: tuple[str, ...],
    **options: Any,
) -> Dataset:
    from mtjlearn.datasets import Columns
    from mtjlearn.training.models import data_of_checkpoint

    return data_of_checkpoint(model, data, seed=seed, columns=Columns(drop, features, categorical=categorical), **options)


def _refuse_without_data() -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        if (
            parameter.name not in _WITHOUT_DATA
            and context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT
        ):
            raise click.UsageError(f"{parameter.opts[0]} goes with --data, which is for a checkpoint's file; omit it")
