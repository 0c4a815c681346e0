"""Single random changes of host and firmware, each with the tests that fit: ``make mutants``, or

    make soak-mutants ARGS="[--count 300] [--seed 1] [--only PATTERN] [--timeout 600]"

Works in a copy of the tree, build/mutants/tree; the sources stay as they are. A change that survives its tests is printed with file
and line: either the tests miss something, or the change makes no difference, which a person has to say. Every result is appended
to build/mutants/results-*.jsonl at once, so the same command resumes after an interruption. The last line is JSON with the totals.
Changes that do not compile are not counted; tests that run into the timeout count as caught.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from mutations import Mutation, c_mutations, python_mutations

PROJECT = Path(__file__).resolve().parents[2]
WORK = PROJECT / "build" / "mutants"
TREE = WORK / "tree"
NATIVE = WORK / "native"
SITE = WORK / "site"
UNIT = "tests/unit"
MICROPYTHON = "tests/micropython"

# The first pattern that fits says which tests: file names below tests/unit, or paths. Fast ones that fail often come first.
TESTS: list[tuple[str, str]] = [
    ("host/mtjlearn/datasets/*", "test_datasets* test_training_plan test_training_sameness"),
    ("host/mtjlearn/npz.py", "test_datasets_* test_noise_recording test_runs test_security"),
    ("host/mtjlearn/models/*", "test_models test_exported_programs"),
    ("host/mtjlearn/training/models.py", "test_models"),
    ("host/mtjlearn/estimators/*", "test_estimators"),
    ("host/mtjlearn/sweeps/*", "tests/unit/sweeps"),
    ("host/mtjlearn/reproduction/*", "tests/unit/reproduction"),
    ("host/mtjlearn/firmware/sizes.py", "tests/bench/test_bench_profile.py"),
    ("host/mtjlearn/runs/*", "test_runs test_cli_runs test_training_resume test_training_sameness"),
    ("host/mtjlearn/training/autonomous.py", "test_cli_autonomous test_autonom*"),
    ("host/mtjlearn/training/*", "test_training_* test_cli_train*"),
    ("host/mtjlearn/fixedpoint/*", "test_fixedpoint test_vectors test_learner_equals_model test_health_*"),
    ("host/mtjlearn/reference/*", "test_reference_*"),
    ("host/mtjlearn/noise/*", "test_noise_* test_health_* test_cli_noise"),
    ("host/mtjlearn/wire/*", "test_frame test_link* test_tcp* test_transport test_returned_frames test_faults_host"),
    ("host/mtjlearn/board/*", "test_autonom* test_checkpoint* test_dataset_packing test_device_* test_security tests/board"),
    ("host/mtjlearn/virtual/micropython.py", f"{MICROPYTHON}/test_unix_board.py {MICROPYTHON}/test_configuration.py"),
    ("host/mtjlearn/virtual/*", "test_native_* test_virtual_faults test_discovery"),
    ("host/mtjlearn/inprocess/*", "test_memory_board* test_smtj_native test_virtual_faults test_learner_equals_model"),
    ("host/mtjlearn/firmware/m*", f"{MICROPYTHON}/test_constants.py {MICROPYTHON}/test_compiled.py tests/flash"),
    ("host/mtjlearn/firmware/*", "test_environments tests/flash"),
    ("host/mtjlearn/validate/*", "test_validate test_cli_validate"),
    ("host/mtjlearn/flashing/*", "tests/flash"),
    ("host/mtjlearn/plots.py", "test_plots test_training_run"),
    ("host/mtjlearn/discovery.py", "test_discovery test_cli_boards"),
    ("host/mtjlearn/cli/*noise*", "test_cli_noise"),
    ("host/mtjlearn/cli/[acl]*", "test_cli_autonomous test_checkpoint_file test_link_decoding test_cli_noise test_cli_runs"),
    ("host/mtjlearn/cli/[bdf]*", "test_cli_boards test_cli_demo tests/flash tests/bench"),
    ("host/mtjlearn/cli/*", "test_cli_*"),
    ("host/mtjlearn/bench/*", "tests/bench"),
    ("firmware/lib/wire/*", "test_wire_c test_faults_c test_memory_board test_faults_host"),
    ("firmware/src/health*", "test_health_* test_device_noise_fails"),
    ("firmware/src/autonomous/*", "test_autonomous test_checkpoint* test_memory_board_memory test_cli_autonomous"),
    ("firmware/src/*", "test_device_* test_memory_board* test_autonomous test_checkpoints test_health_* tests/board"),
    ("firmware/virtual/*", "test_smtj_native test_virtual_faults test_memory_board* test_native_*"),
    ("firmware/boards/native/*", "test_native_*"),
]
SOURCES = ("host/mtjlearn/**/*.py", *(f"firmware/{part}/*.c" for part in ("src/**", "lib/wire/src", "boards/native", "virtual")))
GENERATED = ("*/wire/messages.py", "*tables.py")
NO_TESTS = 5
"""pytest's exit code where no test has the marks."""
OUTSIDE = """import sys
# The tree's own package, not the one that was installed editable.
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_editable_skbc_mtjlearn")]
"""


