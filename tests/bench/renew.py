"""Measures the simulated chips anew and keeps the figures: ``python tests/bench/renew.py [uno-sim] [m4-sim]``.

Takes some minutes. The figures that were kept are shown beside the new ones.
"""

from __future__ import annotations

import sys

from figures import Report, load, save

from mtjlearn.bench.alone import uno_alone
from mtjlearn.bench.limits import CHIPS
from mtjlearn.bench.report import chip_report
from mtjlearn.bench.resident_rate import measure_resident
from mtjlearn.bench.streaming import stream
from mtjlearn.bench.timing import STREAM_SIZES
from mtjlearn.bench.workload import workload


def measure(board: str) -> Report:
    """All that ``mtjlearn bench`` counts on a simulated chip."""
    report = chip_report(board)
    if board == "uno-sim":
        report["stream"] = stream(workload(STREAM_SIZES)).figures
        report["alone"] = uno_alone()
        report["resident"] = measure_resident()
    return report


def main() -> None:
    """Renews the boards named on the command line, else all."""
    kept = load()
    for board in sys.argv[1:] or CHIPS:
        report = measure(board)
        for net, figures in report["nets"].items():
            before = (kept.get(board) or {"nets": {}})["nets"].get(net)
            if figures is not None:
                was = "" if before is None else f", was {before['step']:,.0f}"
                print(f"{board} {net}: {figures['step']:,.0f} {report['unit']}{was}")
        kept[board] = report
    save({board: kept[board] for board in CHIPS if board in kept})


if __name__ == "__main__":
    main()
