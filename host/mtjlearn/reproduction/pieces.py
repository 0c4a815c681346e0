"""Computes a figure's pieces in processes of one thread each, and keeps each as soon as it is done.

A piece is a function of a module and its arguments. Its result is a record of the run's metrics, with the source code that it is
of; a run that is continued computes the pieces that are not there, or not of this code. Ctrl-C ends the processes and loses the
pieces they were at.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mtjlearn import interruption
from mtjlearn.errors import UserError
from mtjlearn.firmware import build_ids, firmware_root
from mtjlearn.runs import Run, read_metrics
from mtjlearn.runs.storage import plain
from mtjlearn.sweeps.pool import Here, Local, Pool

Results = dict[str, dict[str, Any]]
"""What was computed, by the key of the piece."""
Progress = Callable[[float, float, str], None]
"""Called with CPU seconds done, CPU seconds in all, both as estimated, and what was done last."""

_Outcome = tuple[Mapping[str, Any], float]
"""Numbers, and the CPU seconds they took, with those of boards' processes."""
_LOOK = 0.2
"""Seconds between two looks for Ctrl-C."""
_EVENT = "piece"


@dataclass(frozen=True)
class Piece:
    """What one process computes in one go.

    Args:
        key: names it within a run, e.g. ``fig5/streamed/20``.
        task: a function of a module that returns numbers, text and lists of them.
        arguments: its keywords.
        seconds: CPU seconds that it takes, about; for the time left.
        alone: it needs a thing of which there is one, such as the board on the desk: no other such piece runs meanwhile.
    """

    key: str
    task: Callable[..., Mapping[str, Any]]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 1.0
    alone: bool = False


def compute(run: Run, pieces: Sequence[Piece], jobs: int, progress: Progress | None = None) -> Results:
    """The results of all pieces; those that the run has are not computed again, unless other source code computed them.

    Args:
        run: keeps them.
        pieces: with keys that differ.
        jobs: processes; 0 computes in this one.
        progress: see :data:`Progress`.

    Raises:
        UserError: what a piece raised; its other pieces are kept.
        KeyboardInterrupt: after Ctrl-C.
    """
    found = stored_in(run.path, source())
    total = sum(piece.seconds for piece in pieces)
    done = sum(piece.seconds for piece in pieces if piece.key in found)
    missing = [piece for piece in pieces if piece.key not in found]
    tell = progress or (lambda *_: None)
    tell(done, total, "")
    for alone, width in ((False, jobs), (True, 1)):
        batch = [piece for piece in missing if piece.alone is alone]
        if not batch:
            continue
        for piece, (numbers, seconds) in _computed(batch, min(width, len(batch))):
            found[piece.key] = plain(numbers)
            run.metric(event=_EVENT, piece=piece.key, source=source(), cpu_seconds=round(seconds, 3), numbers=found[piece.key])
            run.keep()
            done += piece.seconds
            tell(done, total, piece.key)
    return {piece.key: found[piece.key] for piece in pieces}


def stored_in(path: Path, of: str | None = None) -> Results:
    """The pieces that the run in this directory has; with ``of``, those of this :func:`source` alone."""
    return {record["piece"]: record["numbers"] for record in _records(path) if of is None or record.get("source") == of}


def strange_in(path: Path) -> int:
    """How many pieces of the run in this directory are of other source code than this."""
    return len(stored_in(path)) - len(stored_in(path, source()))


@cache
def source() -> str:
    """What computes here: the version of mtjlearn, and a digest of its Python modules, its boards' sources and NumPy's version."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(importlib.metadata.version("numpy").encode())
    digest.update(repr(sorted(build_ids(firmware_root()).items())).encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{importlib.metadata.version('mtjlearn')} {digest.hexdigest()[:16]}"


def cpu_seconds(path: Path) -> dict[str, float]:
    """CPU seconds of each figure's pieces in the run in this directory, by its name; those computed again count again."""
    found: dict[str, float] = {}
    for record in _records(path):
        name = str(record["piece"]).partition("/")[0]
        found[name] = round(found.get(name, 0.0) + record.get("cpu_seconds", 0.0), 1)
    return found


def _records(path: Path) -> Iterator[dict[str, Any]]:
    return (record for record in read_metrics(path) if record.get("event") == _EVENT)


def _computed(batch: Sequence[Piece], workers: int) -> Iterator[tuple[Piece, _Outcome]]:
    """Pieces as they are done; the longest begin first, so that none of them is what everybody waits for at the end."""
    pool: Pool = Local(workers) if workers else Here()
    waiting = deque(sorted(batch, key=lambda piece: -piece.seconds))
    under_way: dict[Future[_Outcome], Piece] = {}
    finished = False
    try:
        while waiting or under_way:
            while waiting and len(under_way) < pool.slots():
                piece = waiting.popleft()
                under_way[pool.submit(_compute, piece.task, dict(piece.arguments))] = piece
            done, _ = wait(under_way, _LOOK, FIRST_COMPLETED)
            interruption.check()
            for future in done:
                error = future.exception()
                if error is not None and pool.death(error):
                    raise UserError("a process died, for lack of memory perhaps; resume with --jobs 1")
                yield under_way.pop(future), future.result()
        finished = True
    finally:
        pool.close(at_once=not finished)


def _compute(task: Callable[..., Mapping[str, Any]], arguments: Mapping[str, Any]) -> _Outcome:
    before = sum(os.times()[:4])
    numbers = task(**arguments)
    return numbers, sum(os.times()[:4]) - before
