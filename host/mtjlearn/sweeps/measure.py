"""One run where it is computed: one BLAS thread, and whatever comes of it as plain values."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.errors import UserError
from mtjlearn.wire.errors import BoardLost, BoardTimeout, PortError

OK, FAILED, LOST = "ok", "failed", "lost"
_MOST_TEXT = 500
_BOARD_IS_GONE = (BoardLost, BoardTimeout, PortError)


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        status: ``ok``, ``failed``, or ``lost`` with its board, which is not kept: the run is computed again.
        numbers: what the task returned.
        error: why it failed.
        seconds: time it took; None if its process died.
    """

    status: str
    numbers: dict[str, Any]
    error: str | None
    seconds: float | None


def measure(task: Callable[[dict[str, Any]], Mapping[str, Any]], parameters: dict[str, Any]) -> Outcome:
    """Computes a run. An exception becomes an outcome; Ctrl-C does not."""
    from threadpoolctl import threadpool_limits

    begun = time.perf_counter()
    try:
        # Several processes whose matrix products use all cores are many times slower than one thread each.
        with threadpool_limits(1):
            numbers = _plain(task(parameters))
    except _BOARD_IS_GONE as error:
        return Outcome(LOST, {}, _describe(error), time.perf_counter() - begun)
    except Exception as error:
        return Outcome(FAILED, {}, _describe(error), time.perf_counter() - begun)
    return Outcome(OK, numbers, None, time.perf_counter() - begun)


def _describe(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)[:_MOST_TEXT]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:_MOST_TEXT] + place


def _plain(numbers: Any) -> dict[str, Any]:
    if not isinstance(numbers, Mapping):
        raise TypeError(f"the task returned a {type(numbers).__name__}, not a dictionary")
    return {str(name): _value(str(name), value) for name, value in numbers.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    array = np.asarray(value)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return array.tolist()
    raise TypeError(f"{name} is neither a number, a text, None nor a one-dimensional list of numbers")
