"""``mtjlearn flash``."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import console, plain, print_result, say
from mtjlearn.firmware.uno_options import UNO_BAUDS, UNO_RATES, UNO_REFERENCES, UnoOptions

if TYPE_CHECKING:
    from rich.status import Status

    from mtjlearn.board import BoardInfo
    from mtjlearn.flashing import Flashed, Sizes


@click.command(short_help="Build the firmware and put it onto a board.")
@click.option(
    "--board",
    "name",
    metavar="BOARD",
    help="Kind of board: an environment of platformio.ini, such as uno, uno_streamed, nano, nano_old (57,600 baud bootloader) or "
    "pico; or pico-micropython, esp32-micropython; if omitted, the only connected board is used.",
)
@click.option("--port", metavar="PORT", help="Serial port, e.g. /dev/ttyACM0 or COM3; if omitted, found by its USB id.")
@click.option("--baud", type=click.Choice([str(baud) for baud in UNO_BAUDS]), help="Uno R3: bits per second on the line.")
@click.option("--adc-rate", type=click.Choice([str(rate) for rate in UNO_RATES]), help="Uno R3: noise codes per second.")
@click.option(
    "--reference",
    type=click.Choice([str(reference) for reference in UNO_REFERENCES]),
    help="Uno R3: mV at full scale of its converter: 1100 is internal, 5000 the supply.",
)
@click.option("--force", is_flag=True, help="Upload even if the port's USB id belongs to another board.")
@click.option("--build", is_flag=True, help="Build from the sources even if this package carries the image.")
@click.option("--dry-run", is_flag=True, help="Upload nothing: show the sizes of the image.")
@click.option("--offline", is_flag=True, help="Build AVR boards with the tools installed here, without PlatformIO's registry.")
@click.option("--verbose", is_flag=True, help="Show everything that the build and upload tools print.")
@command
def cli(
    name: str | None,
    port: str | None,
    baud: str | None,
    adc_rate: str | None,
    reference: str | None,
    force: bool,
    build: bool,
    dry_run: bool,
    offline: bool,
    verbose: bool,
) -> dict[str, Any]:
    """Put the firmware onto a board.

    For an Uno R3 or a Nano an installed package has the image, and avrdude uploads it. Everything else PlatformIO builds and
    uploads; the first time it fetches its tools for the board. Afterwards the board is asked what runs on it, and that must be
    what was uploaded. uno_streamed is for an Uno R3, too: it learns from a host's stream alone and has
    more memory for networks. A classic Nano is not known by its USB id: name its port. If nano finds no bootloader, use nano_old.

    pico-micropython and esp32-micropython are for boards that have MicroPython: the firmware is compiled for their chip and copied
    onto them as files, without a bootloader.
    """
    from mtjlearn.cli.view.boards import info_values
    from mtjlearn.firmware import firmware_root
    from mtjlearn.flashing import MICROPYTHON_BOARDS, choose_target, find_target, flash, list_targets

    root = firmware_root()
    chosen = choose_target(name, port, [*list_targets(root), *MICROPYTHON_BOARDS])
    if dry_run and (port is not None or force):
        raise click.UsageError(f"--dry-run uploads nothing; omit {'--port' if port is not None else '--force'}")
    if chosen in MICROPYTHON_BOARDS:
        options = {"baud": baud, "adc-rate": adc_rate, "reference": reference, "build": build, "offline": offline}
        return _flash_micropython(chosen, port, [option for option, value in options.items() if value], dry_run, force, verbose)
    target = find_target(root, chosen)
    asked = {"baud": baud, "adc_rate": adc_rate, "reference": reference}
    given = {option: int(value) for option, value in asked.items() if value is not None}
    if given and target.folder != "uno":
        option = next(iter(given)).replace("_", "-")
        raise click.UsageError(f"--{option} is for the Uno R3 and the Nano; omit it for {target.name}")
    with _progress(verbose) as progress:
        flashed = flash(
            target,
            port,
            options=UnoOptions(**given),
            upload=not dry_run,
            force=force,
            build=build,
            offline=offline,
            progress=progress,
            output=(lambda line: say(line)) if verbose else (lambda line: None),
        )
    _show(flashed, given.get("baud"))
    result = asdict(flashed) | {"info": None if flashed.info is None else info_values(flashed.info)}
    return {"board": result.pop("target"), **result}


def _flash_micropython(name: str, port: str | None, others: list[str], dry_run: bool, force: bool, verbose: bool) -> dict[str, Any]:
    from mtjlearn.cli.view.boards import info_values
    from mtjlearn.flashing import MICROPYTHON_BOARDS, flash_micropython

    if others:
        raise click.UsageError(f"--{others[0]} is for firmware that is built; omit it for {name}")
    with _progress(verbose) as progress:
        flashed = flash_micropython(
            MICROPYTHON_BOARDS[name],
            port,
            upload=not dry_run,
            force=force,
            progress=progress,
            output=(lambda line: say(line)) if verbose or dry_run else (lambda line: None),
        )
    total = f"{len(flashed.files)} files, {sum(flashed.files.values()):,} bytes, {flashed.architecture or 'bytecode'}"
    if flashed.info is None or flashed.port is None:
        print_result(f"{flashed.target}: build {flashed.build}, {total}")
    else:
        print_result(f"{flashed.target} at {flashed.port} runs build {flashed.build}, as it says itself; {total}")
        if flashed.kept:
            print_result(f"the main.py that was on the board is {flashed.kept} now")
        _show_converter(flashed.info, flashed.port)
    result = asdict(flashed) | {"info": None if flashed.info is None else info_values(flashed.info)}
    return {"board": result.pop("target"), **result}


class _Display:
    """Shows what is going on: a line that changes at a terminal, a line a phase elsewhere."""

    def __init__(self, status: Status | None) -> None:
        self._status = status
        self._phase = ""
        self._start = time.monotonic()

    def __call__(self, what: str, detail: str) -> None:
        seconds = f"{time.monotonic() - self._start:.0f} s"
        if self._status is not None:
            self._status.update(plain(f"{what}  {detail}  {seconds}"))
        elif what != self._phase or "no word" in detail:
            say(f"{what}{f' ({detail})' if 'no word' in detail else ''}")
        self._phase = what


@contextlib.contextmanager
def _progress(verbose: bool) -> Iterator[_Display]:
    if verbose or not console().is_terminal:
        yield _Display(None)
        return
    with console().status("starting") as status:
        yield _Display(status)


def _show(flashed: Flashed, baud: int | None) -> None:
    from mtjlearn.discovery import at_rate
    from mtjlearn.wire.transport import BAUD

    if flashed.info is None or flashed.port is None:
        origin = "in this package" if flashed.carried else "built here"
        print_result(f"{flashed.target}: build {flashed.build}, {origin}{_used(flashed.sizes)}")
        print_result(f"image: {flashed.image}")
        return
    print_result(f"{flashed.target} at {flashed.port} runs build {flashed.build}, as it says itself{_used(flashed.sizes)}")
    _show_converter(flashed.info, at_rate(flashed.port, baud or BAUD))


def _show_converter(info: BoardInfo, name: str) -> None:
    print_result(f"{info.adc_bits} bit codes, {info.adc_rate:,} per second, full scale {info.adc_reference:g} V")
    print_result(f"look at its noise: mtjlearn noise --board {name}")


def _used(sizes: Sizes | None) -> str:
    if sizes is None:
        return ""
    return f"; flash {sizes.flash:,} of {sizes.flash_limit:,} bytes, RAM {sizes.ram:,} of {sizes.ram_limit:,} bytes"
