"""Looks for undefined results in the code that takes a host's bytes: part of ``make prove`` (Debian package frama-c-base).

Frama-C's Eva computes what every variable can be, for all inputs at once. The drivers next to this file call the firmware's
functions with every message, device state and memory content. What Eva cannot exclude is an alarm; one that is not in EXPECTED
fails, and so does a fault that is planted into a copy and gives none.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

DRIVERS = Path(__file__).resolve().parent
FIRMWARE = DRIVERS.parents[1] / "firmware"
# The preprocessor is the computer's own and knows one size of int.
MACHINES = {"gcc_x86_64": "", "gcc_x86_16": "-U__SIZEOF_INT__ -D__SIZEOF_INT__=2"}
LIMIT = 900  # seconds a run; the longest takes 20 on an idle core

# Statuses that are not an alarm. Dead: no path leads there.
EXCLUDED = {"Valid", "Considered valid", "Dead"}


@dataclass(frozen=True)
class Driver:
    """A C file of this folder, and what it is linked with."""

    file: str
    sources: tuple[str, ...]
    options: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """A change of a firmware file that a function of a driver must not pass."""

    file: str
    right: str
    wrong: str
    driver: Driver
    function: str


OWN = "src/autonomous"
AUTONOMOUS = tuple(f"{OWN}/{name}.c" for name in ("memory_blobs", "memory_map", "dataset"))
BLOB_SOURCES = (*(f"src/{name}.c" for name in ("blobs", "bounds", "reports", "fields")), *AUTONOMOUS)
SLOT_SOURCES = (
    *(f"{OWN}/{name}.c" for name in ("slots", "memory_map")),
    *(f"src/{name}.c" for name in ("bounds", "blobs", "configure", "fields", "health", "long_samples")),
    *(f"lib/anp/src/anp_{name}.c" for name in ("network", "noise", "portable")),
)


def options(slevel: int, unroll: int, *split: str) -> tuple[str, ...]:
    """How many states are kept apart, how long loops are unrolled, and by whose results states are split."""
    returns = ("-eva-split-return-function", ",".join(split)) if split else ()
    return ("-eva-slevel", str(slevel), "-eva-auto-loop-unroll", str(unroll), *returns)


WRITE = Driver("blobs.c", BLOB_SOURCES, options(10, 8, "bounds_chunk:0"))
READ = Driver("blobs.c", BLOB_SOURCES, options(10, 64, "blob_bytes:0", "autonomous_blob_bytes:0"))
SESSION = Driver(
    "session.c",
    ("lib/wire/src/session.c",),
    (*options(60, 8), "-eva-partition-value", "whole", "-eva-interprocedural-splits"),
)
FIND = Driver("slots.c", SLOT_SOURCES, options(60, 20, "slot_examine:3", "slot_find:3"))
LOAD = Driver("slots.c", SLOT_SOURCES, options(60, 64, "anp_check:0", "decorrelation_rate_ok:0"))

RUNS = (
    (WRITE, "write_weights"),
    (WRITE, "write_matrices"),
    (WRITE, "write_dataset"),
    (WRITE, "write_checkpoint"),
    (WRITE, "write_without_memory"),
    (WRITE, "define_dataset"),
    (WRITE, "read_samples"),
    (READ, "read_network"),
    (READ, "read_dataset"),
    (READ, "read_checkpoint"),
    (SESSION, "start"),
    (SESSION, "receive_bytes"),
    (SESSION, "poll"),
    (SESSION, "answer"),
    (FIND, "find"),
    (FIND, "fit"),
    (LOAD, "load"),
)

# By function: where Eva cannot follow, and why no fault is behind it.
EXPECTED = {
    "define_dataset": Counter({("missing", "precondition of bounds_missing"): 1}),  # of the room: a memory has less than 64 KB
    "load": Counter({("calibrate_by", "division_by_zero"): 1}),  # the divisor is shifted to 13 bits by the number of its own bits
}

FAULTS = (
    Fault("src/bounds.c", "start <= total && ", "", WRITE, "write_matrices"),
    Fault("src/bounds.c", "count <= total - start", "true", WRITE, "write_matrices"),
    Fault("src/blobs.c", "memcpy(place.bytes + start,", "memcpy(place.bytes + start + 1,", WRITE, "write_matrices"),
    Fault("src/blobs.c", "if (*--value != 0x80)", "if (value[0] != 0x80)", WRITE, "write_matrices"),
    Fault("src/reports.c", "if (request->offset > total)", "if (false)", READ, "read_network"),
    Fault("src/reports.c", "(header + 1), (uint8_t)count)", "(header + 1), bytes)", READ, "read_dataset"),
    Fault(f"{OWN}/memory_blobs.c", "(uint16_t)(dataset_place(device) + offset), byte", "offset, byte", WRITE, "write_dataset"),
    Fault(f"{OWN}/memory_map.c", "address < BOARD(board, memory_bytes) ?", "true ?", FIND, "fit"),
    Fault(f"{OWN}/slots.c", "config->layers > ANP_MAX_LAYERS ||", "", FIND, "find"),
    Fault(f"{OWN}/slots.c", "weights, (uint16_t)net->at.weights_bytes)", "weights, (uint16_t)net->at.used)", LOAD, "load"),
    Fault("lib/wire/src/session.c", "length > session->max_payload || ", "", SESSION, "answer"),
    Fault("lib/wire/src/session.c", "taken < count && !session->held", "taken < count", SESSION, "receive_bytes"),
    Fault("lib/wire/src/session.c", "if (event == WIRE_FRAME)", "if (event != WIRE_NOTHING)", SESSION, "receive_bytes"),
)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table that Frama-C wrote; it leaves out an empty one."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def without_contracts(folder: Path, sources: list[str], includes: str, firmware: Path) -> tuple[list[str], str]:
    """Sources and include folders with a copy of lib/wire, whose header frame.h has no contracts: they are prove.py's to prove of
    frame.c. Eva would assume them of what stands in its place here, and see no fault behind them."""
    wire, copy = firmware / "lib/wire/src", folder / "wire"
    shutil.copytree(wire, copy)
    header = copy / "frame.h"
    header.write_text(re.sub(r"/\*@.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL), encoding="utf-8")
    return [source.replace(str(wire), str(copy)) for source in sources], includes.replace(str(wire), str(copy))


def alarms(driver: Driver, function: str, machine: str, firmware: Path = FIRMWARE) -> Counter[tuple[str, str]]:
    """What Eva could not exclude from here on: by function and kind, how often."""
    includes = " ".join(f"-I{firmware / folder}" for folder in ("src", "lib/wire/src", "lib/anp/src"))
    sources = [str(DRIVERS / driver.file), *(str(firmware / source) for source in driver.sources)]
    with tempfile.TemporaryDirectory() as folder:
        found, broken = Path(folder) / "found.csv", Path(folder) / "broken.csv"
        if driver is SESSION:
            sources, includes = without_contracts(Path(folder), sources, includes, firmware)
        command = ["frama-c", "-c11", "-machdep", machine, f"-cpp-extra-args=-std=c11 {MACHINES[machine]} {includes}"]
        command += ["-eva", "-eva-no-print", "-eva-report-red-statuses", str(broken), "-main", function, *driver.options, *sources]
        try:
            run = subprocess.run(
                [*command, "-then", "-report-csv", str(found)], capture_output=True, text=True, check=False, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            sys.exit(f"{driver.file} {function}, {machine}: not done after {LIMIT} s")
        if run.returncode or not found.exists() or "Neither code nor specification" in run.stdout:
            sys.exit(f"frama-c failed on {driver.file} {function}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
        rows, red = read(found), read(broken)
    # The firmware's contracts are WP's to prove, unless Eva finds one broken: it continues as if they held. Each use of the C
    # library is counted where it is called.
    elsewhere = {"postcondition", "precondition"}
    counted = (row for row in rows if row["status"] not in EXCLUDED and row["property kind"] not in elsewhere)
    contracts = Counter((row["function"], row["name"]) for row in red if row["name"] == "postcondition")
    return contracts + Counter((row["function"], row["property kind"]) for row in counted)


def check(driver: Driver, function: str, machine: str) -> tuple[str, bool]:
    """A line to print, and whether there is an alarm that is not expected."""
    start = time.monotonic()
    found = alarms(driver, function, machine)
    expected = EXPECTED.get(function, Counter())
    new = found - expected
    seconds = round(time.monotonic() - start)
    line = f"{driver.file} {function}, {machine}: {found.total()} alarms, {expected.total()} expected, {seconds} s"
    return "\n".join([line, *(f"  {place}: {kind}, {count} times" for (place, kind), count in new.items())]), bool(new)


def plant(fault: Fault) -> tuple[str, bool]:
    """A line to print, and whether the fault passed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("src", "lib"):
            shutil.copytree(FIRMWARE / part, copy / part)
        path = copy / fault.file
        text = path.read_text(encoding="utf-8")
        if text.count(fault.right) != 1:
            sys.exit(f"{fault.file} has changed: plant the fault elsewhere than at {fault.right!r}")
        path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
        new = alarms(fault.driver, fault.function, next(iter(MACHINES)), copy) - EXPECTED.get(fault.function, Counter())
    return f"{fault.file}: {fault.right.strip()!r} planted as {fault.wrong!r}: {new.total()} alarms", not new


def main() -> int:
    """No alarm but those expected, and one at least for each fault."""
    if not shutil.which("frama-c"):
        sys.exit("frama-c not found: apt-get install frama-c-base")
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check, driver, function, machine) for driver, function in RUNS for machine in MACHINES]
        jobs += [pool.submit(plant, fault) for fault in FAULTS]
        for job in jobs:
            line, wrong = job.result()
            print(line, flush=True)
            failed |= wrong
    return failed


if __name__ == "__main__":
    sys.exit(main())