def main() -> int:
    """Tries the mutants; returns the process's exit code."""
    parser = argparse.ArgumentParser(description="Single random changes of host and firmware, each with the tests that fit.")
    parser.add_argument("--count", type=int, default=300, help="mutants, half of them in Python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="*", help="pattern of source files, e.g. 'host/mtjlearn/datasets/*'")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for the tests of one mutant")
    options = parser.parse_args()
    if shutil.which("cmake") is None:
        print("mutants.py needs cmake and a C compiler; install them, e.g. apt-get install cmake gcc", file=sys.stderr)
        return 2
    copy_tree()
    chosen = sample(options.seed, options.only)
    results = WORK / f"results-{options.seed}-{digest()}.jsonl"
    done = {record["mutant"]: record["result"] for record in map(json.loads, read_lines(results))}
    begun, totals, survivors = time.monotonic(), Counter[str](), []
    share = {".py": (options.count + 1) // 2, ".c": options.count // 2}
    fit: dict[str, bool] = {}
    for mutation in chosen:
        language = Path(mutation.path).suffix
        counted = totals[f"{language} caught"] + totals[f"{language} survived"]
        if counted >= share[language]:
            continue
        name = str(mutation)
        if name not in done:
            if not is_fit(mutation.path, fit, options.timeout):
                totals["unfit"] += 1
                continue
            done[name] = attempt(mutation, options.timeout)
            with results.open("a") as file:
                file.write(json.dumps({"mutant": name, "result": done[name]}) + "\n")
            print(f"{done[name]:9} {name}", flush=True)
        totals[f"{language} {done[name]}"] += 1
        if done[name] == "survived":
            survivors.append(name)
    for name in survivors:
        print(f"SURVIVED {name}")
    figures = {"seed": options.seed, **totals, "survivors": survivors, "seconds": round(time.monotonic() - begun)}
    print(json.dumps(figures), flush=True)
    return 0


def sample(seed: int, only: str) -> list[Mutation]:
    """Every possible change of the sources in a random order: first a file, each as likely as it has changes."""
    found: list[Mutation] = []
    for pattern in SOURCES:
        for path in sorted(TREE.glob(pattern)):
            name = path.relative_to(TREE).as_posix()
            if fnmatch.fnmatch(name, only) and tests_of(name) and not any(fnmatch.fnmatch(name, other) for other in GENERATED):
                changes = python_mutations if path.suffix == ".py" else c_mutations
                found += changes(name, path.read_bytes())
    random.Random(seed).shuffle(found)
    return found


def tests_of(path: str) -> list[str]:
    """Test files for a source file."""
    words = next((tests for pattern, tests in TESTS if fnmatch.fnmatch(path, pattern)), "").split()
    files: list[str] = []
    for word in words:
        if word.startswith("tests/"):
            files.append(word)
        else:
            files += [match.relative_to(TREE).as_posix() for match in sorted((TREE / UNIT).rglob(f"{word}.py"))]
    return list(dict.fromkeys(files))


def attempt(mutation: Mutation, timeout: float) -> str:
    """caught, survived, or invalid if it does not compile."""
    path = TREE / mutation.path
    source = path.read_bytes()
    path.write_bytes(mutation.apply(source))
    is_c = path.suffix == ".c"
    try:
        if is_c and not build():
            return "invalid"
        if not is_c and not compiles(path):
            return "invalid"
        return "survived" if passes(tests_of(mutation.path), timeout) else "caught"
    finally:
        path.write_bytes(source)
        if is_c and not build():
            raise RuntimeError(f"{mutation.path} does not compile without a change")


def is_fit(path: str, fit: dict[str, bool], timeout: float) -> bool:
    """Whether the tests of a file pass without any change; tried once for each choice of tests."""
    tests = " ".join(tests_of(path))
    if tests not in fit:
        fit[tests] = passes(tests.split(), 2 * timeout)
        if not fit[tests]:
            print(f"unfit: these tests fail without a change: {tests}", flush=True)
    return fit[tests]


def passes(tests: list[str], timeout: float) -> bool:
    """Whether the tests pass, each half in time; the fast ones come first, for they catch most."""
    return all(run(tests, marks, timeout) for marks in ("fast", "not fast and not slow"))


def run(tests: list[str], marks: str, timeout: float) -> bool:
    """Whether the tests with these marks pass in time, if there are any; whatever they started is ended."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--board", "native", "-m", marks]
    environment = {**os.environ, "PYTHONPATH": f"{SITE}{os.pathsep}{TREE / 'host'}", "MTJLEARN_NATIVE": str(NATIVE)}
    with subprocess.Popen(
        [*command, *tests], cwd=TREE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(timeout) in (0, NO_TESTS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)


def compiles(path: Path) -> bool:
    """Whether a Python file is still Python."""
    try:
        compile(path.read_bytes(), path, "exec")
    except SyntaxError:
        return False
    return True


def build() -> bool:
    """Builds the native board and the library; False if the compiler refuses."""
    return subprocess.run(["cmake", "--build", NATIVE], capture_output=True, check=False).returncode == 0


def copy_tree() -> None:
    """The tracked and new files of the project as they are now, and a first build of them."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=PROJECT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (PROJECT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, TREE / name)
    SITE.mkdir(parents=True, exist_ok=True)
    (SITE / "sitecustomize.py").write_text(OUTSIDE)
    subprocess.run(["cmake", "-S", TREE / "firmware", "-B", NATIVE, "-DSKBUILD_STATE=editable"], capture_output=True, check=True)
    subprocess.run(["cmake", "--build", NATIVE], capture_output=True, check=True)


def digest() -> str:
    """Of all that the results depend on."""
    found = hashlib.sha256()
    for folder in ("host", "firmware", "tests"):
        for path in sorted((TREE / folder).rglob("*")):
            if path.is_file():
                found.update(path.relative_to(TREE).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def read_lines(path: Path) -> list[str]:
    """Complete lines of a file; none if there is no file."""
    return path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
