"""``mtjlearn export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result

if TYPE_CHECKING:
    from mtjlearn.models.export import Kind

_KINDS = ("c", "arduino", "micropython", "model")


@click.command(short_help="Export a trained network as a program.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(_KINDS), required=True, help="What to write.")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path), help="The file, or the folder for a sketch's folder.")
@click.option("--name", metavar="NAME", help="Prefix of the program's names; if omitted, the name of the data.")
@click.option("--data", metavar="DATA", help="What a checkpoint has learned, for its scaling and names: as for train.")
@click.option("--target", metavar="COLUMN", help="The target column of --data, if that is a file.")
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of --data's split.")
@command
def cli(
    model: Path, kind: Kind, out: Path | None, name: str | None, data: str | None, target: str | None, seed: int
) -> dict[str, Any]:
    """Export MODEL as a program that predicts.

    MODEL is a run directory, a model.npz, or a checkpoint's file. The program scales its features itself and finds the outputs that
    a board finds, to the last bit: a C header that needs nothing else, an Arduino sketch with that header, or a module for
    MicroPython and Python.
    """
    from mtjlearn.datasets import load
    from mtjlearn.models.export import export
    from mtjlearn.training.models import load_model

    if target is not None and data is None:
        raise click.UsageError("--target goes with --data")
    dataset = None if data is None else load(data, seed=seed, target=target)
    found = load_model(model, dataset)
    files = export(found, kind, out, name)
    print_result(f"{found.network.name} is in {', '.join(map(str, files))}")
    return {"model": model, "to": kind, "files": files}
