"""Single random changes of host and firmware, each with the tests that should notice it: ``make mutants``, or

    make soak-mutants ARGS="[--count 300] [--seed 1] [--only PATTERN] [--fresh] [--again [TESTS ...]]"

Works in a copy of the tree, build/mutants/SEED; the sources stay as they are. First it records which fast tests reach which
function. Then each change meets the fast tests that reach its function, among them the comparison with the model where there is
one, and those left alive meet the longer tests of a table.
A change that survives is printed with file and line: either the tests miss something, or the change makes no difference, which a
person has to say. Every result is written at once, so the same command resumes after an interruption, with the same copy of the
tree; ``--fresh`` copies it again. ``--again`` tries the survivors with today's tests: those named, or all files that are not as
they were in the copy. The last line is JSON with the totals. Changes that do not compile are not counted; a test that hangs fails.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import reach
from mutant_place import PROJECT, Place
from mutant_tests import UNIT, compared_by, tests_of
from mutations import Mutation, c_mutations, python_mutations

SOURCES = (
    "host/mtjlearn/**/*.py",
    *(f"firmware/{part}/*.c" for part in ("src/**", "lib/anp/src", "lib/wire/src", "boards/native", "virtual")),
)
# Generated, or compiled for chips alone, whose tests take minutes.
OMITTED = ("*/wire/messages.py", "*tables.py", "*_arm.c")
FIRST = 20
"""Tests that run by themselves at first: they catch most changes, and only their files need to be imported."""
BLOCK = 20
"""Mutants of one language in a row, for after one in C the board is built again for those in Python."""
LIBRARIES = ("numpy", "scipy.stats", "scipy.signal", "pandas", "click", "serial", "hypothesis.strategies", "hypothesis.extra.numpy")
"""What the children of all mutants share."""
MODULES = (
    *("mtjlearn.cli", "mtjlearn.discovery", "mtjlearn.inprocess.device", "mtjlearn.noise", "mtjlearn.fixedpoint.tasks"),
    *(
        "mtjlearn.noise.health_monitor",
        "device_support",
        "autonomous_support",
        "checkpoint_support",
        "link_support",
        "health_support",
    ),
)
"""What the children of mutants in C share besides."""

Trial = tuple[list[str], reach.Trial]
"""Arguments of pytest, and the plugin that chooses among their tests."""


def main() -> int:
    """Tries the mutants; returns the process's exit code."""
    parser = argparse.ArgumentParser(description="Single random changes of host and firmware, each with the tests that fit.")
    parser.add_argument("--count", type=int, default=300, help="mutants, half of them in Python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="*", help="pattern of source files, e.g. 'host/mtjlearn/datasets/*'")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for all tests of one mutant")
    parser.add_argument("--fresh", action="store_true", help="copy the tree again, and begin again")
    parser.add_argument("--again", nargs="*", metavar="TESTS", help="try the survivors with today's tests")
    options = parser.parse_args()
    if shutil.which("cmake") is None:
        print("mutants.py needs cmake and a C compiler; install them, e.g. apt-get install cmake gcc", file=sys.stderr)
        return 2
    begun = time.monotonic()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = PROJECT / "build" / "mutants" / str(options.seed)
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    sources = folder / "sources"
    copy_sources(sources)
    chosen, found = sample(sources, options.seed, options.only), Results(folder / "results.jsonl")
    if options.again is not None:
        place, now = Place(sources, folder / "again"), Results(folder / "again.jsonl")
        place.preload(LIBRARIES)
        return again(place, chosen, found, now, options.again, options.timeout)
    reaching = record(folder)
    place = Place(sources, folder)
    if not place.build():
        raise RuntimeError(f"{place.tree} does not compile without a change")
    place.preload((*LIBRARIES, *MODULES))
    tried = quickly(place, chosen, options.count, found, reaching, options.timeout)
    thoroughly(place, tried, found, reaching, options.timeout)
    totals = Counter(f"{Path(mutation.path).suffix} {found[mutation]}" for mutation in tried)
    survivors = [str(mutation) for mutation in tried if found[mutation] == "survived"]
    for name in survivors:
        print(f"SURVIVED {name}")
    figures = {"seed": options.seed, **totals, "survivors": survivors, "seconds": round(time.monotonic() - begun)}
    print(json.dumps(figures), flush=True)
    return 0


