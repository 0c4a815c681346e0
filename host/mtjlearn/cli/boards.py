"""``mtjlearn boards``."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn import interruption
from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say
from mtjlearn.cli.view.options import board_option, device_noise_options, virtual_options
from mtjlearn.errors import BoardError
from mtjlearn.virtual.boards import VIRTUAL, start_process

if TYPE_CHECKING:
    from mtjlearn.discovery import BoardPort
    from mtjlearn.virtual.process import BoardProcess

_POLL = 0.2


@click.group(invoke_without_command=True)
@board_option
@command
def cli(board: str | None) -> dict[str, Any] | None:
    """List boards, describe one, or start a virtual board.

    Without --board: virtual boards, connected boards, and other ports that may have one behind them. Of the only board
    connected, or the one named with --board, it also shows what its firmware reports about itself; opening its port restarts
    some boards.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return None
    if board is not None:
        return {"info": _describe(board)}
    from mtjlearn.discovery import list_boards

    found = list_boards()
    connected = [port.name for port in found if port.known and not port.virtual]
    _show_list(found, connected)
    result: dict[str, Any] = {"boards": found}
    if len(connected) == 1:
        try:
            result["info"] = _describe(connected[0])
        except BoardError as error:
            say(str(error))
    return result


def _describe(name: str) -> dict[str, Any]:
    from mtjlearn.cli.view.boards import info_values, show_info
    from mtjlearn.discovery import open_board
    from mtjlearn.firmware import sources_of_build

    with open_board(name) as opened:
        info = opened.info
    current = sources_of_build(info.build) is not None
    update = "pip install ." if name in VIRTUAL else "mtjlearn flash"
    show_info(info, "the sources here" if current else f"other sources than those here; `{update}` brings it up to date")
    return {**info_values(info), "current": current}


def _show_list(boards: list[BoardPort], connected: list[str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("board", "what it is", "opened with"):
        table.add_column(heading, overflow="fold")
    for board in boards:
        serial = f", serial number {board.serial_number}" if board.serial_number else ""
        alone = "nothing, or " if connected == [board.name] else ""
        table.add_row(escape(board.name), escape(board.description + serial), escape(f"{alone}--board {board.name}"))
    print_result(table)
    if not connected:
        others = any(not board.known for board in boards)
        say("no board is connected" + ("; if one is at another port, name it with --board" if others else ""))


@cli.command()
@click.argument("name", type=click.Choice([name for name, board in VIRTUAL.items() if board.process]))
@click.option("--tcp", "--tcp-port", "tcp_port", metavar="PORT", type=click.IntRange(0, 65535), help="Serve a TCP port; 0: any.")
@click.option("--eeprom", type=click.Path(path_type=Path), help="File that keeps the nonvolatile memory; of micropython a folder.")
@click.option("--image", metavar="NAME", help="Firmware of uno-sim, such as uno_streamed: uno unless given.")
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), help="Of the virtual junction; 1 unless given.")
@device_noise_options
@click.option(
    "--voltages",
    type=click.Path(path_type=Path, dir_okay=False),
    help="In place of the junction: a file of 32-bit floats, the voltage of each sample in mV; begins again after the last.",
)
@click.option("--fault", metavar="NAME", help="What the noise becomes in the middle of the run: stuck, open, short, slow, ...")
@click.option("--fault-after", metavar="SECONDS", type=click.FloatRange(0), help="Of the board's time until then.")
@click.option("--fault-lasts", metavar="SECONDS", type=click.FloatRange(0), help="After which the noise is as it was.")
@command
def start(name: str, **options: Any) -> dict[str, Any]:
    """Start a virtual board that stays until Ctrl-C, for other commands to come and go.

    It prints the value for --board: a pseudo-terminal, or with --tcp a port. With --json that is printed at once, too, as
    the first line of standard output. What is given with --eeprom keeps checkpoints and the dataset from one start to the next.
    """
    given = virtual_options(name, **options)
    # So that the board ends in order, and its memory is written, when this process is told to end.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with start_process(name, **given) as board:
            say(f"{name} runs; use it with --board {board.url}")
            say("Ctrl-C stops it")
            if click.get_current_context().params.get("as_json"):
                click.echo(json.dumps({"board": name, "url": board.url, "pid": board.process.pid}))
            _serve(name, board)
            return {"board": name, "url": board.url}
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(name: str, board: BoardProcess) -> None:
    from mtjlearn.virtual.process import BoardProcessError

    try:
        while board.process.poll() is None:
            time.sleep(_POLL)
            interruption.check()
    except KeyboardInterrupt:
        return
    why = board.last_words() or f"exit code {board.process.returncode}"
    raise BoardProcessError(f"{name} has ended ({why}); start it again")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
