"""A page in a real browser, with virtual boards and trainings of its own: for the tests, and for the pictures of the docs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mtjlearn.virtual.native import start_native
from mtjlearn.virtual.process import BoardProcess

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120_000
"""Milliseconds that a page may take to show something, on a busy machine."""
MISSING = "make test-browser installs the tests' browser (Debian package chromium) and playwright"


def find_browser() -> str | None:
    """A Chromium of this system."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


class Lab:
    """A directory of runs, boards, the page's server, and a browser that looks at it.

    Args:
        folder: for runs and memories.
        browser: of playwright.
    """

    def __init__(self, folder: Path, browser: Any) -> None:
        self.folder = folder
        self.problems: list[str] = []
        """Errors of the page's scripts, and requests to other servers."""
        self.url = ""
        self._browser = browser
        self._owned = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._owned.close()

    def board(self, **options: Any) -> BoardProcess:
        """A virtual board that stays until the end."""
        return self._owned.enter_context(start_native(**{"tcp_port": 0, **options}))

    def command(self, *words: object) -> subprocess.Popen[str]:
        """A command in another terminal; killed at the end, if it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "mtjlearn", *map(str, words)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._owned.callback(_end, process)
        return process

    def serve(self, *words: object) -> subprocess.Popen[str]:
        """Starts the page's server."""
        server = self.command("dashboard", "--json", *words)
        assert server.stdout is not None
        told = server.stdout.readline()
        assert told, f"the page's server has not started (exit code {server.wait(60)})"
        self.url = json.loads(told)["url"]
        return server

    def wait_for(self, pattern: str) -> None:
        """Waits until a command has made such a file."""
        until = time.monotonic() + PATIENCE / 1000
        while not any(self.folder.glob(pattern)):
            assert time.monotonic() < until, pattern
            time.sleep(0.1)

    def look(self, **options: Any) -> Any:
        """Opens the page; ``options`` are those of playwright's context, e.g. ``viewport`` and ``color_scheme``."""
        context = self._browser.new_context(**options)
        self._owned.callback(context.close)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", lambda message: self._hear(message.type, message.text))
        origin = re.match(r"http://[^/]+/", self.url)
        assert origin is not None
        page.on("request", lambda request: request.url.startswith(origin[0]) or self.problems.append(f"request: {request.url}"))
        page.goto(self.url)
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "ERR_CONNECTION_REFUSED" not in text:
            self.problems.append(f"{kind}: {text}")


def launch(playwright: Any, path: str) -> Any:
    """The browser, without a window; as root, as in a container, its sandbox does not work."""
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=root)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
