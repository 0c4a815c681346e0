"""Shows the progress of a board that learns autonomously, also after it was away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from mtjlearn import interruption
from mtjlearn.board import Board, BoardError, Progress
from mtjlearn.cli.view import autonomous as view
from mtjlearn.cli.view.console import Bar, bar, console, say
from mtjlearn.training.watched import WatchedRun
from mtjlearn.wire.errors import BoardRefused, ImplausibleAnswer, VersionMismatch

POLL = 0.5
"""Seconds between two questions."""
RETRY = 1.0
"""Seconds between two attempts to find a board that is away."""
STALLED = 20.0
"""Seconds without a step after which a board that should learn is reported, once."""
MOST_MUTE = 3
"""Sessions one after the other in which a board leaves a question unanswered, at most: waiting does not mend it."""
_STALLED_ADVICE = "if it stays so, end this with Ctrl-C and check its noise with mtjlearn noise"


class Watcher:
    """Follows a board that learns autonomously.

    Args:
        find: opens the board.
        record: keeps what is seen in a run directory.
    """

    def __init__(self, find: Callable[[], Board], record: WatchedRun) -> None:
        self._find = find
        self._record = record
        self._starts: int | None = None
        """Of the board when it was last seen; None: never."""
        self._mute = 0
        """Sessions since the board last answered all that it was asked."""
        self._shown = ExitStack()
        self.result: dict[str, Any] = {}
        """What was seen last, as ``--json`` prints it."""

    def watch(self) -> None:
        """Returns when the board has stopped.

        Raises:
            BoardError: it was never there, it leaves questions unanswered, or its firmware does not learn autonomously.
        """
        away: str | None = None
        while True:
            try:
                with self._find() as opened:
                    if away is not None:
                        restarted = opened.info.boot_count != self._starts
                        say(f"the board is back; {view.RESTORED[opened.info.restored] if restarted else 'it had not restarted'}")
                    away, self._starts, self._mute = None, opened.info.boot_count, self._mute + 1
                    self._follow(opened)
                    return
            except (BoardRefused, ImplausibleAnswer, VersionMismatch):
                raise  # which waiting does not fix
            except BoardError as error:
                if self._starts is None:
                    raise
                if self._mute >= MOST_MUTE:
                    advice = "reset it, or flash it again"
                    raise BoardError(f"the board connects, but does not answer all questions ({error}); {advice}") from None
                if away is None:
                    say(f"{error}; waiting for the board")
                away = str(error)
                time.sleep(RETRY)
                interruption.check()
            finally:
                self._shown.close()

    def _follow(self, board: Board) -> None:
        shown = self._shown.enter_context(bar("learning"))
        place: object = None
        while True:
            progress, curve = board.progress(), board.curve()
            now = (progress.activity, progress.epoch, progress.position, progress.steps)
            if now != place:
                place, reported = now, time.monotonic() + STALLED
            elif time.monotonic() >= reported:
                say(f"no step for {STALLED:g} s, although the board is {progress.activity.name.lower()}; {_STALLED_ADVICE}")
                reported = math.inf
            self.result = {"progress": progress, "curve": view.plain_curve(curve)}
            self._record.see(board.info, progress, curve)
            self._update(shown, progress, view.sparkline(curve.losses))
            if not progress.running:
                self._record.finish(progress)
                self._shown.close()
                self.result = view.read(board)
                view.show(self.result)
                return
            self._mute = 0
            time.sleep(POLL)

    def _update(self, shown: Bar, progress: Progress, line: str) -> None:
        parts = [f"epoch {progress.epoch:,}"]
        parts += [f"loss {progress.epoch_loss:.4f}"] if progress.epoch_loss is not None else []
        parts += [f"{progress.accuracy:.1%} correct"] if progress.accuracy is not None else []
        parts += [line] if console().encoding.lower().startswith("utf") else []
        shown.update(progress.steps, progress.total or progress.steps, "  ".join(parts))