class Results:
    """What became of each mutant; the file has every result, of which the last counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
        self._found = {record["mutant"]: record["result"] for record in map(json.loads, lines)}

    def __contains__(self, mutation: Mutation) -> bool:
        return str(mutation) in self._found

    def __getitem__(self, mutation: Mutation) -> str:
        return str(self._found[str(mutation)])

    def add(self, mutation: Mutation, result: str, begun: float, test: str = "") -> None:
        """Writes and prints a result, and the test that failed."""
        self._found[str(mutation)] = result
        record = {"mutant": str(mutation), "result": result, "seconds": round(time.monotonic() - begun, 1), "test": test}
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(f"{result:9} {mutation}", flush=True)


def copy_sources(sources: Path) -> None:
    """Copies the tracked and new files of the project, unless there is a copy."""
    if not sources.exists():
        draft = sources.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (PROJECT / name).is_file():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, draft / name)
        draft.rename(sources)


def record(folder: Path) -> reach.Reach:
    """Records once which fast tests reach which function."""
    result, functions = folder / "fast.jsonl", folder / "functions.json"
    if not result.exists():
        place, reached = Place(folder / "sources", folder / "probed"), folder / "reached"
        numbered: list[reach.Function] = []
        for path in (path for pattern in SOURCES for path in sorted(place.sources.glob(pattern))):
            name = path.relative_to(place.sources).as_posix()
            probes = reach.python_probes if path.suffix == ".py" else reach.c_probes
            text, found = probes(name, path.read_text(), len(numbered))
            numbered += found
            place.write(name, text.encode())
        functions.write_text(json.dumps(numbered))
        reach.map_room(reached)
        draft = result.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        place.build()
        print(f"records which fast tests reach which of {len(numbered)} functions", flush=True)
        arguments = ["-m", "fast", "--continue-on-collection-errors", "--ignore", f"{UNIT}/house", UNIT]
        place.test(arguments, reach.Recorder(reached, draft), 2 * 3600)
        del os.environ[reach.VARIABLE]
        if not draft.exists():
            raise RuntimeError(f"no test was recorded; {place.log} says why")
        draft.rename(result)
    return reach.Reach(functions, result)


def sample(tree: Path, seed: int, only: str) -> list[Mutation]:
    """Every possible change of the sources in a random order: first a file, each as likely as it has changes."""
    found: list[Mutation] = []
    for pattern in SOURCES:
        for path in sorted(tree.glob(pattern)):
            name = path.relative_to(tree).as_posix()
            if fnmatch.fnmatch(name, only) and not any(fnmatch.fnmatch(name, other) for other in OMITTED):
                changes = python_mutations if path.suffix == ".py" else c_mutations
                found += changes(name, path.read_bytes())
    random.Random(seed).shuffle(found)
    return found


def quickly(
    place: Place, chosen: list[Mutation], count: int, found: Results, reaching: reach.Reach, timeout: float
) -> list[Mutation]:
    """Tries mutants with the fast tests that reach them; returns those that compile, ``count`` if there are as many."""
    missing = {".py": (count + 1) // 2, ".c": count // 2}
    left = {language: [mutation for mutation in chosen if mutation.path.endswith(language)] for language in missing}
    tried: list[Mutation] = []
    while any(left[language] and missing[language] for language in left):
        for language, mutations in left.items():
            end = max(0, missing[language] - BLOCK)
            while mutations and missing[language] > end:
                mutation = mutations.pop(0)
                if mutation not in found:
                    begun = time.monotonic()
                    result = attempt(place, mutation, trials(mutation, reaching), timeout)
                    test = place.caught_by() if result == "caught" else ""
                    found.add(mutation, "alive" if result == "survived" else result, begun, test)
                if found[mutation] != "invalid":
                    tried.append(mutation)
                    missing[language] -= 1
    return tried


def thoroughly(place: Place, tried: list[Mutation], found: Results, reaching: reach.Reach, timeout: float) -> None:
    """Gives those that the fast tests left alive to the table's tests."""
    fit: dict[str, bool] = {}
    for mutation in tried:
        if found[mutation] == "alive":
            begun = time.monotonic()
            is_seen = bool(trials(mutation, reaching)) and reaching.is_in_function(mutation.path, mutation.line)
            marks = "not fast and not slow" if is_seen else "not slow"
            tests = tests_of(place.tree, mutation.path)
            arguments = ["-m", marks, *tests]
            result = attempt(place, mutation, [(arguments, reach.Trial(None, {}))], timeout) if tests else "survived"
            test = place.caught_by() if result == "caught" else ""
            key = " ".join(arguments)
            if result == "caught" and key not in fit:
                fit[key] = place.build() and place.test(arguments, reach.Trial(None, {}), 2 * timeout)
                print("" if fit[key] else f"these tests fail without a change: {key}\n", end="", flush=True)
            found.add(mutation, "unfit" if result == "caught" and not fit[key] else result, begun, test)


