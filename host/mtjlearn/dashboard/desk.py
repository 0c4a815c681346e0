"""The boards of a page: those it was started with, those that are connected, and virtual ones that it starts and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.watching import BoardWatch
from mtjlearn.discovery import BoardPort, list_boards
from mtjlearn.errors import BoardError
from mtjlearn.virtual.boards import VIRTUAL, start_process

POLL = 2.0
"""Seconds between two looks at the ports."""


class Desk:
    """Watches boards, and publishes ``boards``: which are watched, and which ports there are besides.

    Opening a port restarts some boards, so that only boards that were asked for are opened.

    Args:
        names: boards to watch from the start on, as ``--board`` takes them; a virtual board is started.
        hub: gets what is seen.
        ports: lists what is connected.
    """

    def __init__(self, names: Sequence[str], hub: Hub, ports: Callable[[], list[BoardPort]] = list_boards) -> None:
        self._names = names
        self._hub = hub
        self._ports = ports
        self._watches: dict[str, BoardWatch] = {}
        self._lock = threading.Lock()
        self._owned = ExitStack()
        self._kinds: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ports", daemon=True)

    def start(self) -> None:
        """Begins.

        Raises:
            BoardError: a virtual board cannot be started.
        """
        for name in self._names:
            if name in VIRTUAL:
                board = self._owned.enter_context(start_process(name))
                self._kinds[board.url] = VIRTUAL[name].description
                self.watch(board.url)
            else:
                self.watch(name)
        self._thread.start()

    def close(self) -> None:
        """Ends, and waits until it has."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for watch in self._watches.values():
            watch.close()
        self._owned.close()

    def watch(self, name: str) -> None:
        """Watches a board from now on, or again."""
        with self._lock:
            watch = self._watches.get(name)
            if watch is None:
                watch = self._watches[name] = BoardWatch(name, self._hub)
                watch.start()
                return
        watch.watch_again()

    def find(self, name: str) -> BoardWatch:
        """A board that is watched.

        Raises:
            BoardError: it is not.
        """
        with self._lock:
            if name not in self._watches:
                raise BoardError(f"{name} is not watched; watch it first")
            return self._watches[name]

    def is_watched(self, name: str) -> bool:
        """Whether a board is watched."""
        with self._lock:
            return name in self._watches

    def is_connected(self, name: str) -> bool:
        """Whether a board is watched, or a port of this computer."""
        return self.is_watched(name) or any(port.name == name for port in self._ports() if not port.virtual)

    def look(self) -> None:
        """Looks once."""
        with self._lock:
            watched = list(self._watches)
        try:
            found = {port.name: port.description for port in self._ports() if not port.virtual}
        except OSError:  # a port that vanishes while it is looked at
            found = {}
        rows = [{"name": name, "description": self._kinds.get(name) or found.get(name, ""), "watched": True} for name in watched]
        rows += [{"name": name, "description": text, "watched": False} for name, text in found.items() if name not in watched]
        self._hub.publish("boards", rows)

    def _work(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(POLL)
