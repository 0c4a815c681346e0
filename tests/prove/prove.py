"""Proves the bounds of what a host asks for, for all numbers: ``make prove`` (Debian packages frama-c-base, z3 and cvc4).

Frama-C's WP proves the contracts in firmware/src/bounds.h, with sizes of 64 and of 16 bits, and that no operation there has an
undefined result. A fault that is planted into a copy must not be proved: else the contract says nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
FILE = "src/bounds.c"
MACHINES = ("gcc_x86_64", "gcc_x86_16")
FAULTS = (("start <= total && ", ""), ("count <= total - start", "true"), ("memory_bytes - 1u - offset", "memory_bytes - offset"))
TOOLS = ("frama-c", "why3", "z3", "cvc4")


def prove(source: Path, machine: str) -> tuple[int, int]:
    """Goals that are proved, and all goals."""
    includes = f"-std=c11 -I{FIRMWARE / 'src'}"
    tools = ["-wp", "-wp-rte", "-wp-prover", "cvc4,z3", "-wp-timeout", "5"]
    command = ["frama-c", "-c11", "-machdep", machine, f"-cpp-extra-args={includes}", *tools, str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Proved goals: +(\d+) / (\d+)", run.stdout)
    if run.returncode or not found:
        sys.exit(f"frama-c failed:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return int(found[1]), int(found[2])


def main() -> int:
    """Every contract is proved, and no fault."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        sys.exit(f"{', '.join(missing)} not found: apt-get install frama-c-base z3 cvc4")
    subprocess.run(["why3", "config", "detect"], capture_output=True, check=True)
    failed = False
    for machine in MACHINES:
        proved, goals = prove(FIRMWARE / FILE, machine)
        print(f"{FILE}, {machine}: {proved} of {goals} goals proved", flush=True)
        failed |= proved != goals or not goals
    text = (FIRMWARE / FILE).read_text(encoding="utf-8")
    for right, wrong in FAULTS:
        if text.count(right) != 1:
            sys.exit(f"{FILE} has changed: plant the fault elsewhere than at {right!r}")
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "bounds.c"
            copy.write_text(text.replace(right, wrong), encoding="utf-8")
            proved, goals = prove(copy, MACHINES[0])
        print(f"{right.strip()!r} planted as {wrong!r}: {goals - proved} of {goals} goals not proved", flush=True)
        failed |= proved == goals
    return failed


if __name__ == "__main__":
    sys.exit(main())
