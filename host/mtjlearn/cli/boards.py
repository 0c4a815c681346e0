"""``mtjlearn boards``."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from mtjlearn.board import BoardError, BoardInfo
from mtjlearn.cli.boards_start import start
from mtjlearn.cli.view.autonomous import RESTORED
from mtjlearn.cli.view.common import board_option, command, print_result, say
from mtjlearn.discovery import BoardPort, list_boards, open_board
from mtjlearn.flashing import sources_of_build
from mtjlearn.virtual.boards import VIRTUAL
from mtjlearn.wire.messages import Features


@click.group(invoke_without_command=True)
@board_option
@command
def cli(board: str | None) -> dict[str, Any] | None:
    """List boards, tell what one is, or start a virtual one that stays.

    Without --board: virtual boards, connected boards, and other ports that may have one behind them. Of the only board
    connected, or the one named with --board, it also tells what its firmware says of itself; opening its port restarts
    some boards.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return None
    if board is not None:
        return {"info": _describe(board)}
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


cli.add_command(start)


def _describe(name: str) -> dict[str, Any]:
    with open_board(name) as opened:
        info = opened.info
    current = sources_of_build(info.build) is not None
    update = "pip install ." if name in VIRTUAL else "mtjlearn flash"
    _show(info, "the sources here" if current else f"other sources than those here; `{update}` brings it up to date")
    return {**info_values(info), "current": current}


def info_values(info: BoardInfo) -> dict[str, Any]:
    """What a board says of itself, as --json prints it."""
    features = [feature.name for feature in Features if feature in info.features]
    return {**dataclasses.asdict(info), "features": features, "millivolts_per_code": info.millivolts_per_code}


def _show_list(boards: list[BoardPort], connected: list[str]) -> None:
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
        say("no board is connected" + ("; if there is one behind another port, name that with --board" if others else ""))


def _show(info: BoardInfo, sources: str) -> None:
    line = f"{info.line_rate:,} bytes/s" if info.line_rate else "no limit known"
    cause = info.reset_cause.name.lower().replace("_", " ")
    rows = (
        ("board", f"{info.name} at {info.url}"),
        ("firmware", f"build {info.build}, protocol {info.version}"),
        ("", f"built from {sources}"),
        ("start", f"number {info.boot_count}, reset cause: {cause}"),
        *((("", f"last error before it: {info.last_error}"),) if info.last_error else ()),
        ("converter", f"{info.adc_bits} bits, {info.adc_rate:,} codes/s, full scale {info.adc_reference:g} V"),
        ("", f"{info.millivolts_per_code:.3g} mV a code"),
        ("memory for a network", f"{info.arena:,} bytes"),
        ("nonvolatile memory", f"{info.memory:,} bytes; {RESTORED[info.restored]}" if info.memory else "none"),
        ("line", f"{line}; payloads to {info.max_payload} bytes, {info.receive_window} bytes in flight"),
        ("features", ", ".join(_words(feature) for feature in Features if feature in info.features)),
    )
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for what, value in rows:
        table.add_row(what, escape(value))
    print_result(table)


def _words(feature: Features) -> str:
    return str(feature.name).lower().replace("_", " ")
