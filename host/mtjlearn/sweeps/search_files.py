"""The directory of a search: what it searches, and locks that several processes share and a dead one cannot keep."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtjlearn import interruption
from mtjlearn.runs.storage import Lock, LockedError, describe, write_atomic
from mtjlearn.sweeps.points import RESERVED, SEED, Scalar, SweepError
from mtjlearn.sweeps.store import DESCRIPTION

SEARCH = "search.json"
LOCK = "search.lock"
TRIAL = "trial"
FORMAT = 1
_PAUSE = 0.01


@dataclass(frozen=True)
class Interval:
    """Values of a parameter between two ends, both included.

    Args:
        low: smallest value.
        high: largest value.
        log: equal ratios are equally likely, not equal distances.
        integer: whole numbers only.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False


Space = Mapping[str, Interval | Sequence[Scalar]]


@dataclass(frozen=True)
class Search:
    """What search.json holds, and what may not change; see :func:`mtjlearn.sweeps.search.run_search`."""

    task: str
    settings: dict[str, Any]
    space: dict[str, Any]
    objective: str
    maximise: bool
    seeds: list[int]
    seed: int
    together: int


class JournalLock:
    """Optuna's lock around a write, which a dead process cannot keep; it also removes the line that such a process has torn."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock: Lock | None = None

    def acquire(self) -> bool:
        """Waits for the lock."""
        self._lock = _wait_for(self._journal.with_suffix(".lock"))
        with self._journal.open("r+b") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole != len(content):
                file.truncate(whole)
        return True

    def release(self) -> None:
        """Gives it back."""
        assert self._lock is not None
        self._lock.release()


def _wait_for(path: Path) -> Lock:
    while True:
        with suppress(LockedError):
            return Lock(path)
        interruption.check()
        time.sleep(_PAUSE)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds the lock of this file, after waiting for it."""
    lock = _wait_for(path)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """A disk that is full is reported in one line."""
    try:
        yield
    except OSError as error:
        raise SweepError(describe(path, error)) from None


def read_search(directory: Path) -> tuple[Search, int]:
    """What search.json holds: the search, and its number of trials.

    Raises:
        SweepError: it is missing or damaged.
    """
    path = directory / SEARCH
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise SweepError(f"{path} was written by another version of mtjlearn; use that version or another directory")
        return Search(**content["search"]), int(content["trials"])
    except FileNotFoundError:
        raise SweepError(f"{directory} is not a search: {SEARCH} is missing") from None
    except OSError as error:
        raise SweepError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SweepError(f"{path} is damaged ({error}); begin a new search in another directory") from None


def space_of(described: Mapping[str, Any]) -> dict[str, Interval | list[Scalar]]:
    """The space that search.json describes."""
    return {name: Interval(**values) if isinstance(values, dict) else list(values) for name, values in described.items()}


def write_search(folder: Path, search: Search, trials: int) -> None:
    """Makes the directory of a search, or compares what is there; more trials extend it.

    Raises:
        SweepError: it holds another search or something else, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        if DESCRIPTION in names:
            raise SweepError(f"{folder} holds a sweep of a grid; choose another directory")
        if names and not names & {SEARCH, LOCK}:
            raise SweepError(f"{folder} holds other files and is not a search; choose another directory")
        with held(folder / LOCK):
            before = 0
            if (folder / SEARCH).exists():
                known, before = read_search(folder)
                _compare(folder, asdict(known), json.loads(json.dumps(asdict(search))))
            if trials > before:
                content = {"format": FORMAT, "search": asdict(search), "trials": trials}
                write_atomic(folder / SEARCH, json.dumps(content).encode())
    except OSError as error:
        raise SweepError(describe(folder / SEARCH, error)) from None


def _compare(folder: Path, known: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    for name, value in asked.items():
        if known[name] != value:
            raise SweepError(f"{folder} holds a search with {name} = {known[name]}, not {value}; choose another directory")


def described(name: str, values: Interval | Sequence[Scalar]) -> Any:
    """A parameter's values as search.json describes them.

    Raises:
        SweepError: it has the name of a column.
    """
    if name in (*RESERVED, TRIAL, SEED):
        raise SweepError(f"a parameter of a search cannot be called {name}; rename it")
    return asdict(values) if isinstance(values, Interval) else list(values)
