"""Trainings that the page starts: ``mtjlearn train`` as processes of their own, whose run directories the page follows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mtjlearn.dashboard.hub import Hub
from mtjlearn.errors import UserError

MOST = 4
"""Trainings of the page at once, at most."""
_POLL = 0.2
_SAVES = 120.0
"""Seconds that an interrupted training has to save its weights."""


class TrainingError(UserError):
    """A training that cannot be started or stopped."""


@dataclass
class _Child:
    number: int
    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    done: Callable[[], None]
    stopping: bool = False

    def last_words(self) -> str:
        """The last line that it printed."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


class Trainings:
    """Starts and stops trainings, and publishes ``started``.

    Args:
        root: directory of runs.
        hub: gets what happens.
    """

    def __init__(self, root: Path, hub: Hub) -> None:
        self._root = root
        self._hub = hub
        self._lock = threading.Lock()
        self._children: dict[int, _Child] = {}
        self._last: list[dict[str, Any]] = []
        self._count = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trainings", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._hub.publish("started", [])
        self._thread.start()

    def close(self) -> None:
        """Interrupts what runs, waits until it has saved its weights, and ends."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in self._children.values():
            _interrupt(child.process)
        for child in self._children.values():
            try:
                child.process.wait(_SAVES)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            child.errors.close()

    def train(self, words: Sequence[str], done: Callable[[], None]) -> int:
        """Starts ``mtjlearn train`` with these words.

        Args:
            words: data and options.
            done: called when it has ended.

        Returns:
            Its number, for stop().

        Raises:
            TrainingError: there are too many, or it cannot be started.
        """
        with self._lock:
            if len(self._children) >= MOST:
                raise TrainingError(f"{MOST} trainings run already; stop one first")
            command = [sys.executable, "-m", "mtjlearn", "train", "--runs", os.path.abspath(self._root), *words]
            try:
                errors = tempfile.TemporaryFile()  # noqa: SIM115
            except OSError as error:
                raise TrainingError(f"the training cannot be started (temporary files: {error.strerror}); make room") from None
            try:
                # Out of the terminal's group: there Ctrl-C would reach it twice, and end it without its weights.
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
                )
            except (OSError, ValueError) as error:  # ValueError: text that no argument can hold
                errors.close()
                reason = error.strerror if isinstance(error, OSError) else error
                raise TrainingError(f"the training cannot be started ({reason}); change it, or try again") from None
            self._count += 1
            self._children[self._count] = _Child(self._count, tuple(words), process, errors, done)
            number = self._count
        self._publish()
        return number

    def stop(self, number: int) -> None:
        """Interrupts a training, as Ctrl-C does: its run can be resumed.

        Raises:
            TrainingError: it is not of this page, or has ended.
        """
        with self._lock:
            child = self._children.get(number)
            if child is None:
                raise TrainingError("this training has ended already")
            if not child.stopping:  # another interruption would end it without its weights
                child.stopping = True
                _interrupt(child.process)
        self._publish()

    def _work(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                over = [child for child in self._children.values() if child.process.poll() is not None]
                for child in over:
                    del self._children[child.number]
            for child in over:
                code = child.process.returncode
                end = {"number": child.number, "words": child.words, "state": "finished" if code == 0 else "ended", "text": ""}
                self._last = [*self._last, {**end, "text": child.last_words() if code else ""}][-MOST:]
                child.errors.close()
                child.done()
            if over:
                self._publish()
            self._ended.wait(_POLL)

    def _publish(self) -> None:
        with self._lock:
            running = [
                {"number": child.number, "words": child.words, "state": "stopping" if child.stopping else "running", "text": ""}
                for child in self._children.values()
            ]
        self._hub.publish("started", [*self._last, *running])


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
