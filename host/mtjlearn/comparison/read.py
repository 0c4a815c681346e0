"""Reads the runs of trainings: what was asked, what was recorded, what was found."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.runs import RunError, read_config, read_meta, read_metrics
from mtjlearn.schedule import schedule_of

LOSSES = ("loss", "reference_loss")
"""One of these is in the metrics of every training."""


class ComparisonError(RunError):
    """A run that is not a training's, or has recorded nothing; the text says what to do."""


@dataclass(frozen=True)
class TrainingRun:
    """A training's run directory.

    Args:
        path: of it.
        command: what made it, ``train`` or ``demo``.
        data: short name of the data.
        seed: of the run.
        started: in seconds since 1970.
        state: running, finished, interrupted or failed.
        settings: what was asked, by names such as ``network.sizes``.
        records: of metrics.jsonl, oldest first.
        result: what it found; empty until it finished.
    """

    path: Path
    command: str
    data: str
    seed: int
    started: float
    state: str
    settings: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]
    result: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of its directory."""
        return self.path.resolve().name

    def points(self, number: str) -> list[tuple[int, float]]:
        """Steps and values of a number in the metrics, by steps; where several records have the same step the last one counts."""
        found: dict[int, float] = {}
        for record in self.records:
            step, value = record.get("step"), record.get(number)
            if _is_number(step) and _is_number(value):
                found[int(step)] = float(value)  # type: ignore[arg-type]
        return sorted(found.items())


def read_training(path: Path) -> TrainingRun:
    """Reads a run directory.

    Raises:
        ComparisonError: it is not a training's, or has recorded nothing yet.
        RunError: it is not a run, or damaged.
    """
    meta = read_meta(path)
    records = tuple(read_metrics(path))
    if not any(_is_number(record.get(name)) for record in records for name in LOSSES):
        raise ComparisonError(
            f"{path} has no loss curve ({meta['command']}, {meta['state']}); name runs of mtjlearn train, which mtjlearn runs lists"
        )
    return TrainingRun(
        path,
        meta["command"],
        meta["name"],
        meta["seed"],
        _moment(meta["started"]),
        meta["state"],
        _settings(read_config(path)),
        records,
        meta["result"],
    )


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by names with dots; a rate's schedule is named in older runs, too."""
    named = {name: value for name, value in config.items() if name != "falling"} | {"schedule": schedule_of(config)}
    return dict(_flat(named))


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _moment(started: str) -> float:
    try:
        return datetime.datetime.fromisoformat(started).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
