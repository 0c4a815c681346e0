"""Watches a directory of runs: the list of them, and what those do that a process works on now."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from mtjlearn.dashboard.following import Follower
from mtjlearn.dashboard.hub import Hub
from mtjlearn.runs import RunError, read_meta
from mtjlearn.runs.files import LOCK, META
from mtjlearn.runs.storage import is_locked

POLL = 0.5
"""Seconds between two looks at the directory."""
MOST_LISTED = 200
"""Runs that are listed, at most: the newest."""
MOST_LIVE = 4
"""Trainings that are followed at once, at most: the newest."""


class RunsWatch:
    """A thread that publishes ``runs``, ``trainings`` and ``weights``.

    Args:
        root: directory of runs, which need not exist yet.
        hub: gets what is seen.
    """

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root = root
        self._hub = hub
        self._known: dict[str, tuple[int, dict[str, Any]]] = {}
        self._followers: dict[str, Follower] = {}
        self._listed: list[dict[str, Any]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def close(self) -> None:
        """Ends, and waits until it has."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def find(self, name: str) -> Follower | None:
        """The run of this name, as it stands; None if there is none in the list."""
        if name not in self._known:
            return None
        found = Follower(self.root / name)
        found.update()
        return found

    def look(self) -> None:
        """Looks once."""
        listed = self._listed = self._list()
        self._hub.publish("runs", {"folder": self.root.resolve(), "runs": listed, "problem": None})
        running = [run["run"] for run in listed if run["state"] == "running"][:MOST_LIVE]
        for name in running:
            self._followers.setdefault(name, Follower(self.root / name))
        # Those that have ended stay in view until newer ones need the room.
        for name in sorted(self._followers.keys() - set(running))[: max(0, len(self._followers) - MOST_LIVE)]:
            del self._followers[name]
        for name in [name for name, follower in self._followers.items() if not follower.path.is_dir()]:
            del self._followers[name]
        for follower in self._followers.values():
            follower.update()
        shown = sorted(self._followers.items(), reverse=True)
        self._hub.publish("trainings", [follower.view() for _, follower in shown])
        self._hub.publish("weights", {name: follower.layers() for name, follower in shown})

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # else the page would stand still and say nothing
                problem = f"the runs cannot be followed: {type(error).__name__}: {error}; please report it"
                self._hub.publish("runs", {"folder": self.root, "runs": self._listed, "problem": problem})
            self._ended.wait(POLL)

    def _list(self) -> list[dict[str, Any]]:
        try:
            names = sorted((entry.name for entry in self.root.iterdir() if not entry.name.startswith(".")), reverse=True)
        except OSError:
            names = []
        listed: list[dict[str, Any]] = []
        for name in names:
            if len(listed) == MOST_LISTED:
                break
            if (row := self._row(name)) is not None:
                listed.append(row)
        self._known = {row["run"]: self._known[row["run"]] for row in listed}
        return listed

    def _row(self, name: str) -> dict[str, Any] | None:
        path = self.root / name
        try:
            changed = (path / META).stat().st_mtime_ns
        except OSError:
            return None
        if name not in self._known or self._known[name][0] != changed:
            self._known[name] = changed, _row(path)
        row = self._known[name][1]
        if row["state"] == "running" and not is_locked(path / LOCK):
            return {**row, "state": "interrupted"}
        return row


def _row(path: Path) -> dict[str, Any]:
    try:
        meta = read_meta(path)
    except RunError as error:
        return {"run": path.name, "state": "damaged", "error": str(error)}
    result = meta["result"]
    return {
        **{name: meta[name] for name in ("command", "name", "seed", "started", "state")},
        "run": path.name,
        "error": meta.get("error"),
        **{
            name: result[name]
            for name in ("test_accuracy", "reference_test_accuracy", "test_r2", "reference_test_r2", "steps", "verdict")
            if isinstance(result.get(name), int | float | str)
        },
    }
