"""Measures the simulated chips again and keeps the figures: ``python tests/bench/renew.py [uno-sim] [m4-sim] [m0-sim]``,
or what the images take alone: ``python tests/bench/renew.py sizes``.

Takes some minutes. The figures that were kept are shown next to the new ones.
"""

from __future__ import annotations

import sys

from figures import Report, load, save

from mtjlearn.bench.chip.autonomous import uno_autonomous
from mtjlearn.bench.chip.report import chip_report
from mtjlearn.bench.chip.resident_rate import measure_resident
from mtjlearn.bench.chip.streaming import stream
from mtjlearn.bench.workload import STREAM_SIZES, workload
from mtjlearn.firmware import build_firmware
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.virtual.boards import SIMULATED


def sizes(target: str) -> Report:
    """What an image takes."""
    image = ImageSize.read(build_firmware(target))
    return {"flash_bytes": image.flash, "ram_bytes": image.ram}


def measure(board: str) -> Report:
    """All that ``mtjlearn bench`` counts on a simulated chip, and what the Uno's other image takes."""
    report = chip_report(board)
    if board == "uno-sim":
        report["streamed_only"] = sizes("uno_streamed")
        report["stream"] = stream(workload(STREAM_SIZES)).figures
        report["alone"] = uno_autonomous()
        report["resident"] = measure_resident()
    return report


def main() -> None:
    """Renews the boards named on the command line, else all."""
    kept = load()
    if sys.argv[1:] == ["sizes"]:
        for board, report in kept.items():
            report |= sizes(SIMULATED[board])
        kept["uno-sim"]["streamed_only"] = sizes("uno_streamed")
        save(kept)
        return
    for board in sys.argv[1:] or SIMULATED:
        report = measure(board)
        for net, figures in report["nets"].items():
            before = (kept.get(board) or {"nets": {}})["nets"].get(net)
            if figures is not None:
                was = "" if before is None else f", was {before['step']:,.0f}"
                print(f"{board} {net}: {figures['step']:,.0f} {report['unit']}{was}")
        kept[board] = report
    save({board: kept[board] for board in SIMULATED if board in kept})


if __name__ == "__main__":
    main()
