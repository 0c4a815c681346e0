"""Which sources that are not random the board's tests report, and after how many codes: the table of docs/noise-tests.md.

make soak-not_random ARGS="[--seeds 8] [--windows 40]"
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from not_random_support import RATES, bank, healthy, reported

from mtjlearn.noise.health import HealthLimits


def main() -> int:
    """Prints a table in Markdown; returns 1 when the healthy source is reported."""
    parser = argparse.ArgumentParser(description="Sources that are not random, and the board's tests.")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--windows", type=int, default=40, help="codes of each source, in windows of the tests")
    options = parser.parse_args()
    wrong = 0
    print("| source | codes per second | reported | fault | codes, at most |\n|---|---|---|---|---|")
    for rate in RATES:
        count = options.windows * HealthLimits.of_junction(rate).window + 200
        for name, source in (("healthy", healthy(rate)), *bank(rate)):
            found = [one for seed in range(options.seeds) if (one := reported(rate, source, count, seed))]
            wrong += name == "healthy" and len(found)
            kinds = ", ".join(kind.name for kind, _ in Counter(kind for _, kind in found).most_common())
            most = f"{max(code for code, _ in found):,}" if found else ""
            print(f"| {name} | {rate:,} | {len(found)} of {options.seeds} | {kinds} | {most} |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
