"""A run continues with what it began with: the same data, and the same firmware if it is the same board.

Both are in meta.json. What differs is refused, unless it is accepted; then meta.json keeps what it was before.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtjlearn.board import BoardInfo
from mtjlearn.runs import Run, RunError, read_meta, read_metrics
from mtjlearn.training.plan import Plan

ACCEPT = "--accept-changed-data"
_SHOWN = 12
"""Digits of a digest that a message shows."""


class ChangedError(RunError):
    """The data or the firmware are not those that the run began with."""


def refuse_changed_data(plan: Plan, path: Path) -> None:
    """Refuses to continue with other data, before the run directory is written to.

    Raises:
        ChangedError: the data have another digest.
        RunError: meta.json is missing or damaged.
        DatasetError: the data cannot be read.
    """
    _compare_data(read_meta(path), plan, path)


def own_data(plan: Plan, run: Run, note: Callable[[str], None], *, accept: bool) -> bool:
    """Writes the digest of a run's data to its meta.json, or compares it.

    Returns:
        Whether the run knew its data: those of version 0.1.0 do not.

    Raises:
        ChangedError: another digest is there, and it is not accepted.
    """
    dataset = plan.dataset
    found = {"digest": dataset.digest, "samples": len(dataset.train_rows) + len(dataset.test_rows)}
    before = run.meta.get("data")
    if before is None:
        if read_metrics(run.path):  # resumed, not new
            note("the run has no digest of its data (version 0.1.0 wrote none): changes cannot be detected")
        run.update(data=found)
        return False
    try:
        _compare_data(run.meta, plan, run.path)
    except ChangedError:
        if not accept:
            raise
        _accept(run, {"data": before}, data=found)
        note("the data have changed since the run began; meta.json records it")
    return True


def own_firmware(run: Run, info: BoardInfo, note: Callable[[str], None], *, accept: bool) -> None:
    """Writes what the board is to meta.json; the same board with another firmware is refused.

    Raises:
        ChangedError: the firmware has another build id, and it is not accepted.
    """
    before = run.meta.get("board")
    if not isinstance(before, dict) or before.get("name") != info.name or before.get("build") == info.build:
        run.update(board=info)
        return
    changed = f"the firmware of {info.name} is build {info.build}, and {run.path} began with {before.get('build')}"
    if not accept:
        raise ChangedError(f"{changed}; flash that build, start a new run, or continue with {ACCEPT}")
    _accept(run, {"board": before}, board=info)
    note(changed)


def _compare_data(meta: dict[str, Any], plan: Plan, path: Path) -> None:
    before, digest = meta.get("data"), plan.dataset.digest
    if before is None:
        return
    if not isinstance(before, dict) or not isinstance(before.get("digest"), str):
        raise RunError(f"{path / 'meta.json'} is damaged (no digest of the data); start a new run")
    if before["digest"] != digest:
        raise ChangedError(
            f"{plan.data} is not the data that {path} began with (digest {digest[:_SHOWN]} instead of "
            f"{before['digest'][:_SHOWN]}); bring them back, start a new run, or continue with {ACCEPT}"
        )


def _accept(run: Run, before: dict[str, Any], **now: Any) -> None:
    at = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    run.update(accepted_changes=[*run.meta.get("accepted_changes", []), {"at": at, **before}], **now)