def trials(mutation: Mutation, reaching: reach.Reach) -> list[Trial]:
    """The tests that reach a mutant: the nearest, those that compare with the model, the rest."""
    names = reaching.of(mutation.path, mutation.line)
    parts = [part for part in (names[:FIRST], names[FIRST:]) if part]
    reached = [(list(dict.fromkeys(name.split("::")[0] for name in part)), reach.Trial(part, reaching.seconds)) for part in parts]
    compared = compared_by(mutation.path)
    return [*reached[:1], *([(compared, reach.Trial(None, {}))] if compared else []), *reached[1:]]


def again(place: Place, chosen: list[Mutation], found: Results, now: Results, tests: list[str], timeout: float) -> int:
    """Tries the survivors with today's tests, upon the copied sources."""
    changed = []
    for path in sorted((PROJECT / "tests").rglob("*")):
        name = path.relative_to(PROJECT).as_posix()
        if path.is_file() and "__pycache__" not in name:
            old = place.sources / name
            if not old.exists() or old.read_bytes() != path.read_bytes():
                place.write(name, path.read_bytes())
                changed += [name] if path.name.startswith("test_") else []
    tests = tests or changed
    if not place.build() or not place.test(["-m", "not slow", *tests], reach.Trial(None, {}), timeout):
        print(f"these tests fail without a change: {' '.join(tests)}; {place.log} says why", file=sys.stderr)
        return 1
    for mutation in chosen:
        is_alive = mutation in found and found[mutation] in ("alive", "survived")
        if is_alive and not (mutation in now and now[mutation] == "caught"):
            begun = time.monotonic()
            result = attempt(place, mutation, [(["-m", "not slow", *tests], reach.Trial(None, {}))], timeout)
            now.add(mutation, result, begun)
    return 0


def attempt(place: Place, mutation: Mutation, trials: list[Trial], timeout: float) -> str:
    """caught, survived, or invalid if it does not compile."""
    source = (place.sources / mutation.path).read_bytes()
    changed = mutation.apply(source)
    try:
        if mutation.path.endswith(".py"):
            compile(changed, mutation.path, "exec")
        place.write(mutation.path, changed)
        if not place.build():
            return "invalid"
        is_alive = all(place.test(arguments, trial, timeout) for arguments, trial in trials if arguments)
        return "survived" if is_alive else "caught"
    except SyntaxError:
        return "invalid"
    finally:
        place.restore(mutation.path)


if __name__ == "__main__":
    sys.exit(main())
