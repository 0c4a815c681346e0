"""``mtjlearn boards start``."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import click

from mtjlearn import interruption
from mtjlearn.cli.common import command, device_noise_options, say, virtual_options
from mtjlearn.discovery import VIRTUAL, start_process
from mtjlearn.targets import UNO_IMAGES
from mtjlearn.virtual.process import BoardProcess, BoardProcessError

_POLL = 0.2


@click.command()
@click.argument("name", type=click.Choice([name for name, board in VIRTUAL.items() if board.process]))
@click.option("--tcp", "--tcp-port", "tcp_port", metavar="PORT", type=click.IntRange(0, 65535), help="Serve a TCP port; 0: any.")
@click.option("--eeprom", type=click.Path(path_type=Path, dir_okay=False), help="File that keeps the nonvolatile memory.")
@click.option("--image", type=click.Choice(list(UNO_IMAGES)), help="Firmware of uno-sim: uno unless given.")
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), help="Of the virtual junction; 1 unless given.")
@device_noise_options
@click.option("--fault", metavar="NAME", help="What the noise becomes in the middle of the run: stuck, open, short, slow, ...")
@click.option("--fault-after", metavar="SECONDS", type=click.FloatRange(0), help="Of the board's time until then.")
@click.option("--fault-lasts", metavar="SECONDS", type=click.FloatRange(0), help="After which the noise is as it was.")
@command
def start(name: str, **options: Any) -> dict[str, Any]:
    """Start a virtual board that stays until Ctrl-C, for other commands to come and go.

    It prints what they take as --board: a pseudo-terminal, or with --tcp a port. With --json that is printed at once, too, as
    the first line of standard output. A file given with --eeprom keeps checkpoints and the dataset from one start to the next.
    """
    given = virtual_options(name, **options)
    # So that the board ends in order, and its memory is written, when this process is told to end.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with start_process(name, **given) as board:
            say(f"{name} runs; use it with --board {board.url}")
            say("Ctrl-C ends it")
            if click.get_current_context().params.get("as_json"):
                click.echo(json.dumps({"board": name, "url": board.url, "pid": board.process.pid}))
            _serve(name, board)
            return {"board": name, "url": board.url}
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(name: str, board: BoardProcess) -> None:
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
