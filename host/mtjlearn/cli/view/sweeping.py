"""How options of a training become points of a sweep, and points the command lines that repeat them.

What can be varied is what :mod:`mtjlearn.cli.view.planning` lists; there is no second list.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.options import seed_option
from mtjlearn.cli.view.planning import data_options, learning_options, make_plan
from mtjlearn.errors import BoardError

if TYPE_CHECKING:
    from mtjlearn.sweeps import Scalar

NO_BOARD = "none"
OWN_BOARD = "worker"
"""The name of the board that each worker of a cluster owns and names in its environment."""
BOARD_VARIABLE = "MTJLEARN_BOARD"
_SHARED = ("data", "board", "file")
"""Settings of a sweep that are not options of a training."""


@click.command()
@data_options
@learning_options
@seed_option
def _training(**options: Any) -> None:
    """Only read: the options of a training."""


def option_names() -> dict[str, click.Option]:
    """What can be varied, by the names of the options without dashes."""
    return {name_of(option): option for option in _training.params if isinstance(option, click.Option) and not option.multiple}


def name_of(option: click.Parameter) -> str:
    """An option's name on the command line, without dashes."""
    return option.opts[0].removeprefix("--")


def scalar(name: str, text: str) -> Scalar:
    """The value of an option that a text stands for, as a point holds it.

    Raises:
        click.UsageError: there is no such option, or the value is not one of its.
    """
    names = option_names()
    if name not in names:
        raise click.UsageError(f"--over {name}: there is no such option of a training; there are {', '.join(sorted(names))}")
    option = names[name]
    if option.is_flag:
        if text.lower() not in ("on", "off"):
            raise click.UsageError(f"--over {name}={text}: it is on or off")
        return text.lower() == "on"
    value = read_options({name: text})[option.name or name]
    return value if isinstance(value, int | float) else text


def read_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all options of a training; those that are not given have their defaults.

    Raises:
        click.UsageError: a value is not one of its option's.
    """
    return _training.make_context("sweep", arguments(values)).params


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Options as words of a command line; those that are None or off are omitted."""
    words: list[str] = []
    for name, value in values.items():
        for entry in value if isinstance(value, list | tuple) else [value]:
            if entry is True:
                words.append(f"--{name}")
            elif entry is not None and entry is not False:
                words += [f"--{name}", repr(entry) if isinstance(entry, float) else str(entry)]
    return words


def given_options(context: click.Context) -> dict[str, Any]:
    """The options of a training that were given, as settings hold them."""
    from click.core import ParameterSource

    names = {option.name: name_of(option) for option in _training.params if option.name != "seed"}
    given = {
        names[name]: value
        for name, value in context.params.items()
        if name in names and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    return {name: os.path.abspath(value) if isinstance(value, os.PathLike) else value for name, value in given.items()}


def command_of(settings: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """The command that repeats a run as a run directory with plots and curves."""
    options = {name: value for name, value in {**settings, **point}.items() if name in option_names()}
    board = str(settings["board"])
    shown = {"port": "PORT", OWN_BOARD: "PORT"}.get(board, board)
    words = ["mtjlearn", "train", settings["data"], "--board", shown, *arguments(options)]
    return shlex.join(map(str, words))


def train_point(parameters: dict[str, Any]) -> dict[str, Any]:
    """A run of ``mtjlearn sweep``, in a worker.

    Args:
        parameters: ``data``, ``board``, and options of a training by their names.

    Raises:
        UserError: as :func:`mtjlearn.sweeps.trainings.training_numbers`; the worker names no board of its own.
    """
    from mtjlearn.sweeps.trainings import training_numbers

    options = {name: value for name, value in parameters.items() if name not in _SHARED}
    asked = {**read_options(options), "no_reference": parameters["board"] != NO_BOARD}
    return training_numbers(make_plan(parameters["data"], _board(parameters["board"]), asked))


def _board(name: str) -> str:
    if name != OWN_BOARD:
        return name
    own = os.environ.get(BOARD_VARIABLE)
    if not own:
        raise BoardError(f"this worker names no board; start it with {BOARD_VARIABLE}=/dev/ttyACM0 in its environment")
    return own
