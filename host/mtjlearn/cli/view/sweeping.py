"""How options of a training become points of a sweep, and points the command lines that repeat them.

What can be varied is what :mod:`mtjlearn.cli.view.planning` lists; there is no second list.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mtjlearn.cli.view.options import seed_option
from mtjlearn.cli.view.planning import data_options, learning_options, make_plan
from mtjlearn.errors import BoardError
from mtjlearn.virtual.boards import VIRTUAL

if TYPE_CHECKING:
    from mtjlearn.sweeps import Scalar
    from mtjlearn.training import Plan

NO_BOARD = "none"
OWN_BOARD = "worker"
"""The name of the board that each worker of a cluster owns and names in its environment."""
BOARD_VARIABLE = "MTJLEARN_BOARD"
PORT = "port"
"""The board of settings whose runs use ports: which one does not matter."""


@click.command()
@data_options
@learning_options
@seed_option
def _training(**options: Any) -> None:
    """Only read: the options of a training."""


def option_names() -> dict[str, click.Option]:
    """What can be varied, by the names of the options without dashes."""
    return {name_of(option): option for option in _training.params if isinstance(option, click.Option) and not option.multiple}


def _all_names() -> set[str]:
    return {name_of(option) for option in _training.params}


def name_of(option: click.Parameter) -> str:
    """An option's name on the command line, without dashes."""
    return option.opts[0].removeprefix("--")


def points_of(over: Sequence[str], seeds: str | None) -> list[dict[str, Scalar]]:
    """The grid that ``--over`` and ``--seeds`` stand for.

    Raises:
        click.UsageError: as said by its text.
        SweepError: a notation that cannot be.
    """
    from mtjlearn.sweeps import grid
    from mtjlearn.sweeps.grid import parse_values

    axes = {name: [_scalar(name, value) for value in parse_values(text)] for name, text in _axes(over).items()}
    return grid(axes, seeds_of(seeds))


def space_of(over: Sequence[str]) -> dict[str, Any]:
    """The space that ``--over`` stands for in a search: intervals, and lists of values.

    Raises:
        click.UsageError, SweepError: as :func:`points_of`.
    """
    from mtjlearn.sweeps.grid import parse_interval, parse_values
    from mtjlearn.sweeps.search_files import Interval

    space: dict[str, Any] = {}
    for name, text in _axes(over).items():
        ends = parse_interval(text)
        if ends is None:
            space[name] = [_scalar(name, value) for value in parse_values(text)]
            continue
        integer = isinstance(option_names()[name].type, click.types.IntParamType)
        for end in ends[:2]:
            _scalar(name, str(int(end)) if integer else repr(end))
        space[name] = Interval(*ends, integer=integer)
    if not space:
        raise click.UsageError("--search chooses values of parameters; give at least one, e.g. --over eta=log:1e-4:1")
    return space


def seeds_of(text: str | None) -> list[int]:
    """The values of ``--seeds``; 0 unless given.

    Raises:
        click.UsageError: one is not a seed.
    """
    from mtjlearn.sweeps.grid import parse_values

    if text is None:
        return [0]
    values = [_scalar("seed", value) for value in parse_values(text)]
    return [value for value in values if isinstance(value, int)]


def _axes(over: Sequence[str]) -> dict[str, str]:
    axes: dict[str, str] = {}
    names = option_names()
    context = click.get_current_context(silent=True)
    for entry in over:
        name, equals, text = entry.partition("=")
        name = name.strip().removeprefix("--").replace("_", "-")
        if not equals:
            raise click.UsageError(f"--over {entry} has no values; give them as in --over eta=.1,.05")
        if name == "seed":
            raise click.UsageError("give seeds with --seeds, not with --over")
        if name not in names:
            known = ", ".join(sorted(names.keys() - {"seed"}))
            raise click.UsageError(f"--over {name}: a training has no such option; it has {known}")
        if context is not None and context.get_parameter_source(names[name].name or "") not in (None, ParameterSource.DEFAULT):
            raise click.UsageError(f"--{name} is given and varied by --over; omit one of them")
        if name in axes:
            raise click.UsageError(f"--over {name} is given twice; give all values at once, separated by commas")
        axes[name] = text
    return axes


