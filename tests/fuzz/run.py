"""Fuzzes everything, for as long as wished: ``make fuzz RUNS=1000000`` or ``make fuzz TIME=600`` (seconds a target).

    python tests/fuzz/run.py [--runs N] [--seconds S] [--seed N] [--plain] [TARGET...]

The C targets run under libFuzzer where a clang is there, else (or with --plain) under the plain driver with gcc. Prints executions
and crashes of each target; a crash leaves its input in build/fuzz/crashes, with how to run it again.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from build import HERE, PROJECT, SOURCES, build, libfuzzer

OUT = PROJECT / "build" / "fuzz"
CRASHES = OUT / "crashes"
HOST = (
    *("host-frames", "host-messages", "host-link", "host-log", "host-runs", "host-checkpoint", "host-recording", "host-dataset"),
    "host-images",
)
TARGETS = (*SOURCES, *HOST)
LARGEST = 1024


class Outcome(NamedTuple):
    """What became of one target."""

    executions: int
    seconds: float
    edges: int | None
    """Places in the program that were reached, as libFuzzer counts them."""
    crashed: bool


def run_program(command: list[str], *, pattern: str, edges: str = "") -> Outcome:
    """Runs a fuzzer to its end and finds its figures in what it prints."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert process.stdout is not None
    tail: list[str] = []
    executions, reached = 0, None
    try:
        for line in process.stdout:
            tail = [*tail[-60:], line]
            if found := re.search(pattern, line):
                executions = int(found[1])
            if edges and (found := re.search(edges, line)):
                reached = int(found[1])
        process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    finally:
        process.stdout.close()
    crashed = process.returncode != 0
    if crashed:
        sys.stderr.write("".join(tail))
    return Outcome(executions, time.monotonic() - start, reached, crashed)


def fuzz_c(name: str, options: argparse.Namespace, clang: str | None) -> Outcome:
    """One of the C targets."""
    program = build(name, OUT, clang=clang)
    seeds = HERE / "corpus" / name
    prefix = f"-artifact_prefix={CRASHES}/{name}-"
    if clang is None:
        limits = [f"-runs={options.runs}", f"-seconds={options.seconds}", f"-seed={options.seed}", prefix]
        return run_program([str(program), *limits, *map(str, sorted(seeds.iterdir()))], pattern=r"^(\d+) executions")
    found = OUT / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    limits = [f"-seed={options.seed}", f"-max_len={LARGEST}", prefix, "-print_final_stats=1", "-timeout=30", "-use_value_profile=1"]
    limits += [f"-runs={options.runs}"] if options.runs else []
    limits += [f"-max_total_time={round(options.seconds)}"] if options.seconds else []
    command = [str(program), *limits, str(found), str(seeds)]
    return run_program(command, pattern=r"^(?:#|stat::number_of_executed_units: )(\d+)", edges=r"\bcov: (\d+)")


def fuzz_host(name: str, options: argparse.Namespace) -> Outcome:
    """One of the host's targets."""
    limits = [
        "--runs",
        str(options.runs),
        "--seconds",
        str(options.seconds),
        "--seed",
        str(options.seed),
        "--crashes",
        str(CRASHES),
    ]
    return run_program([sys.executable, str(HERE / "host_fuzz.py"), *limits, name], pattern=rf"^{name}: (\d+) executions")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all unless given")
    parser.add_argument("--runs", type=int, default=0, help="executions of a target")
    parser.add_argument("--seconds", type=float, default=0, help="seconds of a target; 60 if neither is given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="the C targets without libFuzzer, repeatable to the last input")
    options = parser.parse_args(arguments)
    if strange := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(strange))}; there are {', '.join(TARGETS)}")
    if not options.runs and not options.seconds:
        options.seconds = 60.0
    clang = None if options.plain else libfuzzer()
    if clang is None and not options.plain:
        print("no clang with libFuzzer here (Debian: clang libclang-rt-14-dev); the plain driver runs instead")
    CRASHES.mkdir(parents=True, exist_ok=True)
    crashes = 0
    for name in options.targets or TARGETS:
        print(f"{name} ...", end=" ", flush=True)
        outcome = fuzz_c(name, options, clang) if name in SOURCES else fuzz_host(name, options)
        crashes += outcome.crashed
        rate = outcome.executions / max(outcome.seconds, 0.001)
        edges = "" if outcome.edges is None else f", {outcome.edges:,} edges reached"
        verdict = "CRASHED" if outcome.crashed else "0 crashes"
        print(f"{outcome.executions:,} executions in {outcome.seconds:.0f} s ({rate:,.0f}/s){edges}, {verdict}", flush=True)
    return crashes != 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
