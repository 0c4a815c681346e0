"""``mtjlearn checkpoint``."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import bar, print_result, print_rows, say
from mtjlearn.cli.view.options import board_option, refuse_what_ends
from mtjlearn.errors import BoardError

if TYPE_CHECKING:
    from mtjlearn.board import Board, CheckpointFile
    from mtjlearn.network import Network

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(short_help="Save, load or show a board's checkpoint.")
def cli() -> None:
    """Save, load, erase or show a board's checkpoint: its network and where its learning stands, in one file."""


@cli.command()
@click.argument("file", type=_FILE)
@board_option
@command
def save(file: Path, board: str | None) -> dict[str, Any]:
    """Save the board's state, in its memory and in FILE.

    That is weights, decorrelation matrices, counters, random state, configuration and schedule; not the dataset, and not the
    curve of losses.
    """
    from mtjlearn.board import CheckpointFile

    with _open(board) as opened:
        info = opened.info
        found = CheckpointFile(opened.save_checkpoint(), info.name, info.build, time.time())
    found.write(file)
    print_result(f"{found.content.network.name} after {found.content.record.steps:,} steps is in {file}")
    return {"file": file, **_summary(found)}


@cli.command()
@click.argument("file", type=_FILE)
@board_option
@click.option("--replace", is_flag=True, help="Also replace another network.")
@command
def load(file: Path, board: str | None, replace: bool) -> dict[str, Any]:
    """Restore FILE on the board, at once: as if it had started with that checkpoint.

    A checkpoint of another network than the board's is refused unless --replace is given. If it was learning
    autonomously when it was saved, it continues, with the dataset of that time if that is in the board's memory. The curve of
    losses is not part of a checkpoint.
    """
    from mtjlearn.board import CheckpointFile
    from mtjlearn.cli.view.autonomous import RESTORED

    found = CheckpointFile.read(file)
    content = found.content
    with _open(board) as opened:
        if not replace:
            _refuse_another(opened, file, content.network, len(content.data))
        with bar("checkpoint") as progress:
            opened.load_checkpoint(content, progress.update)
        state, stands = opened.checkpoint_state(), opened.progress()
        print_result(
            f"{content.network.name} after {content.record.steps:,} steps is on {opened.info.name}; {RESTORED[state.restored]}"
        )
        say("the curve of losses is not part of a checkpoint")
        if stands.running:
            say("it learns autonomously; see how with: mtjlearn autonomous status")
        return {"file": file, "board": opened.info.name, "restored": state.restored, "learns": stands.running, **_summary(found)}


@cli.command()
@board_option
@command
def erase(board: str | None) -> dict[str, Any]:
    """Erase the board's checkpoints and its dataset.

    The network stays until the board restarts; then it has none. This makes room for a checkpoint that would overwrite the
    dataset.
    """
    with _open(board) as opened:
        erased = opened.checkpoint_state().generation
        opened.erase_checkpoints()
        say(f"the checkpoints on {opened.info.name} are erased; its network stays until it restarts")
        return {"board": opened.info.name, "erased_generation": erased}


@cli.command()
@click.argument("file", type=_FILE)
@command
def show(file: Path) -> dict[str, Any]:
    """Show what FILE holds; no board is needed."""
    from mtjlearn.board import CheckpointFile

    found = CheckpointFile.read(file)
    summary = {"file": file, **_summary(found)}
    print_rows((what.replace("_", " "), _text(value)) for what, value in summary.items())
    weights = found.content.weights
    return {**summary, "weight_values": [layer.tolist() for layer in weights]}


def _summary(found: CheckpointFile) -> dict[str, Any]:
    when = datetime.datetime.fromtimestamp(found.saved).astimezone().isoformat(timespec="seconds")
    return {"saved": when, "from_board": found.board, "build": found.build, **found.content.summary()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _open(name: str | None) -> Board:
    refuse_what_ends(name)
    from mtjlearn.discovery import open_board

    board = open_board(name)
    try:
        if board.checkpoint_state().memory == 0:
            raise BoardError(f"{board.info.name} has no nonvolatile memory for checkpoints; use another board")
    except BoardError:
        board.close()
        raise
    return board


def _refuse_another(board: Board, file: Path, network: Network, size: int) -> None:
    """Refuses a checkpoint of another network than the board's."""
    from mtjlearn.board import CheckpointError
    from mtjlearn.wire.messages import State

    if board.status().state == State.UNCONFIGURED:
        return
    try:
        there = board.adopt()
    except BoardError:
        same, name = board.checkpoint_state().slot_bytes == size, "another network"
    else:
        shapes = [(n.sizes, n.loss, n.weight_format, n.decorrelate) for n in (there, network)]
        same, name = shapes[0] == shapes[1], _describe(there)
    if not same:
        raise CheckpointError(f"{file} is of {_describe(network)}, and the board has {name}; to replace that: --replace")


def _describe(network: Network) -> str:
    decorrelated = ", decorrelated" if any(network.decorrelate) else ""
    loss, weights = network.loss.name.lower().replace("_", "-"), network.weight_format.name.lower()
    return f"{network.name} ({loss}, {weights}{decorrelated})"