def _scalar(name: str, text: str) -> Scalar:
    """The value of an option that a text stands for, as a point holds it."""
    option = option_names()[name]
    if option.is_flag:
        if text.lower() not in ("on", "off"):
            raise click.UsageError(f"--over {name}={text}: values are on and off")
        return text.lower() == "on"
    try:
        value = read_options({name: text})[option.name or name]
    except click.UsageError as error:
        raise click.UsageError(f"{name}={text}: {error.message}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise click.UsageError(f"{name} = {text}: it must be a number")
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


def settings_of(context: click.Context, data: str, board: str) -> dict[str, Any]:
    """What all runs of a sweep share: data, board, and the options of a training that were given.

    Raises:
        DatasetError: the file cannot be read.
    """
    names = {option.name: name_of(option) for option in _training.params if option.name != "seed"}
    given = {
        names[name]: value
        for name, value in context.params.items()
        if name in names and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    options = {name: os.path.abspath(value) if isinstance(value, os.PathLike) else value for name, value in given.items()}
    path = Path(data)
    if not path.is_file():
        return {"data": data, "board": _kind(board), **options}
    return {"data": str(path.resolve()), "file": _digest(path), "board": _kind(board), **options}


def refuse_changed_file(settings: Mapping[str, Any]) -> None:
    """Refuses data that are not those that the sweep began with.

    Raises:
        DatasetError: the file has changed, or cannot be read.
    """
    from mtjlearn.datasets import DatasetError

    if "file" not in settings:
        return
    path = Path(settings["data"])
    try:
        status = path.stat()
        same = _known_digest(path, status.st_mtime_ns, status.st_size) == settings["file"]
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}; put it there") from None
    if not same:
        raise DatasetError(f"{path} is not the file that the sweep began with; bring it back, or begin another sweep")


@functools.lru_cache(maxsize=16)
def _known_digest(path: Path, modified: int, size: int) -> str:
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ports_of(board: str) -> list[str]:
    """The ports that ``--board`` lists; none for a virtual board, for no board, and for those of a cluster's workers.

    Raises:
        click.UsageError: one is given twice, or virtual boards are in the list.
        BoardError: one cannot be the name of a port.
    """
    ports = [port.strip() for port in board.split(",")]
    if _kind(board) != PORT:
        return []
    if len(set(ports)) != len(ports):
        raise click.UsageError(f"--board {board}: a port is given twice, and only one run at a time can use it")
    if virtual := [port for port in ports if port in VIRTUAL or port in (NO_BOARD, OWN_BOARD)]:
        raise click.UsageError(f"--board {board}: {virtual[0]} is not a port; each worker starts a virtual board of its own")
    from mtjlearn.discovery import check_port

    for port in ports:
        check_port(port)
    return ports


def _kind(board: str) -> str:
    return board if board in VIRTUAL or board in (NO_BOARD, OWN_BOARD) else PORT


def check_first(settings: Mapping[str, Any], point: Mapping[str, Any]) -> None:
    """Makes the plan of a run, so that mistakes are reported before anything is computed, and data are downloaded once.

    Raises:
        UserError, click.UsageError: what is wrong.
    """
    _plan({**settings, **point})


def command_of(settings: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """The command that repeats a run as a run directory with curves and plots."""
    options = {name: value for name, value in {**settings, **point}.items() if name in _all_names()}
    board = settings["board"]
    words = ["mtjlearn", "train", settings["data"], "--board", "PORT" if board in (PORT, OWN_BOARD) else board, *arguments(options)]
    return shlex.join(map(str, words))


def train_point(parameters: dict[str, Any]) -> dict[str, Any]:
    """A run of ``mtjlearn sweep``, in a worker.

    Args:
        parameters: ``data``, ``board``, and options of a training by their names.

    Raises:
        UserError: as :func:`mtjlearn.sweeps.trainings.training_numbers`; the worker names no board of its own, or has another file.
    """
    from mtjlearn.sweeps.trainings import training_numbers

    refuse_changed_file(parameters)
    return training_numbers(_plan({**parameters, "board": _board(parameters["board"])}))


def _plan(parameters: Mapping[str, Any]) -> Plan:
    options = {name: value for name, value in parameters.items() if name in _all_names()}
    board = parameters["board"]
    asked = {**read_options(options), "no_reference": board != NO_BOARD}
    return make_plan(parameters["data"], board, asked)


def _board(name: str) -> str:
    if name != OWN_BOARD:
        return name
    own = os.environ.get(BOARD_VARIABLE)
    if not own:
        raise BoardError(f"this worker names no board; start it with {BOARD_VARIABLE}=/dev/ttyACM0 in its environment")
    return own
