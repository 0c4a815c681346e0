"""The directory of a sweep: what it computes, what was computed, and a lock that a dead process cannot keep."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mtjlearn.runs.storage import Lock, LockedError, describe, plain, write_atomic
from mtjlearn.sweeps.journal import JOURNAL, Journal, read_journal
from mtjlearn.sweeps.points import Point, Scalar, SweepError, digest, key_of

DESCRIPTION = "sweep.json"
LOCK = "lock"
FORMAT = 1
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Description:
    """What a sweep computes.

    Args:
        task: module and name of what computes a run.
        settings: what all runs share, and the points do not say.
        points: all points of the sweep.
        versions: of the packages that computed the first runs.
    """

    task: str
    settings: dict[str, Any]
    points: list[dict[str, Scalar]]
    versions: dict[str, str]

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters; the seed among them where there is one."""
        return list(self.points[0])

    @property
    def meaning(self) -> str:
        """Identifies task and settings: runs with another meaning are not runs of this sweep."""
        return digest({"task": self.task, "settings": self.settings})


class Store:
    """A sweep's directory, open for writing; a context manager that closes it.

    Args:
        directory: made if it does not exist.
        task: module and name of what computes a run.
        settings: what all runs share.
        points: as :func:`mtjlearn.sweeps.points.normalise` returns them; points that are new are added to the sweep.

    Raises:
        SweepError: another process writes to it, it holds another sweep or something else, or it cannot be written.
    """

    def __init__(self, directory: Path, task: str, settings: Mapping[str, Any], points: Sequence[Point]) -> None:
        self.directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(directory)
            self._lock = Lock(directory / LOCK)
        except LockedError:
            raise SweepError(f"{directory} is in use by another process; wait for it or stop it") from None
        except OSError as error:
            raise SweepError(describe(directory / LOCK, error)) from None
        try:
            self.description = self._describe(task, dict(plain(settings)), [dict(point) for point in points])
            self.records, self.damaged = read_records(directory, self.description)
            self._journal = Journal(directory / JOURNAL)
        except BaseException:
            self._lock.release()
            raise

    def add(self, point: Point, record: Mapping[str, Any]) -> None:
        """Keeps what came of a run: ``status``, ``numbers``, ``error``, ``seconds``.

        Raises:
            SweepError: it cannot be written.
        """
        self._journal.append({"sweep": self.description.meaning, "point": dict(point), **record})
        self.records[key_of(point)] = dict(record)

    def close(self) -> None:
        """Closes journal and lock."""
        try:
            self._journal.sync()
        except OSError as error:
            raise SweepError(describe(self.directory / JOURNAL, error)) from None
        finally:
            self._journal.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _describe(self, task: str, settings: dict[str, Any], points: list[dict[str, Scalar]]) -> Description:
        path = self.directory / DESCRIPTION
        asked = Description(task, settings, points, _versions())
        if not path.exists():
            _write(path, asked)
            return asked
        known = read_description(self.directory)
        _compare(self.directory, known, asked)
        keys = {key_of(point) for point in known.points}
        added = [{name: point[name] for name in known.parameters} for point in points if key_of(point) not in keys]
        if not added:
            return known
        extended = Description(known.task, known.settings, [*known.points, *added], known.versions)
        _write(path, extended)
        return extended


def read_description(directory: Path) -> Description:
    """What the sweep in this directory computes.

    Raises:
        SweepError: it is not a sweep, or the description is damaged.
    """
    path = directory / DESCRIPTION
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
        if content["format"] != FORMAT:
            raise SweepError(f"{path} was written by another version of mtjlearn; use that version or another directory")
        names, columns = content["parameters"], content["points"]
        points = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        description = Description(content["task"], content["settings"], points, content["versions"])
        if not points or content["meaning"] != description.meaning:
            raise ValueError("it does not describe itself")
        return description
    except FileNotFoundError:
        raise SweepError(f"{directory} is not a sweep: {DESCRIPTION} is missing") from None
    except OSError as error:
        raise SweepError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        advice = "remove it and give all options of the sweep again; finished runs are kept"
        raise SweepError(f"{path} is damaged ({error}); {advice}") from None


def read_records(directory: Path, description: Description) -> tuple[dict[str, dict[str, Any]], int]:
    """What came of each finished run, by the key of its point, and the number of lines of the journal that are damaged.

    Raises:
        SweepError: the journal cannot be read.
    """
    lines, damaged = read_journal(directory / JOURNAL)
    keys = {key_of(point) for point in description.points}
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line.pop("sweep", None) != description.meaning or not isinstance(point := line.pop("point", None), dict):
            damaged += 1
        elif (key := key_of(point)) in keys:
            found[key] = line
    return found, damaged


def _refuse_foreign(directory: Path) -> None:
    names = {path.name for path in directory.iterdir()}
    if names and not names & {DESCRIPTION, JOURNAL, LOCK}:
        raise SweepError(f"{directory} holds other files and is not a sweep; choose another directory")


def _compare(directory: Path, known: Description, asked: Description) -> None:
    if known.task != asked.task:
        raise SweepError(f"{directory} holds a sweep of {known.task}, not of {asked.task}; choose another directory")
    if known.versions.get("mtjlearn") != asked.versions["mtjlearn"]:
        before, here = known.versions.get("mtjlearn"), asked.versions["mtjlearn"]
        raise SweepError(f"{directory} was begun with mtjlearn {before}, and this is {here}; use that version or another directory")
    if known.settings != asked.settings:
        names = sorted(known.settings.keys() | asked.settings.keys())
        name = next(name for name in names if known.settings.get(name) != asked.settings.get(name))
        was, now = known.settings.get(name), asked.settings.get(name)
        raise SweepError(f"{directory} holds a sweep with {name} = {was}, not {now}; choose another directory")
    if set(known.parameters) != set(asked.parameters):
        was, now = (", ".join(description.parameters) for description in (known, asked))
        raise SweepError(f"{directory} holds a sweep over {was}, not over {now}; choose another directory")


def _write(path: Path, description: Description) -> None:
    content = {
        "format": FORMAT,
        "task": description.task,
        "settings": description.settings,
        "meaning": description.meaning,
        "versions": description.versions,
        "parameters": description.parameters,
        "points": [[point[name] for point in description.points] for name in description.parameters],
    }
    try:
        write_atomic(path, json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise SweepError(describe(path, error)) from None


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("mtjlearn", "numpy")}
