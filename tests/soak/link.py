"""The long run of link faults: ``make soak-link ARGS="[--faults N] [--host-faults N] [--seed N]"``.

1. The device's end of the wire in C with a host in C (tests/c/faults.c), on a virtual clock: the faults in rounds, each of its own
   seeds. Every command that reaches the handler is compared with the true one, byte for byte, in order and once; whatever the host
   holds acknowledged was executed; every session comes to its end.
2. The host's link in Python and the whole device in C (faulty_link_support.py): trains over the faulty line, then compares
   steps, loss sum, random state and all weights with a model that saw each sample once and in order, bit for bit.

A round that fails prints its seed. Ctrl-C ends the run with the figures so far.
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
WIRE = PROJECT / "firmware/lib/wire/src"
ROUND = 500_000
"""Faults of a round of the first part."""
HOST_ROUND = 20_000
FLAGS = ("-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def device_rounds(faults: int, seed: int, totals: Counter[str]) -> bool:
    """The first part; False when a round failed."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "faults"
        sources = [PROJECT / "tests/c/faults.c", PROJECT / "tests/c/faulty_line.c", *sorted(WIRE.glob("*.c"))]
        subprocess.run(["gcc", *FLAGS, f"-I{WIRE}", *map(str, sources), "-o", str(program)], check=True)
        begun = time.monotonic()
        while totals["total"] < faults:
            command = [program, str(min(ROUND, faults - totals["total"])), str(seed)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"\nFAILED in the round of seed {seed}\n{run.stdout}{run.stderr}")
                return False
            words = run.stdout.split()
            totals.update({name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)})
            seed += 1_000_000
            progress("device", totals["total"], faults, begun)
    return True


def host_rounds(faults: int, seed: int, totals: Counter[str]) -> bool:
    """The second part."""
    from faulty_link_support import run_faults

    begun = time.monotonic()
    while totals["host total"] < faults:
        try:
            rig = run_faults(min(HOST_ROUND, faults - totals["host total"]), 400, seed=seed)
        except AssertionError as error:
            print(f"\nFAILED in the round of seed {seed}: {error}")
            return False
        totals["host total"] += min(HOST_ROUND, faults - totals["host total"])
        counters = rig.link.counters
        totals.update({"host sent": counters.sent, "host resent": counters.resent, "host bad": counters.received_bad})
        seed += 1
        progress("host", totals["host total"], faults, begun)
    return True


def progress(part: str, done: int, wanted: int, begun: float) -> None:
    """One line that is written over, where someone looks."""
    if sys.stderr.isatty():
        left = (time.monotonic() - begun) * max(0, wanted - done) / max(done, 1)
        print(f"\r{part}: {done:,} of {wanted:,} faults, {left:.0f} s to go   ", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=10_000_000)
    parser.add_argument("--host-faults", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    totals: Counter[str] = Counter()
    print(f"seed {options.seed}", flush=True)
    begun = time.monotonic()
    sound = True
    try:
        sound = device_rounds(options.faults, options.seed, totals) and host_rounds(options.host_faults, options.seed, totals)
    except KeyboardInterrupt:
        print("\ninterrupted; so far:")
    names = ("flip", "drop", "double", "insert", "repeat", "merge", "return", "stall")
    kinds = ", ".join(f"{totals[kind]:,} {kind}" for kind in names)
    print(f"\ndevice in C: {totals['total']:,} faults ({kinds}), {totals['restarts']:,} restarts, {totals['sessions']:,} sessions")
    print(f"  {totals['executed']:,} commands executed, {totals['resent']:,} frames sent again, ", end="")
    print(f"{totals['returned']:,} came back", end="")
    print(": none corrupt, none lost, none twice" if sound else "")
    print(f"host in Python and whole device: {totals['host total']:,} faults, {totals['host sent']:,} frames sent, ", end="")
    print(f"{totals['host resent']:,} again, {totals['host bad']:,} damaged", end="")
    print(": the network is that of a run without faults, bit for bit" if sound and totals["host total"] else "")
    print(f"{time.monotonic() - begun:.0f} s, {'sound' if sound else 'FAILED'}")
    return not sound


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
