"""Writes run directories, and lists them."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import tomli_w

from mtjlearn.runs.files import (
    CONFIG,
    LINK_LOG,
    LOCK,
    META,
    METRICS,
    START,
    WEIGHTS,
    Checkpoint,
    RunError,
    State,
    read_checkpoint,
    read_config,
    read_meta,
    read_metrics,
)
from mtjlearn.runs.storage import (
    Lock,
    LockedError,
    describe,
    is_locked,
    open_own,
    overwrite,
    plain,
    sync_directory,
    write_atomic,
)

_LIBRARIES = ("mtjlearn", "numpy", "scikit-learn", "pyserial")
_NAME = re.compile(r"(?P<day>\d{8})-(?P<time>\d{6})-(?P<command>[^-]+)-(?P<name>.+)-s(?P<seed>\d+)(-\d+)?")


@dataclass(frozen=True)
class RunSummary:
    """A line of a list of runs.

    Args:
        path: the run directory.
        command: what made it, e.g. ``train``.
        name: of what, e.g. ``iris``.
        seed: the run's seed.
        started: start in local time with its offset from UTC (ISO 8601).
        state: ``interrupted`` also when the process died without saying so; ``damaged`` if meta.json is unreadable.
        result: what the run found; empty until it finished.
        problems: what is damaged, one sentence each.
    """

    path: Path
    command: str
    name: str
    seed: int | None
    started: str
    state: State | Literal["damaged"]
    result: dict[str, Any]
    problems: tuple[str, ...] = ()


class Run:
    """A run directory that this process may write to; close it with finish, interrupt or fail, or use it in ``with``.

    Leaving a ``with`` block without having closed the run marks it as interrupted, by an exception as failed. A new run that
    fails before keep() was called leaves no directory.
    """

    def __init__(self, path: Path, lock: Lock, meta: dict[str, Any], *, kept: bool) -> None:
        self.path = path
        self._lock = lock
        self._meta = meta
        self._kept = kept
        self._metrics = open_own(path / METRICS, os.O_APPEND)
        self._directory = os.open(path, os.O_RDONLY) if os.open in os.supports_dir_fd else None
        self._open = True
        _cut_torn_line(self._metrics)

    @classmethod
    def create(
        cls,
        root: Path,
        command: str,
        name: str,
        seed: int,
        config: Mapping[str, Any],
        start: Checkpoint | None = None,
        **meta: Any,
    ) -> Run:
        """Makes ``root/<date>-<time>-<command>-<name>-s<seed>``; a number is appended if it exists.

        The directory appears with its config.toml, meta.json and start.npz already in it.

        Args:
            root: directory of all runs; made if it does not exist.
            command: what is run.
            name: on what; characters unfit for a file name become dashes.
            seed: the run's seed.
            config: what was asked; entries that are None are omitted.
            start: what it begins with, if another run learned that.
            meta: more for meta.json, e.g. ``board={...}``.

        Raises:
            RunError: if the directory cannot be written.
        """
        now = datetime.datetime.now().astimezone()
        content = {
            "command": command,
            "name": name,
            "seed": seed,
            "state": "running",
            "started": now.isoformat(timespec="seconds"),
            "ended": None,
            "versions": _versions(),
            "platform": platform.platform(),
            "result": {},
            "error": None,
            **plain(meta),
        }
        stem = f"{now:%Y%m%d-%H%M%S}-{_file_name(command)}-{_file_name(name)}-s{seed}"
        path = root / f".{stem}-{os.getpid()}"
        try:
            path.mkdir(parents=True)
            write_atomic(path / CONFIG, tomli_w.dumps(_without_none(plain(config))).encode())
            write_atomic(path / META, _json(content).encode())
            if start is not None:
                write_atomic(path / START, start.pack())
            path = _rename_to_free_name(path, root / stem)
            sync_directory(root)
            return cls(path, Lock(path / LOCK), content, kept=False)
        except BaseException as error:
            shutil.rmtree(path, ignore_errors=True)
            if isinstance(error, OSError):
                reason = error.strerror or error
                raise RunError(f"no run directory can be made in {root}: {reason}; make room or use --runs") from None
            raise

    @classmethod
    def open(cls, path: Path) -> Run:
        """Opens a run to continue it; its state becomes running, and a metrics record marks the place.

        Raises:
            RunError: if it is not a run, is damaged, is finished, or another process writes to it.
        """
        read_meta(path)  # so that no lock is made in a directory that is not a run
        try:
            lock = Lock(path / LOCK)
        except LockedError:
            raise RunError(f"{path} is in use by another process; wait for it or stop it") from None
        except OSError as error:
            raise RunError(describe(path / LOCK, error)) from None
        try:
            meta = read_meta(path)
            if meta["state"] == "finished":
                raise RunError(f"{path} is finished; start a new run")
            read_config(path)
            checkpoint = read_checkpoint(path)
            run = cls(path, lock, meta, kept=True)
        except OSError as error:
            lock.release()
            raise RunError(describe(path / METRICS, error)) from None
        except BaseException:
            lock.release()
            raise
        alone = {"reference": True} if checkpoint is not None and checkpoint.is_float else {}
        try:
            run.metric(event="resumed", step=0 if checkpoint is None else checkpoint.steps, **alone)
            run.update(state="running", ended=None, error=None)
        except BaseException:
            run._release()
            raise
        return run

    def __repr__(self) -> str:
        return f"<Run {self.path}, {self._meta['state']}>"

    @property
    def link_log(self) -> Path:
        """Where the transport writes its raw log.

        Raises:
            RunError: if it is a link, which may lead out of the run.
        """
        path = self.path / LINK_LOG
        if path.is_symlink():
            raise RunError(f"{path} is a link; remove it")
        return path

    @property
    def config(self) -> dict[str, Any]:
        """What was asked."""
        return read_config(self.path)

    @property
    def meta(self) -> dict[str, Any]:
        """What meta.json holds."""
        return dict(self._meta)

    def metric(self, **values: Any) -> None:
        """Appends a record to metrics.jsonl; it is with the operating system when this returns.

        The names that plots know: step, loss, reference_loss, test_accuracy, reference_test_accuracy.

        Raises:
            RunError: if it cannot be written; nothing of it is.
        """
        line = (json.dumps(plain(values), allow_nan=False) + "\n").encode()
        whole = os.lseek(self._metrics, 0, os.SEEK_END)
        try:
            while line:
                line = line[os.write(self._metrics, line) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._metrics, whole)
            raise RunError(describe(self.path / METRICS, error)) from None

    def save_weights(self, checkpoint: Checkpoint) -> None:
        """Replaces the checkpoint; metrics up to here are on the disk before it is.

        Raises:
            RunError: if it cannot be written; the last one is kept.
        """
        try:
            os.fsync(self._metrics)
            write_atomic(self.path / WEIGHTS, checkpoint.pack())
        except OSError as error:
            raise RunError(describe(self.path / WEIGHTS, error)) from None

    def load_weights(self) -> Checkpoint | None:
        """The last checkpoint; None if there is none yet.

        Raises:
            RunError: if it is damaged.
        """
        return read_checkpoint(self.path)

    def load_start(self) -> Checkpoint | None:
        """What the run began with; None if it began with new weights.

        Raises:
            RunError: if it is damaged.
        """
        return read_checkpoint(self.path, START)

    def update(self, **values: Any) -> None:
        """Sets entries of meta.json, e.g. ``board={...}``.

        Raises:
            RunError: if it cannot be written.
        """
        self._meta.update(plain(values))
        try:
            write_atomic(self.path / META, _json(self._meta).encode())
        except OSError as error:
            if not self._overwrite_meta():
                raise RunError(describe(self.path / META, error)) from None

    def keep(self) -> None:
        """From here on the directory stays, however the run ends."""
        self._kept = True

    def _overwrite_meta(self) -> bool:
        """Writes meta.json without new room, and where the directory is by now; whether that was possible."""
        try:
            descriptor = os.open(META, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), dir_fd=self._directory)
        except (OSError, NotImplementedError):
            return False
        try:
            return overwrite(descriptor, json.dumps(self._meta, allow_nan=False).encode())
        finally:
            os.close(descriptor)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Marks the run as finished, with its result, and closes it."""
        self._close("finished", result=plain(result))

    def interrupt(self) -> None:
        """Marks the run as interrupted, to be resumed, and closes it."""
        self._close("interrupted")

    def fail(self, text: str) -> None:
        """Marks the run as failed, with the reason, and closes it."""
        self._close("failed", error=text)

    def _close(self, state: State, **values: Any) -> None:
        if not self._open:
            raise RunError(f"{self.path} is closed already")
        self._open = False
        try:
            with suppress(OSError):
                os.fsync(self._metrics)
            self.update(state=state, ended=datetime.datetime.now().astimezone().isoformat(timespec="seconds"), **values)
        finally:
            self._release()

    def _release(self) -> None:
        self._open = False
        os.close(self._metrics)
        if self._directory is not None:
            os.close(self._directory)
        self._lock.release()

    def _discard(self) -> None:
        self._release()
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._open:
            return
        if error is None:
            self.interrupt()
        elif isinstance(error, Exception) and not self._kept:
            self._discard()
        else:
            # The error that ended the run is the one to report; a lock that nobody holds shows that it ended.
            with suppress(RunError):
                self._close_after(error)

    def _close_after(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self.fail(str(error) or type(error).__name__)
        else:
            self.interrupt()


def is_running(path: Path) -> bool:
    """Whether a process writes to the run in this directory."""
    return is_locked(path / LOCK)


def list_runs(root: Path) -> list[RunSummary]:
    """All runs in a directory, newest first; damaged ones are listed with what is wrong. Nothing is changed.

    Raises:
        RunError: if the directory exists and cannot be read.
    """
    try:
        paths = sorted((path for path in root.iterdir() if path.is_dir()), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{root} cannot be read: {error.strerror or error}") from None
    return [
        _summarise(path)
        for path in paths
        if not path.name.startswith(".") and (_NAME.fullmatch(path.name) or (path / META).exists())
    ]


def _summarise(path: Path) -> RunSummary:
    problems: list[str] = []
    for read in (read_config, read_metrics, read_checkpoint):
        try:
            read(path)
        except RunError as error:
            problems.append(str(error))
    try:
        meta = read_meta(path)
    except RunError as error:
        problems.insert(0, str(error))
        parts = _NAME.fullmatch(path.name)
        if parts is None:
            return RunSummary(path, "", path.name, None, "", "damaged", {}, tuple(problems))
        started = datetime.datetime.strptime(f"{parts['day']}{parts['time']}", "%Y%m%d%H%M%S").isoformat()
        return RunSummary(path, parts["command"], parts["name"], int(parts["seed"]), started, "damaged", {}, tuple(problems))
    state = meta["state"]
    if state == "running" and not is_running(path):
        state = "interrupted"
    return RunSummary(path, meta["command"], meta["name"], meta["seed"], meta["started"], state, meta["result"], tuple(problems))


def _cut_torn_line(descriptor: int) -> None:
    """Removes what follows the last line end, so that the next record starts a line."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = bytearray()
    while len(content) < size and (block := os.read(descriptor, size - len(content))):
        content += block
    os.ftruncate(descriptor, content.rfind(b"\n") + 1)


def _rename_to_free_name(draft: Path, wanted: Path) -> Path:
    path, number = wanted, 1
    while True:
        if not path.exists():
            try:
                draft.rename(path)
                return path
            except OSError:
                if not path.exists():
                    raise
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:40] or "unnamed"


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    return value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            versions[library] = "not installed"
    return versions
