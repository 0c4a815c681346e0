"""Runs the host's fuzz targets: the seeds, inputs that once broke something, then mutations by a generator with a seed.

    python tests/fuzz/host_fuzz.py [--runs N] [--seconds S] [--seed N] [--crashes FOLDER] TARGET...
    python tests/fuzz/host_fuzz.py --input FILE TARGET

An input that breaks a target is written to FOLDER/TARGET-HASH, and how to run it again is printed.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import resource
import shlex
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from random import Random

from host_targets import Target, targets

HERE = Path(__file__).resolve().parent
MOST = 2048
"""Bytes of an input."""
MEMORY = 3 << 30
"""Bytes of address space: what wants more fails."""
SLOW = 5.0
"""Seconds of processor time for one input, at most."""
TELLING = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFE, 0xFF)


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """The input, changed here and there."""
    out = bytearray(data)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(out) + 1)
        match random.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << random.randrange(8)
            case 1 if at < len(out):
                out[at] = random.choice(TELLING)
            case 2 if at < len(out):
                out[at] = random.randrange(256)
            case 3:
                del out[at : at + random.randint(1, 16)]
            case 4:
                out[at:at] = random.randbytes(random.randint(1, 16))
            case 5:
                start = random.randrange(len(other) + 1)
                out[at:at] = other[start : start + random.randint(1, 64)]
            case _:
                out[at:] = other[at:]
    return bytes(out[:MOST])


def seeds_of(name: str, target: Target) -> list[bytes]:
    """The seeds, and what once broke the target."""
    folder = HERE / "corpus" / name
    return [*target.seeds, *(path.read_bytes() for path in sorted(folder.glob("*")))]


def fails(target: Target, data: bytes) -> str | None:
    """What went wrong with this input, or None."""
    start = time.process_time()
    try:
        target.run(data)
    except Exception:
        return traceback.format_exc()
    taken = time.process_time() - start
    return f"took {taken:.1f} s\n" if taken > SLOW else None


def fuzz(name: str, target: Target, runs: int, seconds: float, seed: int, crashes: Path) -> int:
    """Executions of a target; ends the process when one fails."""
    random = Random(seed)
    inputs = seeds_of(name, target)
    start, done = time.monotonic(), 0
    queue = list(inputs)
    while queue or done < runs or time.monotonic() - start < seconds:
        if done % 1000 == 0:
            faulthandler.dump_traceback_later(300, exit=True)  # one input hangs
        data = queue.pop(0) if queue else mutated(random.choice(inputs), random.choice(inputs), random)
        problem = fails(target, data)
        done += 1
        if problem is not None:
            crashes.mkdir(parents=True, exist_ok=True)
            path = crashes / f"{name}-{hashlib.sha256(data).hexdigest()[:8]}"
            path.write_bytes(data)
            command = shlex.join([sys.executable, sys.argv[0], "--input", str(path), name])
            print(f"{problem}\n{name}: broken by execution {done}\ninput written to {path}\nrerun: {command}", file=sys.stderr)
            sys.exit(1)
    faulthandler.cancel_dump_traceback_later()
    print(f"{name}: {done} executions in {time.monotonic() - start:.1f} s", flush=True)
    return done


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crashes", type=Path, default=Path("build/fuzz/crashes"))
    parser.add_argument("--input", type=Path)
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    memory_files = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory_files if memory_files.is_dir() else None) as folder:
        known = targets(Path(folder))
        for name in options.targets:
            if options.input is not None:
                problem = fails(known[name], options.input.read_bytes())
                print(problem or "nothing is wrong with it", file=sys.stderr)
                return problem is not None
            fuzz(name, known[name], options.runs, options.seconds, options.seed, options.crashes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
