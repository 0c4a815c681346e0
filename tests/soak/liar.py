"""A board that lies, one field at a time: ``make soak-liar ARGS="[--every N] [--seconds S]"``.

Every number of every message that a board sends is edited (tests/support/liar_support.py), under each of the commands that talk to
a board. A command must end within its time, without a traceback: in a result where the lie does not matter, else in one line. It
prints each that did not, and how many of what.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

from liar_support import Liar, Lie, lies  # noqa: E402

from mtjlearn.board import Board  # noqa: E402
from mtjlearn.network import Network  # noqa: E402
from mtjlearn.virtual.native import start_native  # noqa: E402

COMMANDS = {
    "boards": ["boards", "--board", "URL"],
    "train": ["train", "xor", "--epochs", "3", "--no-reference", "--board", "URL"],
    "noise": ["noise", "--codes", "600", "--board", "URL"],
    "status": ["autonomous", "status", "--board", "URL"],
    "start": ["autonomous", "start", "--task", "xor", "--steps", "500", "--board", "URL"],
    "watch": ["autonomous", "watch", "--board", "URL"],
    "stop": ["autonomous", "stop", "--board", "URL"],
    "save": ["checkpoint", "save", "kept", "--board", "URL"],
}
MAIN = "from mtjlearn.entry import main; main()"


def judge(name: str, lie: Lie, seconds: float) -> str:
    """What a command did: ``unsaid``, ``result``, ``one line``, ``reported``, ``traceback``, ``no end`` or ``silent``."""
    with start_native(tcp_port=0) as board, tempfile.TemporaryDirectory() as folder:
        if name in ("watch", "stop", "save"):
            with Board.open(board.url) as opened:
                opened.configure(Network((2, 4, 1)))
                opened.save_checkpoint()
        with Liar(board.url, lie) as liar:
            command = [liar.url if word == "URL" else word for word in COMMANDS[name]]
            try:
                run = subprocess.run(
                    [sys.executable, "-c", MAIN, *command], cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
                )
            except subprocess.TimeoutExpired as ended:
                # A board that says without end that it learns is watched without end, but not silently.
                return "reported" if b"no step for" in (ended.stderr or b"") else "no end"
        if "Traceback" in run.stderr:
            return "traceback"
        if run.returncode == 0:
            return "result" if liar.told else "unsaid"
        return "one line" if run.stderr.strip() and run.stderr.strip().splitlines()[-1].startswith("mtjlearn: ") else "silent"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="Takes only each Nth lie.")
    parser.add_argument("--seconds", type=float, default=60.0, help="Until a command counts as without end.")
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    begun = time.monotonic()
    pairs = [(name, lie) for lie in lies() for name in COMMANDS][:: options.every]
    for name, lie in pairs:
        found = judge(name, lie, options.seconds)
        counts[found] += 1
        if found in ("traceback", "no end", "silent"):
            print(f"{found}: {name} with {lie}", flush=True)
    print(f"{len(pairs)} runs: {dict(counts)}, {time.monotonic() - begun:.0f} s")
    return int(any(counts[bad] for bad in ("traceback", "no end", "silent")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
