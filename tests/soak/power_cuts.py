"""The long run of power cuts: the power of a simulated Uno is cut at each write of a checkpoint of 4-8-3, into an erased slot and
over another; after each cut it boots, trains, saves again and boots again. Prints one line of JSON for each round; a start with
anything but a complete checkpoint fails it.

    make soak-power_cuts ARGS="[--rounds 1]"
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time

from power_cut_support import cut_everywhere

SIZES = (4, 8, 3)


def main() -> int:
    """Runs all; an assertion ends it."""
    parser = argparse.ArgumentParser(description="The long run of power cuts.")
    parser.add_argument("--rounds", type=int, default=1, help="each tears the bytes in other ways")
    options = parser.parse_args()
    for round_ in range(options.rounds):
        for over_another in (False, True):
            begun = time.monotonic()
            found = cut_everywhere(SIZES, over_another=over_another, save_after=True, round_=round_)
            figures = {"round": round_, "over_another": over_another, **dataclasses.asdict(found)}
            print(json.dumps(figures | {"seconds": round(time.monotonic() - begun)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
