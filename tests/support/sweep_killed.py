"""A sweep as a process of its own, so that it can be killed: ``python sweep_killed.py DIRECTORY JSON``."""

from __future__ import annotations

import json
import sys

from sweep_support import counted

from mtjlearn.sweeps import grid, run_sweep

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    settings = {"log": given["log"], "sleep": given["sleep"]}
    points = grid({"x": range(given["points"])}, seeds=range(2))
    run_sweep(counted, points, sys.argv[1], settings=settings, workers=given.get("workers"), scheduler=given.get("scheduler"))
