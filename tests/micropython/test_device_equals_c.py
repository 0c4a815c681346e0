"""The device in MicroPython does, turn by turn, what the device in C does: the same bytes out for the same bytes in, valid or not.

The fuzz target of the C device (tests/fuzz) is the host. It writes what happens (trace.c), and replay.py repeats that in
MicroPython.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from micropython_support import Interpreter
from places import PROJECT
from unix_port_support import run_program

from mtjlearn.firmware.micropython_constants import inline_constants
from mtjlearn.firmware.micropython_sources import micropython_sources, write_sources

HERE = Path(__file__).resolve().parent
FUZZ = PROJECT / "tests" / "fuzz"
FIRMWARE = PROJECT / "firmware"
FOLDERS = [FIRMWARE / name for name in ("lib/wire/src", "lib/anp/src", "src", "src/autonomous")]
TARGETS = {
    "device": (["device_target.c", "script.c"], ["device_init", "device_poll", "fuzz_board_init"], "trace.c"),
    "frame": (["frame_target.c"], ["wire_decoder_init", "wire_decode", "wire_encode"], "frame_trace.c"),
}
"""Sources of a fuzz target, the functions between which the trace stands, and the trace."""
PLANTED = [
    ("session.py", "self.number = 1 + total % 255", "self.number = 1 + total % 254"),
    ("session.py", "if decoder.next_seq == frame.HALF_TURN:", "if decoder.next_seq == 0:"),
    ("session.py", "self.errors = (self.errors + 1) & 0xFF", "self.errors += 2"),
    ("frame.py", "if byte == 0:\n            break", "if byte == 1:\n            break"),
    ("commands.py", "if length < size or (length - size) & open_bits:", "if length < size:"),
    ("commands.py", "if needs & NEEDS_IDLE and autonomous.learns():", "if False:"),
    ("samples.py", "device.barred = True", "device.barred = False"),
    ("blobs.py", "if start not in (0, expected):", "if start != expected:"),
    ("configure.py", "intake.noise.forget()", "pass"),
    ("intake.py", "self.contiguous = 0\n        if count:", "pass\n        if count:"),
    ("turn.py", "device.telemetry.init()", "pass"),
    ("device.py", "if total <= 255 - BATCH:", "if total == 0:"),
    ("steps.py", "noise.filled = 0", "pass"),
]
"""A text of a source, and what it becomes: a mistake that a replay must find."""

Trace = Callable[..., Path]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory, needs_tool: Callable[[str, str], str]) -> Trace:
    """``trace(target, runs, seed, memory=False)``: what C does with the corpus, and with mutations of it up to `runs` inputs."""
    folder = tmp_path_factory.mktemp("traces")
    programs: dict[str, Path] = {}

    def make(target: str, runs: int = 0, seed: int = 1, *, memory: bool = False) -> Path:
        if target not in programs:
            programs[target] = compile_tracer(needs_tool("gcc", "gcc"), target, folder)
        path = folder / f"{target}-{runs}-{seed}-{memory}"
        environment = {**os.environ, "MTJLEARN_TRACE": str(path)} | ({"MTJLEARN_TRACE_MEMORY": "1"} if memory else {})
        corpus = sorted((FUZZ / "corpus" / target).iterdir())
        command = [programs[target], f"-runs={runs}", f"-seed={seed}", f"-artifact_prefix={folder}/", *corpus]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return path

    return make


def compile_tracer(gcc: str, target: str, folder: Path) -> Path:
    """A fuzz target with its trace, without sanitizers: they have had their time in tests/fuzz."""
    names, wrapped, tracer = TARGETS[target]
    sources = [*(FUZZ / name for name in (*names, "fuzz_board.c", "driver.c")), HERE / tracer]
    sources += [path for place in FOLDERS for path in sorted(place.glob("*.c"))]
    includes = [f"-I{place}" for place in (*FOLDERS, FUZZ)]
    wraps = [f"-Wl,--wrap={name}" for name in wrapped]
    command = [
        gcc,
        "-std=c11",
        "-O1",
        "-fno-strict-aliasing",
        *includes,
        *map(str, sources),
        *wraps,
        "-lm",
        "-o",
        str(folder / target),
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return folder / target


@pytest.fixture
def replay(interpreters: Callable[[str], Interpreter], tmp_path: Path) -> Callable[..., str]:
    """``replay(trace, folder=None, program="replay", name="viper")``: what the program answers; a difference fails."""

    def run(trace: Path, *folder: Path, program: str = "replay", name: str = "viper") -> str:
        interpreter = interpreters(name)
        shutil.copy(HERE / f"{program}.py", interpreter.folder)
        answers = tmp_path / "answers"
        command = [*interpreter.command, *interpreter.arguments(program), trace, answers, *folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
        # The exit code does not show an exception.
        answer = answers.read_text(encoding="ascii") if answers.exists() else ""
        assert answer, (done.stdout + done.stderr)[-4000:]
        return answer

    return run


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "runs"), [("viper", 200), ("bytecode", 0), pytest.param("node", 200, marks=pytest.mark.slow)])
def test_every_turn_of_the_corpus_and_of_mutated_inputs_is_that_of_c(
    trace: Trace, replay: Callable[..., str], name: str, runs: int
) -> None:
    inputs = max(runs, len(list((FUZZ / "corpus" / "device").iterdir())))
    assert f"{inputs} inputs" in replay(trace("device", runs, 7), name=name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_every_turn_of_many_mutated_inputs_is_that_of_c(trace: Trace, replay: Callable[..., str], seed: int) -> None:
    replay(trace("device", 3000, seed))


@pytest.mark.slow
def test_bytecode_does_many_mutated_inputs_as_c(trace: Trace, replay: Callable[..., str]) -> None:
    replay(trace("device", 1000, 14), name="bytecode")


@pytest.mark.thorough
def test_no_exception_leaves_a_turn_though_the_memory_fails(trace: Trace, replay: Callable[..., str], tmp_path: Path) -> None:
    replay(trace("device", 150, 4, memory=True), tmp_path / "memory")


@pytest.mark.slow
def test_no_exception_leaves_many_turns_though_the_memory_fails(trace: Trace, replay: Callable[..., str], tmp_path: Path) -> None:
    replay(trace("device", 3000, 5, memory=True), tmp_path / "memory")


@pytest.mark.slow
def test_every_turn_is_that_of_c_as_a_board_gets_the_sources(trace: Trace, tmp_path: Path) -> None:
    replay = (HERE / "replay.py").read_text(encoding="utf-8")
    for name, text in inline_constants(micropython_sources(viper=True) | {"replay.py": replay}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run_program(str(tmp_path / "replay.py"), trace("device", 200, 7), tmp_path / "answers", root=tmp_path)
    assert (tmp_path / "answers").read_text(encoding="ascii"), done.stdout + done.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["viper", "bytecode"])
def test_frames_are_decoded_and_encoded_as_in_c(trace: Trace, replay: Callable[..., str], name: str) -> None:
    decoded = int(replay(trace("frame", 400), program="frame_replay", name=name).split()[0])
    assert decoded > 100


@pytest.mark.slow
@pytest.mark.parametrize(("file", "old", "new"), PLANTED, ids=[f"{file}-{old[:24]}" for file, old, _ in PLANTED])
def test_a_planted_mistake_is_found(trace: Trace, tmp_path: Path, file: str, old: str, new: str) -> None:
    write_sources(tmp_path, viper=True)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has changed: plant another mistake"
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    done = run_program("replay.py", trace("device", 3000, 11), tmp_path / "answers", root=tmp_path, timeout=1200)
    assert "the devices differ" in done.stdout + done.stderr, done.stdout + done.stderr
