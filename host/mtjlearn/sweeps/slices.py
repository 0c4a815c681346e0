"""What a sweep's rows say about its parameters: the best points, and slices through them. Computing only; plots draw it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtjlearn.sweeps.measure import OK
from mtjlearn.sweeps.points import SEED, Scalar, SweepError
from mtjlearn.sweeps.results import Results
from mtjlearn.sweeps.search_files import TRIAL

Spread = Literal["range", "quartiles"]
_LARGER = ("accuracy", "r2")


@dataclass(frozen=True)
class Setting:
    """A point of a sweep over all its seeds.

    Args:
        parameters: of the point, without the seed.
        values: of a number, one for each seed whose run did not fail.
        failed: seeds whose run failed.
    """

    parameters: dict[str, Scalar]
    values: NDArray[np.float64]
    failed: int

    @property
    def mean(self) -> float:
        """Mean over the values; NaN if one is NaN, or all runs failed."""
        return float(np.mean(self.values)) if self.values.size else math.nan


@dataclass(frozen=True)
class Curve:
    """A number over one parameter, the others as they are at the best point.

    Args:
        label: what distinguishes the curve; empty if there is only one.
        fixed: the other parameters.
        x: the parameter's values, ascending.
        middle: medians over the seeds; NaN where all runs failed, shape as x.
        low: smallest values, or lower quartiles.
        high: largest values, or upper quartiles.
    """

    label: str
    fixed: dict[str, Scalar]
    x: list[Any]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """A number over two parameters: medians over the seeds, shape (y values, x values); NaN where there is none."""

    fixed: dict[str, Scalar]
    x: list[Any]
    y: list[Any]
    values: NDArray[np.float64]


def larger_is_better(number: str) -> bool:
    """Whether a number's name says so."""
    return number.endswith(_LARGER)


def varied(results: Results) -> list[str]:
    """Parameters with more than one value, without seeds and numbers of trials."""
    names = [name for name in results.parameters if name not in (SEED, TRIAL)]
    return [name for name in names if len({row[name] for row in results.rows}) > 1]


def is_numeric(results: Results, name: str) -> bool:
    """Whether a parameter's values are numbers."""
    values = [row[name] for row in results.rows if row[name] is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def settings(results: Results, number: str) -> list[Setting]:
    """All points of a sweep over their seeds, in the order of the rows.

    Raises:
        SweepError: the runs have no such number.
    """
    refuse_unknown(results, number)
    names = [name for name in results.parameters if name != SEED]
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in results.rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    found = []
    for key, rows in groups.items():
        values = [row[number] for row in rows if row["status"] == OK and row[number] is not None]
        failed = sum(row["status"] != OK for row in rows)
        found.append(Setting(dict(zip(names, key, strict=True)), np.array(values, dtype=np.float64), failed))
    return found


def ranked(results: Results, number: str, *, maximise: bool | None = None) -> list[Setting]:
    """Points by the mean of a number over their seeds, the best first; then those with failed runs, last those without a mean.

    Args:
        results: of a sweep or a search.
        number: that counts.
        maximise: whether large values are good; None: as its name says.

    Raises:
        SweepError: the runs have no such number.
    """
    sign = -1 if (larger_is_better(number) if maximise is None else maximise) else 1

    def rank(setting: Setting) -> tuple[bool, int, float]:
        mean = setting.mean
        return math.isnan(mean), setting.failed, 0.0 if math.isnan(mean) else sign * mean

    return sorted(settings(results, number), key=rank)


def curves(
    results: Results, x: str, number: str, *, by: str | None = None, spread: Spread = "quartiles", maximise: bool | None = None
) -> list[Curve]:
    """A number over one parameter, through the best point; one curve for each value of ``by``, through the best point that has it.

    Args:
        results: of a sweep.
        x: the parameter that varies.
        number: that is shown.
        by: another parameter.
        spread: bars show all seeds, or the middle half of them.
        maximise: whether large values are good; None: as the number's name says.

    Raises:
        SweepError: there is no such parameter or number.
    """
    refuse_unknown(results, number, x, *([] if by is None else [by]))
    order = ranked(results, number, maximise=maximise)
    found = []
    for value in [None] if by is None else _values(results, by):
        among = order if by is None else [setting for setting in order if setting.parameters[by] == value]
        fixed = {name: entry for name, entry in among[0].parameters.items() if name != x}
        chosen = [setting for setting in among if {**setting.parameters, x: None} == {**fixed, x: None}]
        chosen.sort(key=lambda setting: _rank(setting.parameters[x]))
        label = "" if by is None else f"{by} {text_of(value)}"
        found.append(Curve(label, fixed, [setting.parameters[x] for setting in chosen], *_bars(chosen, spread)))
    return found


def surface(results: Results, x: str, y: str, number: str, *, maximise: bool | None = None) -> Surface:
    """A number over two parameters, the others as at the best point.

    Raises:
        SweepError: there is no such parameter or number.
    """
    refuse_unknown(results, number, x, y)
    order = ranked(results, number, maximise=maximise)
    fixed = {name: entry for name, entry in order[0].parameters.items() if name not in (x, y)}
    xs, ys = _values(results, x), _values(results, y)
    values = np.full((len(ys), len(xs)), np.nan)
    for setting in order:
        if all(setting.parameters[name] == entry for name, entry in fixed.items()) and setting.values.size:
            at = ys.index(setting.parameters[y]), xs.index(setting.parameters[x])
            values[at] = np.median(setting.values)
    return Surface(fixed, xs, ys, values)


def text_of(value: Any) -> str:
    """A parameter's value for a label or a table."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else "default" if value is None else str(value)


def refuse_unknown(results: Results, number: str, *parameters: str) -> None:
    """Names what there is.

    Raises:
        SweepError: there is no such number, or no such parameter.
    """
    if not results.rows:
        raise SweepError(f"{results.directory} has no finished runs yet")
    if number not in results.numbers:
        raise SweepError(f"the runs have no number {number}; they have {', '.join(results.numbers) or 'none, all failed'}")
    for name in parameters:
        if name not in results.parameters:
            raise SweepError(f"the runs have no parameter {name}; they have {', '.join(results.parameters)}")


def _values(results: Results, name: str) -> list[Any]:
    return sorted({row[name] for row in results.rows}, key=_rank)


def _rank(value: Any) -> tuple[bool, float, str]:
    return (False, float(value), "") if isinstance(value, int | float) else (value is not None, 0.0, str(value))


def _bars(chosen: Sequence[Setting], spread: Spread) -> Iterable[NDArray[np.float64]]:
    shares = (50, 0, 100) if spread == "range" else (50, 25, 75)
    return np.array(
        [np.percentile(setting.values, shares) if setting.values.size else np.full(3, np.nan) for setting in chosen]
    ).T.reshape(3, -1)
