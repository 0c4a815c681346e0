"""Sweeps that are killed: `mtjlearn sweep` of 1,000 runs is killed twice in its middle and resumed, and equals one that was not.

    make soak-sweeps ARGS="[--runs 1000] [--only joblib|dask] [--seed 1]"

1. joblib: the float reference learns XOR in processes of this computer. SIGKILL goes to the whole process group.
2. dask: virtual boards learn XOR on a cluster of two workers, each with a board of its own. The first SIGKILL goes to the sweep,
   the second to the sweep, the scheduler and both workers. It must equal an uninterrupted sweep in processes of this computer.

Prints a line of JSON for each. It fails if a row differs in anything but its seconds, or a run that was kept is computed again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster_support import Cluster
from pyarrow import parquet

from mtjlearn.sweeps.journal import JOURNAL, read_journal

RATES, SIGMAS = 10, 5


def words(directory: Path, runs: int, board: str, *more: str) -> list[str]:
    """The command line of a sweep of about this many runs."""
    seeds = max(1, round(runs / RATES / SIGMAS))
    axes = ["--over", f"eta=log:.01:1:{RATES}", "--over", f"sigma=lin:.02:.1:{SIGMAS}", "--seeds", f"0:{seeds}"]
    options = ["--epochs", "1", "--board", board, "--directory", str(directory)]
    return [sys.executable, "-m", "mtjlearn", "sweep", "xor", *axes, *options, *more]


def kept(directory: Path) -> int:
    """Lines of the journal."""
    journal = directory / JOURNAL
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_in_the_middle(command: list[str], directory: Path, at: int) -> int:
    """Starts a sweep and kills its process group once this many runs are kept; how many are kept then."""
    with subprocess.Popen(command, process_group=0, stderr=subprocess.PIPE) as process:
        while kept(directory) < at:
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return kept(directory)


def rows(directory: Path) -> list[dict[str, Any]]:
    """The results without what a clock measured."""
    table = parquet.read_table(directory / "results.parquet")
    return table.drop_columns(["seconds"]).to_pylist()


def finish(command: list[str]) -> None:
    """Runs a sweep to its end."""
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def compare(folder: Path, killed: list[int]) -> dict[str, Any]:
    """What came of the sweep that was killed, next to the one that was not."""
    whole, resumed = rows(folder / "whole"), rows(folder / "killed")
    lines, damaged = read_journal(folder / "killed" / JOURNAL)
    points = {json.dumps(line["point"], sort_keys=True) for line in lines}
    return {
        "runs": len(whole),
        "killed_at": killed,
        "equal": whole == resumed,
        "computed_twice": len(lines) - len(points),
        "damaged_lines": damaged,
        "failed": sum(row["status"] != "ok" for row in whole),
    }


@contextlib.contextmanager
def timed(name: str, found: dict[str, Any]) -> Iterator[None]:
    """Notes how long something took."""
    begun = time.monotonic()
    yield
    found[name] = round(time.monotonic() - begun, 1)


def on_joblib(folder: Path, runs: int, moments: list[int]) -> dict[str, Any]:
    """The first part."""
    seconds: dict[str, Any] = {}
    with timed("whole_s", seconds):
        finish(words(folder / "whole", runs, "none"))
    command = words(folder / "killed", runs, "none")
    with timed("killed_s", seconds):
        killed = [kill_in_the_middle(command, folder / "killed", at) for at in moments]
        finish(command)
    return {"on": "joblib", "board": "none", **compare(folder, killed), **seconds}


def on_dask(folder: Path, runs: int, moments: list[int]) -> dict[str, Any]:
    """The second part."""
    seconds: dict[str, Any] = {}
    with timed("whole_s", seconds):
        finish(words(folder / "whole", runs, "native"))
    killed = []
    with timed("killed_s", seconds):
        with Cluster() as cluster:
            for at in moments:
                command = words(folder / "killed", runs, "native", "--scheduler", cluster.address)
                killed.append(kill_in_the_middle(command, folder / "killed", at))
            cluster.kill()
        with Cluster() as cluster:
            finish(words(folder / "killed", runs, "native", "--scheduler", cluster.address))
    return {"on": "dask", "board": "native", **compare(folder, killed), **seconds}


def main() -> int:
    """Both parts; 1: rows differ."""
    parser = argparse.ArgumentParser(description="The long run of killed sweeps.")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--only", choices=["joblib", "dask"])
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    wrong = 0
    for part in (on_joblib, on_dask):
        if options.only not in (None, part.__name__.removeprefix("on_")):
            continue
        moments = [int(options.runs * (third + chance.uniform(-0.15, 0.15))) for third in (1 / 3, 2 / 3)]
        with tempfile.TemporaryDirectory() as folder:
            found = part(Path(folder), options.runs, moments)
        print(json.dumps(found), flush=True)
        wrong += not found["equal"] or bool(found["computed_twice"])
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
