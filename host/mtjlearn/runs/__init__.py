"""Run directories: what was asked, what happened, metrics, weights. Every file is complete or absent at any moment.

A run directory holds

* ``config.toml``: what was asked, enough to do it again;
* ``meta.json``: versions, board, start, end, state, result;
* ``metrics.jsonl``: one JSON object a line, appended; a torn last line is passed over;
* ``weights.npz``: the last :class:`Checkpoint`;
* ``start.npz``: what it began with, if another run learned that;
* ``link.log``: the raw log of the serial link, which the transport writes;
* ``lock``: locked as long as a process writes to the run.

Numbers that JSON does not have (NaN, infinities) are written as null.
"""

from mtjlearn.runs.files import Checkpoint, RunError, read_checkpoint, read_config, read_meta, read_metrics
from mtjlearn.runs.run import Run, RunSummary, is_running, list_runs

__all__ = [
    "Checkpoint",
    "Run",
    "RunError",
    "RunSummary",
    "is_running",
    "list_runs",
    "read_checkpoint",
    "read_config",
    "read_meta",
    "read_metrics",
]
