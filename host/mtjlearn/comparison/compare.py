"""Runs that differ in nothing but their seeds belong together; groups of them are compared. Computing only; plot draws it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.comparison.read import TrainingRun

CURVES = ("loss", "reference_loss", "test_accuracy", "reference_test_accuracy")
NUMBERS = ("loss", "test_accuracy", "test_r2", "reference_loss", "reference_test_accuracy", "reference_test_r2", "steps")
"""What is compared of each run: from its result, or while it has none, the last that was recorded."""
_OF_A_SEED = ("seed", "network.seed")
_SPOKEN = {
    "network.sizes": "net",
    "network.learning_rate": "eta",
    "network.decorrelation_rate": "epsilon",
    "network.weight_format": "weights",
    "floats.reading": "as",
}
_FIRST = ("data", "rule", "board", "network.sizes", "network.loss", "network.learning_rate", "network.sigma", "epochs")
"""Settings that say best what is different, in this order; others follow by name."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """A number over runs.

    Args:
        mean: of the runs that have it.
        low: the smallest.
        high: the largest.
        deviation: standard deviation of the sample; 0 of a single run.
        runs: how many have it.
    """

    mean: float
    low: float
    high: float
    deviation: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of some numbers, at least one."""
        array = np.array(values, dtype=np.float64)
        deviation = float(array.std(ddof=1)) if array.size > 1 else 0.0
        return cls(float(array.mean()), float(array.min()), float(array.max()), deviation, array.size)


@dataclass(frozen=True)
class Curve:
    """A curve with its band.

    Args:
        steps: training steps, shape (points,).
        mean: over the runs that have come this far, shape (points,).
        low: the smallest of them.
        high: the largest of them.
        runs: of how many runs it is.
    """

    steps: Array
    mean: Array
    low: Array
    high: Array
    runs: int


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seeds.

    Args:
        label: what tells it from the other groups.
        runs: the run directories.
        seeds: of the runs.
        states: of the runs.
        numbers: what they found, by names of :data:`NUMBERS`.
        curves: by names of :data:`CURVES`; those that have points.
    """

    label: str
    runs: tuple[Path, ...]
    seeds: tuple[int, ...]
    states: tuple[str, ...]
    numbers: Mapping[str, Spread]
    curves: Mapping[str, Curve]


@dataclass(frozen=True)
class Comparison:
    """Groups, in the order in which their first runs were named, and the settings that differ, with a value for each group."""

    groups: tuple[Group, ...]
    different: Mapping[str, tuple[Any, ...]]


def compare(runs: Sequence[TrainingRun]) -> Comparison:
    """Compares runs of trainings, at least one; one that is given twice counts once."""
    unique = {run.path.resolve(): run for run in runs}
    members: dict[str, list[TrainingRun]] = {}
    for run in unique.values():
        members.setdefault(_key(run), []).append(run)
    groups = list(members.values())
    different = _different([group[0] for group in groups])
    labels = _labels([group[0] for group in groups], different)
    return Comparison(tuple(_group(label, group) for label, group in zip(labels, groups, strict=True)), different)


def _key(run: TrainingRun) -> str:
    return json.dumps([run.data, _settings(run)], sort_keys=True, default=str)


def _settings(run: TrainingRun) -> dict[str, Any]:
    return {name: value for name, value in run.settings.items() if name not in _OF_A_SEED and not name.startswith("start.")} | {
        "continued": run.settings.get("start.epochs")
    }


def _different(firsts: Sequence[TrainingRun]) -> dict[str, tuple[Any, ...]]:
    settings = [_settings(run) for run in firsts]
    names = sorted(set().union(*settings), key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    columns = {name: tuple(each.get(name) for each in settings) for name in names}
    return {name: values for name, values in columns.items() if any(value != values[0] for value in values)}


def _labels(firsts: Sequence[TrainingRun], different: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The fewest settings that tell the groups apart, the telling ones first."""
    chosen: list[str] = []
    apart = 1
    for name, values in different.items():
        found = len({str([different[other][place] for other in chosen] + [values[place]]) for place in range(len(firsts))})
        if found > apart:
            chosen.append(name)
            apart = found
    if not chosen:
        return [run.data for run in firsts]
    return [
        ", ".join(_spoken(name, different[name][place], run) for name in chosen if name != "data" or different[name][place])
        for place, run in enumerate(firsts)
    ]


def _spoken(name: str, value: Any, run: TrainingRun) -> str:
    if name == "data":
        return run.data
    if name == "continued":
        return "from the start" if value is None else f"continued after {value} epochs"
    text = (
        "-".join(map(str, value)) if name == "network.sizes" else f"{value:.4g}" if isinstance(value, float) else str(value).lower()
    )
    return f"{_SPOKEN.get(name, name.rpartition('.')[2].replace('_', ' '))} {text if value is not None else 'default'}"


def _group(label: str, runs: Sequence[TrainingRun]) -> Group:
    ordered = sorted(runs, key=lambda run: run.seed)
    numbers = {name: [value for run in ordered if (value := _number(run, name)) is not None] for name in NUMBERS}
    curves = {name: curve for name in CURVES if (curve := _curve([run.points(name) for run in ordered])) is not None}
    return Group(
        label,
        tuple(run.path for run in ordered),
        tuple(run.seed for run in ordered),
        tuple(run.state for run in ordered),
        {name: Spread.of(values) for name, values in numbers.items() if values},
        curves,
    )


def _number(run: TrainingRun, name: str) -> float | None:
    found = run.result.get(name)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    if name == "steps":
        steps = [step for curve in ("loss", "reference_loss") for step, _ in run.points(curve)[-1:]]
        return float(max(steps)) if steps else None
    points = run.points(name)
    return points[-1][1] if points else None


def _curve(runs: Sequence[Sequence[tuple[int, float]]]) -> Curve | None:
    """The runs on the union of their steps, between which they are interpolated; a run counts as far as it has come."""
    present = [np.array(points, dtype=np.float64) for points in runs if points]
    if not present:
        return None
    steps = np.unique(np.concatenate([points[:, 0] for points in present]))
    values = np.array([np.interp(steps, points[:, 0], points[:, 1], left=np.nan, right=np.nan) for points in present])
    return Curve(steps, np.nanmean(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0), len(present))
