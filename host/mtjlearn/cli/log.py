"""``mtjlearn log``."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import print_result, say
from mtjlearn.errors import BoardError

if TYPE_CHECKING:
    from mtjlearn.wire.decoding import Entry
    from mtjlearn.wire.linklog import LogRecord

_FILE = click.Path(path_type=Path)


@click.group(short_help="Decode or replay the raw log of a link.")
def cli() -> None:
    """Decode or replay the raw log of a link, such as link.log in a run directory."""


@cli.command("decode")
@click.argument("file", type=_FILE)
@click.option("--damaged", is_flag=True, help="Only what is damaged or unknown.")
@command
def decode_log(file: Path, damaged: bool) -> dict[str, Any]:
    """Print FILE as messages: time, direction, session:seq, name and fields.

    FILE is a link.log, or a run directory. -> is to the board, <- from it. With --json each message is one JSON object on a
    line of standard output, and the last line counts them.
    """
    from mtjlearn.wire.decoding import decode

    as_json = bool(click.get_current_context().params.get("as_json"))
    count = bad = 0
    for entry in decode(_records(file)):
        count += 1
        bad += entry.bad
        if damaged and not entry.bad:
            continue
        click.echo(json.dumps(entry.plain()) if as_json else f"{_moment(entry)} {entry.line()}")
    say(f"{count:,} entries, {bad:,} of them damaged or unknown")
    return {"entries": count, "damaged": bad}


@cli.command("replay")
@click.argument("file", type=_FILE)
@command
def replay_log(file: Path) -> dict[str, Any]:
    """Replay FILE through the host's link: what the host knew at the end of each session.

    This is what was acknowledged or refused, and what was still in doubt; FILE is a link.log, or a run directory.
    """
    from mtjlearn.wire.replaying import replay

    sessions = [session.summary() for session in replay(_records(file))]
    for session in sessions:
        opened = datetime.datetime.fromtimestamp(session["opened"]).astimezone()
        board = session["board"] or "no answer"
        what = f"{board}, session {session['session']}, {session['seconds']:.1f} s; {session['ended']}"
        print_result(f"{opened:%Y-%m-%d %H:%M:%S} {what}")
        said = " ".join(f"{name} {number:,}" for name, number in session["commands"].items())
        print_result(f"  sent: {said or 'nothing'}; {session['done']:,} done, {session['unknown']:,} in doubt at the end")
        if session["refused"]:
            print_result("  refused: " + ", ".join(f"{name} {number:,}" for name, number in session["refused"].items()))
        print_result(
            f"  line: {session['repeated']:,} frames sent again, {session['damaged']:,} damaged in the log; the board dropped "
            f"{session['bad_frames']:,} and lost {session['rx_overruns']:,} bytes"
        )
        if session["last_known_steps"] is not None:
            print_result(f"  the board's last STATUS: {session['last_known_steps']:,} steps")
    print_result(f"{len(sessions):,} sessions")
    return {"sessions": sessions}


def _records(file: Path) -> Iterator[LogRecord]:
    from mtjlearn.wire.linklog import read_log

    path = file / "link.log" if file.is_dir() else file
    try:
        yield from read_log(path)
    except OSError as error:
        raise BoardError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise BoardError(f"{error}; name a link.log of a run directory") from None


def _moment(entry: Entry) -> str:
    return f"{datetime.datetime.fromtimestamp(entry.time).astimezone():%H:%M:%S.%f}"[:-3]
