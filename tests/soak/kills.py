"""The long run of kills: a native board is killed right after it acknowledged AUTONOMOUS, or while its network changes, and started
again. Prints one line of JSON; a start without a complete checkpoint, or without the learning that was acknowledged, fails it.

    make soak-kills ARGS="[--kills 1000] [--seed 1]"
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

from kill_support import kill_often


def main() -> int:
    """Runs all; 1: a board came up without its state."""
    parser = argparse.ArgumentParser(description="The long run of kills.")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_often(Path(folder), options.kills, options.seed)
    print(json.dumps(dataclasses.asdict(found) | {"seconds": round(time.monotonic() - begun)}))
    return 1 if found.without_state or found.not_learning else 0


if __name__ == "__main__":
    sys.exit(main())
