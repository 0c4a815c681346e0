"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mtjlearn.network import MAX_SLOPE, slope_exponent
from mtjlearn.virtual.boards import VIRTUAL, board_options, default_virtual_board

Function = TypeVar("Function", bound=Callable[..., Any])
FIGURES = (".png", ".svg", ".pdf")
"""Suffixes of figures, which say what they are written as."""


class Slope(click.ParamType):  # type: ignore[type-arg]
    """A slope such as 1/8 or 0.125, as a float."""

    name = "slope"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The slope, if a network can have it."""
        above, _, below = str(value).partition("/")
        try:
            slope = float(above) / float(below or 1)
            slope_exponent(slope)
        except (ValueError, ZeroDivisionError):
            return self.fail(f"{value!r} is not a power of two from 1/2 to 1/{2**MAX_SLOPE}, such as 1/8", param, ctx)
        return slope


slope_option = click.option(
    "--slope", metavar="1/8", type=Slope(), help="Of hidden units below 0: 1/8 with anp-exact and feedback, else 1/128."
)


def board_option(function: Function) -> Function:
    """``--board``."""
    return click.option(
        "--board",
        metavar="NAME",
        help="A virtual board (native, inprocess, uno-sim, m4-sim, m0-sim or micropython), a port such as "
        "/dev/ttyACM0 or COM3, or a URL "
        "such as socket://127.0.0.1:4000; /dev/ttyACM0@115200 if it was flashed with --baud 115200; "
        "if omitted, the only connected board is used.",
    )(function)


def seed_option(function: Function) -> Function:
    """``--seed``."""
    return click.option(
        "--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Fixes everything random."
    )(function)


def runs_option(function: Function) -> Function:
    """``--runs``."""
    return click.option(
        "--runs",
        "root",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Directory of run directories.",
    )(function)


def figures_option(function: Function) -> Function:
    """``--figures``."""
    return click.option(
        "--figures",
        type=click.Choice([suffix.removeprefix(".") for suffix in FIGURES]),
        default="png",
        show_default=True,
        help="What figures are written as.",
    )(function)


def columns_options(function: Function) -> Function:
    """``--drop``, ``--features`` and ``--categorical``, for files."""
    drop = click.option("--drop", metavar="COLUMN", multiple=True, help="Not an input: a name or number, or several as a,b,c.")
    features = click.option("--features", metavar="COLUMN", multiple=True, help="The inputs; all other columns are ignored.")
    categorical = click.option(
        "--categorical", metavar="COLUMN", multiple=True, help="Inputs that hold categories: one input for each, at most 32."
    )
    return drop(features(categorical(function)))


def images_options(function: Function) -> Function:
    """``--scale``, ``--samples``, ``--pool`` and ``--data-dir``."""
    scale = click.option(
        "--scale",
        type=click.Choice(["column", "global", "none", "floor"]),
        help="Scale of inputs: each column its own, one for all (of each colour), as they are, or, of images, each pixel its own "
        "with a deviation of at least a tenth of full scale; global for images, and for digits with danp, else column.",
    )
    samples = click.option("--samples", metavar="N", type=click.IntRange(1), help="Learn from the first N training samples only.")
    pool = click.option(
        "--pool",
        metavar="N",
        type=click.IntRange(1),
        default=1,
        help="Of images: the mean of N x N pixels is an input.",
    )
    folder = click.option(
        "--data-dir",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of an image set's files; if omitted: MTJLEARN_DATA, the system's, a cache, or a download.",
    )
    return scale(samples(pool(folder(function))))


def float_options(function: Function) -> Function:
    """Options of the float reference alone."""
    batch = click.option("--batch", metavar="N", type=click.IntRange(1), default=1, show_default=True, help="Samples in a step.")
    optimiser = click.option(
        "--optimiser", type=click.Choice(["sgd", "adam"]), default="sgd", show_default=True, help="Of weights."
    )
    reading = click.option(
        "--as",
        "reading",
        type=click.Choice(["paper", "code"]),
        default="paper",
        show_default=True,
        help="The rules of the paper's text, or of its authors' code.",
    )
    dtype = click.option(
        "--dtype", type=click.Choice(["float64", "float32"]), default="float64", show_default=True, help="Precision of floats."
    )
    centring = click.option("--centring", is_flag=True, help="Centre the inputs of layers, too, where they are decorrelated.")
    augment = click.option("--augment", is_flag=True, help="Crop and mirror colour images at random in each epoch.")
    for option in (augment, centring, dtype, reading, optimiser, batch):
        function = option(function)
    return function


def device_noise_options(function: Function) -> Function:
    """``--device-noise`` and ``--preset``, for virtual boards."""
    noise = click.option(
        "--device-noise",
        type=click.Choice(["smtj", "gaussian", "bernoulli"]),
        help="Noise at a virtual board's converter; smtj unless given.",
    )
    preset = click.option(
        "--preset",
        type=click.Choice(["recording", "bench"]),
        help="Voltages of a virtual board's junction: the paper's recording (36 and 48 mV) or its bench (96 and 187 mV).",
    )
    return noise(preset(function))


def virtual_options(board: str | None, **values: Any) -> dict[str, Any]:
    """Options of a virtual board that were given.

    Raises:
        click.UsageError: if one was given for a real board, or for a virtual one that does not have it.
    """
    given = {name: value for name, value in values.items() if value is not None}
    strange = next((name.replace("_", "-") for name in given if name not in board_options(board)), None)
    if strange is not None and board in VIRTUAL:
        raise click.UsageError(f"{board} has no --{strange}; omit it")
    if strange is not None:
        usual = default_virtual_board()
        raise click.UsageError(f"--{strange} sets up a virtual board; omit it, or use a virtual one, such as --board {usual}")
    return given


def refuse_what_ends(name: str | None) -> None:
    """For commands whose work is to outlive them.

    Raises:
        click.UsageError: the board is a virtual one that this command would start and end.
    """
    if name not in VIRTUAL:
        return
    if VIRTUAL[name].process:
        stays = f"start one that stays, in another terminal: mtjlearn boards start {name}, then use the --board that it prints"
    else:
        stays = "use a real board, or one that mtjlearn boards start prints"
    raise click.UsageError(f"{name} starts and ends with this command; {stays}")
