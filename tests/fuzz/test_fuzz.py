"""A short run of every fuzz target, always with the same inputs (``make fuzz`` runs them for long); and they find what is wrong."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from build import FIRMWARE, HERE, SOURCES, build, compile_source, compile_target, libfuzzer, link
from host_fuzz import fails
from host_targets import Target
from run import HOST
from seeds import CORPUS, seeds

from mtjlearn.wire import messages

RUNS = {"frame": 100_000, "device": 40_000}
HOST_RUNS = 6_000


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, needs_tool: object) -> dict[str, dict[str, Path]]:
    """Compiled once for all processes of the tests: the others wait, and find the compiler's work done."""
    needs_tool("gcc", "gcc")  # type: ignore[operator]
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fuzz-objects"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = shared / "made.json"
        if not made.exists():
            found = {target: compile_target(target, shared) for target in SOURCES}
            texts = {target: {name: str(path) for name, path in each.items()} for target, each in found.items()}
            made.write_text(json.dumps(texts))
    known = json.loads(made.read_text())
    return {target: {name: Path(path) for name, path in each.items()} for target, each in known.items()}


@pytest.fixture(scope="module")
def drivers(out: Path, objects: dict[str, dict[str, Path]]) -> dict[str, Path]:
    return {target: link(objects[target].values(), out / f"{target}-driver") for target in SOURCES}


def test_seeds_are_those_that_the_script_makes() -> None:
    made = seeds()
    kept = {path for path in CORPUS.rglob("*") if path.is_file() and not path.name.startswith("regression-")}
    kept -= {path for path in kept if path.parent.name.startswith("host-")}
    stale = {path for path in kept | made.keys() if path not in kept or path not in made or path.read_bytes() != made[path]}
    names = sorted(str(path.relative_to(CORPUS)) for path in stale)
    assert not names, f"tests/fuzz/corpus is out of date: run python tests/fuzz/seeds.py, or delete what it does not make: {names}"
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 100_000


def test_every_message_is_in_the_table() -> None:
    table = (HERE / "fuzz_messages.h").read_text(encoding="utf-8")
    for kind in messages.MESSAGES.values():
        assert f"WIRE_SIZE_{kind.NAME}," in table


@pytest.mark.parametrize("target", SOURCES)
def test_c_target(drivers: dict[str, Path], out: Path, target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    command = [drivers[target], f"-runs={RUNS[target]}", "-seed=1", f"-artifact_prefix={out}/", *files]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{RUNS[target]} executions" in run.stdout


@pytest.mark.parametrize("target", HOST)
def test_host_target(out: Path, target: str) -> None:
    command = [sys.executable, HERE / "host_fuzz.py", "--runs", str(HOST_RUNS), "--crashes", out, target]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{target}: {HOST_RUNS} executions" in run.stdout


@pytest.mark.slow
def test_libfuzzer_builds_and_runs(out: Path, tool_missing: object) -> None:
    clang = libfuzzer()
    if clang is None:
        tool_missing("clang with libFuzzer is missing (Debian packages clang and libclang-rt-14-dev)")  # type: ignore[operator]
    program = build("frame", out, clang=clang)
    found = out / "found"
    found.mkdir()
    command = [program, "-runs=2000", "-seed=1", found, CORPUS / "frame"]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "Done" in run.stderr


# --- that they would notice: faults planted into copies of the sources ---

FRAME, SESSION, SAMPLES, BLOBS = "lib/wire/src/frame.c", "lib/wire/src/session.c", "src/samples.c", "src/blobs.c"
NOISE, AUTONOMOUS = "lib/anp/src/anp_noise.c", "src/autonomous/autonomous.c"
BOUNDS, UPLOADS, DATASET = "src/bounds.c", "src/autonomous/memory_blobs.c", "src/autonomous/dataset.c"
UNBOUNDED = (BOUNDS, "start <= total && ", "")
FIXED = "    if (header->offset)\n        return device->blobs.total;\n"
FIXED_CHECKPOINT = FIXED.replace("offset)", "offset && header->blob == WIRE_BLOB_KIND_CHECKPOINT)")
ABANDONS = "blobs_abandon_kind(&device->blobs, WIRE_BLOB_KIND_DATASET);"
FITS = "        if (!dataset_fits(device))\n            dataset->samples = 0;\n"
LENGTH = "uint8_t count = (uint8_t)(length + {});"
STEP = "step_train(device, x, x + batch.inputs);"
SAVES = "bool saves = {}checkpoint_poll"
FAULTS = {
    "a decoder without a limit": ("frame", FRAME, "if (decoder->length == decoder->capacity) {", "if (false) {"),
    "a decoder that keeps its block": ("frame", FRAME, "decoder->block == 0 && decoder->length", "decoder->length"),
    "an encoder one too short": ("frame", FRAME, LENGTH.format(3), LENGTH.format(2)),
    "a checksum not compared": ("frame", FRAME, "return whole && checksum_holds(decoder)", "return whole"),
    "a sample trained twice": ("device", SAMPLES, STEP, STEP + STEP),
    "a blob beyond its end": ("device", BOUNDS, "count <= total - start", "true"),
    "a checkpoint that changes its size": ("device", *UNBOUNDED, UPLOADS, FIXED, ""),
    "a smaller dataset between two chunks": ("device", *UNBOUNDED, UPLOADS, FIXED, FIXED_CHECKPOINT, DATASET, ABANDONS, ";"),
    "a restored dataset that does not fit": ("device", "src/autonomous/training.c", FITS, ""),
    "weights taken unchecked": ("device", BLOBS, "    if (invalid)\n", "    if (invalid && false)\n"),
    "a reply without room": ("device", SESSION, "length > session->max_payload || SESSION_ROOM", "false && SESSION_ROOM"),
    "codes that do not add up": ("device", NOISE, "noise->total = total;", "noise->total = total + 1;"),
    "a command never answered": ("device", AUTONOMOUS, SAVES.format(""), SAVES.format("BOARD(device->board, memory_bytes) && ")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(
    objects: dict[str, dict[str, Path]], drivers: dict[str, Path], tmp_path: Path, fault: str
) -> None:
    target, *edits = FAULTS[fault]
    changed: dict[str, str] = {}
    for file, right, wrong in zip(edits[::3], edits[1::3], edits[2::3], strict=True):
        text = changed.get(file) or (FIRMWARE / file).read_text(encoding="utf-8")
        assert text.count(right) >= 1, f"{file} has changed: plant the fault elsewhere"
        changed[file] = text.replace(right, wrong, 1)
    faulty = dict(objects[target])
    for file, text in changed.items():
        source = tmp_path / Path(file).name
        source.write_text(text, encoding="utf-8")
        faulty[file] = compile_source(source, source, flags=["-w"])
    program = link(faulty.values(), tmp_path / "faulty")
    command = [program, "-runs=60000", "-timeout=5", f"-artifact_prefix={tmp_path}/", *sorted((CORPUS / target).iterdir())]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    (crash,) = tmp_path.glob("crash-*")
    assert re.search(rf"rerun: \S+ {re.escape(str(crash))}", run.stderr)
    assert subprocess.run([program, "-timeout=5", crash], cwd=tmp_path, capture_output=True, check=False).returncode != 0
    assert subprocess.run([drivers[target], crash], capture_output=True, check=False).returncode == 0


def test_a_host_target_that_raises_is_reported() -> None:
    def target(data: bytes) -> None:
        if data:
            raise KeyError(data)

    assert fails(Target(target, []), b"") is None
    assert "KeyError: b'x'" in str(fails(Target(target, []), b"x"))
