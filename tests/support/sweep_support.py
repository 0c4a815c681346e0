"""Tasks for sweeps: functions of a module, as workers import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np


def number(point: dict[str, Any]) -> dict[str, Any]:
    """A number that follows from the point, after a moment."""
    time.sleep(point.get("sleep", 0.0))
    generator = np.random.default_rng([int(1000 * point["x"]), point["seed"]])
    return {"y": point["x"] + generator.normal(), "curve": np.arange(3.0), "word": "w"}


def counted(point: dict[str, Any]) -> dict[str, Any]:
    """The same, and a file counts who computed what."""
    with Path(point["log"]).open("a") as file:
        file.write(f"{point['x']} {point['seed']}\n")
    return number(point)


def troubled(point: dict[str, Any]) -> dict[str, Any]:
    """Raises, kills its process, or returns what is not a number, as the point says."""
    if point["x"] == 1:
        raise ValueError("one is bad")
    if point["x"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if point["x"] == 3:
        return {"y": object()}
    return {"y": point["x"]}


def valley(point: dict[str, Any]) -> dict[str, Any]:
    """What a search finds: smallest near x = 0.3 with kind a."""
    return {"y": (point["x"] - 0.3) ** 2 + 0.1 * (point["kind"] == "b") + 0.001 * point["seed"]}
