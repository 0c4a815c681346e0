"""Sweeps: a task computed for every point of a grid, on this computer or a cluster, one Parquet row per run.

A sweep lives in a directory. What was computed once is not computed again, however the process ended.
"""

from mtjlearn.sweeps.grid import grid
from mtjlearn.sweeps.points import Point, Scalar, SweepError
from mtjlearn.sweeps.results import Results, read_results
from mtjlearn.sweeps.run import run_sweep

__all__ = ["Point", "Results", "Scalar", "SweepError", "grid", "read_results", "run_sweep"]
