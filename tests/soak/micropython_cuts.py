"""The long run of power cuts for the device in MicroPython: the power is cut at each write of its files, of checkpoints and of
changes of network, each torn in another way; after each cut it starts, trains, saves again and starts again
(tests/micropython/cut_jobs.py). Prints one line of JSON; a start with anything but the newest complete checkpoint fails it.

    make soak-micropython_cuts ARGS="[--cuts 10000] [--kind flash] [--seed 1] [--bytecode]"
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from unix_port_support import run_program


def main() -> int:
    """Runs all; 1 if an assertion ended it."""
    parser = argparse.ArgumentParser(description="The long run of power cuts for the device in MicroPython.")
    parser.add_argument("--cuts", type=int, default=10_000, help="at least")
    parser.add_argument("--kind", choices=["files", "flash"], default="files", help="of writes: of files, or of littlefs' blocks")
    parser.add_argument("--seed", type=int, default=1, help="another tears the writes in other ways")
    parser.add_argument("--bytecode", action="store_true", help="as on a port without viper")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "question"), Path(folder, "answer")
        question.write_text(f"{options.kind} {options.cuts} {options.seed}", encoding="ascii")
        begun = time.monotonic()
        run = run_program("cut_jobs.py", question, answer, viper=not options.bytecode, heap=2**25, timeout=36_000)
        if not answer.is_file():
            print(run.stdout + run.stderr, file=sys.stderr)
            return 1
        found = json.loads(answer.read_text(encoding="ascii"))
        print(json.dumps(found | {"seconds": round(time.monotonic() - begun)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
