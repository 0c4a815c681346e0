"""``mtjlearn dashboard``."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from mtjlearn import interruption
from mtjlearn.cli.view.command import command
from mtjlearn.cli.view.console import say
from mtjlearn.cli.view.options import runs_option
from mtjlearn.errors import UserError, install_extra


@click.command(short_help="Watch boards and trainings in a browser.")
@click.option(
    "--board",
    "boards",
    metavar="NAME",
    multiple=True,
    help="Watch this board: a port, a URL, or a virtual board, which is started. May be given several times.",
)
@runs_option
@click.option("--control", is_flag=True, help="The page may start and stop trainings and boards; else it only shows.")
@click.option(
    "--data",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --control: a data file that the page may train. May be given several times.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Of the page; 0: any free one.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@command
def cli(boards: tuple[str, ...], root: Path, control: bool, files: tuple[Path, ...], port: int, open_page: bool) -> dict[str, Any]:
    """Watch boards and trainings in a browser, until Ctrl-C.

    The page shows the noise of boards, what trains now (in any terminal, by its run directory), boards that learn
    autonomously, and all runs. Its address has a token, and only this computer can reach it; without --control it changes
    nothing. A board that another program uses appears again when that program gives its port back.
    """
    if files and not control:
        raise click.UsageError("--data is what the page may train, which needs --control")
    if len({file.name for file in files}) < len(files):
        raise click.UsageError("two files of --data have the same name; rename one")
    try:
        from mtjlearn.dashboard.access import new_token
        from mtjlearn.dashboard.serve import open_socket, serve
    except ImportError as error:
        raise UserError(f"the page needs {error.name}; install it with: {install_extra('dashboard')}") from None
    from mtjlearn.dashboard.actions import Actions
    from mtjlearn.dashboard.app import Page
    from mtjlearn.dashboard.desk import Desk
    from mtjlearn.dashboard.hub import Hub
    from mtjlearn.dashboard.rundirs import RunsWatch
    from mtjlearn.dashboard.trainings import Trainings

    hub = Hub()
    desk, runs, trainings = Desk(boards, hub), RunsWatch(root, hub), Trainings(root, hub)
    actions = Actions(desk, trainings, root, {file.name: file.resolve() for file in files}) if control else None
    page, token = Page(hub, runs, actions), new_token()
    listener = open_socket(port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/{token}/"
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with listener, ExitStack() as working:
            # Trainings end first, and give boards back.
            for part in (desk, runs, trainings):
                working.callback(part.close)
                part.start()
            say(f"the page is at {url}")
            say("Ctrl-C ends it")
            if click.get_current_context().params.get("as_json"):
                click.echo(json.dumps({"url": url}))
            if open_page:
                click.launch(url)
            serve(page.app(token), listener, hub.close)
            interruption.check()
    except KeyboardInterrupt:
        pass  # the usual end
    finally:
        signal.signal(signal.SIGTERM, before)
    return {"url": url}


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
