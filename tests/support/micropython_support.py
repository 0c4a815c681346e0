"""The interpreters of MicroPython that tests run the firmware in, and the learner's jobs (tests/micropython/learner_jobs.py)."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fixedpoint_support import load, vector_module
from numpy.typing import NDArray
from places import TESTS

from mtjlearn.firmware import ToolMissing
from mtjlearn.firmware.micropython_sources import write_sources
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import Network, WeightFormat
from mtjlearn.virtual.micropython import interpreter

steps = vector_module("steps")
PROGRAMS = (
    "learner_jobs",
    "learner_primitives",
    "stepped_device",
    "cut_jobs",
    "cut_storage",
    "cut_flash",
    "left_open",
    "locked_jobs",
)
NODE_PACKAGE = "@micropython/micropython-webassembly-pyscript@1.27.0"
_NODE = """
import { loadMicroPython } from "PACKAGE/micropython.mjs";
import { readFileSync, writeFileSync, readdirSync, statSync } from "node:fs";
const [folder, program, job, answers] = process.argv.slice(2);
const mp = await loadMicroPython({ heapsize: 16 * 1024 * 1024, stdout: (line) => console.log(line), linebuffer: true });
const copy = (from, to) => {
  mp.FS.mkdirTree(to);
  for (const name of readdirSync(from)) {
    if (statSync(`${from}/${name}`).isDirectory()) copy(`${from}/${name}`, `${to}/${name}`);
    else mp.FS.writeFile(`${to}/${name}`, readFileSync(`${from}/${name}`));
  }
};
copy(folder, "/firmware");
mp.FS.writeFile("/job", readFileSync(job));
try {
  mp.runPython(`
import sys
sys.path.insert(0, "/firmware")
sys.argv[:] = ["", "/job", "/answers"]
__import__("${program}").main()
`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
writeFileSync(answers, mp.FS.readFile("/answers"));
"""


@dataclass(frozen=True)
class Interpreter:
    """One interpreter with the sources that it runs.

    Args:
        name: ``viper``, ``bytecode`` or ``node``.
        command: before the program, its question and a file for the answers.
        folder: of the sources and the programs.
    """

    name: str
    command: tuple[str, ...]
    folder: Path

    def arguments(self, program: str) -> list[str]:
        """What names a program in the folder to the command; then come its question and its answers."""
        return [str(self.folder), program] if self.name == "node" else [str(self.folder / f"{program}.py")]

    def run(self, program: str, question: str, scratch: Path) -> str:
        """What a program of tests/micropython writes when it has read the question; an exception in the interpreter fails."""
        job, answers = scratch / "job", scratch / "answers"
        job.write_text(question, encoding="ascii")
        answers.unlink(missing_ok=True)
        run = subprocess.run(
            [*self.command, *self.arguments(program), job, answers], capture_output=True, text=True, check=False, timeout=1800
        )
        # The unix port's package exits with 0 whatever happens.
        assert "Traceback" not in run.stdout + run.stderr, run.stdout[-2000:] + run.stderr[-2000:]
        assert answers.exists(), run.stdout[-2000:] + run.stderr[-2000:]
        return answers.read_text(encoding="ascii")

    def answers(self, lines: list[str], scratch: Path) -> list[str]:
        """The answers to a job's lines."""
        return self.run("learner_jobs", "\n".join(lines) + "\n", scratch).splitlines()


def unix_interpreter(folder: Path, *, viper: bool) -> Interpreter | str:
    """The unix port with the sources in an empty folder, or why there is none."""
    try:
        command = interpreter()
    except ToolMissing as missing:
        return str(missing)
    _fill(folder, viper=viper)
    return Interpreter("viper" if viper else "bytecode", (*command, "-X", "heapsize=16m"), folder)


def node_interpreter(folder: Path, package: Path) -> Interpreter | str:
    """The port for node, whose small integers have 31 bits as on a Pico, or why there is none.

    Args:
        folder: an empty folder, for the sources.
        package: where npm puts the port, once a session.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node or npm is missing (Debian packages nodejs, npm)"
    installed = package / "node_modules" / NODE_PACKAGE.rpartition("@")[0]
    if not installed.is_dir():
        package.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", package, "--no-audit", "--no-fund", NODE_PACKAGE]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if run.returncode or not installed.is_dir():
            return f"npm install {NODE_PACKAGE} fails: {run.stderr.strip().splitlines()[-1:]}"
    _fill(folder, viper=False)
    script = package / "run.mjs"
    script.write_text(_NODE.replace("PACKAGE", str(installed)), encoding="utf-8")
    return Interpreter("node", (node, str(script)), folder)


def _fill(folder: Path, *, viper: bool) -> None:
    write_sources(folder, viper=viper)
    for program in PROGRAMS:
        shutil.copy(TESTS / "micropython" / f"{program}.py", folder)


def configure_line(network: Network, arena_bytes: int = 120_000) -> str:
    """The line that configures a network in an arena of this many bytes."""
    decorrelate = sum(1 << layer for layer, on in enumerate(network.decorrelate) if on)
    numbers = (
        *(arena_bytes, int(network.loss), int(network.weight_format), int(network.rounding or 0), int(network.normalised)),
        *(int(network.antithetic), decorrelate, network.rule_code, network.shift, network.sigma_q, network.noise_std_q),
        *(network.learning_rate_q, network.decorrelation_rate_q, network.seed, network.layers, *network.sizes),
    )
    return "configure " + " ".join(map(str, numbers))


def halves_hex(values: Any) -> str:
    """Integers of 16 bits, signed or not, as a job has them."""
    return (np.asarray(values).astype(np.int64) & 0xFFFF).astype("<u2").tobytes().hex()


def samples_hex(x: NDArray[np.integer], targets: NDArray[np.integer]) -> str:
    """Samples (n, inputs) with their targets (n, target values)."""
    return halves_hex(np.hstack([np.asarray(x), np.asarray(targets).reshape(len(x), -1)]))


@dataclass(frozen=True)
class State:
    """An answer to ``state``."""

    counters: tuple[int, ...]
    """Steps, skipped, saturations, random state, sum of losses, deviation."""
    weights: NDArray[np.integer]
    """All, in order."""
    matrices: NDArray[np.int16]

    @classmethod
    def of(cls, answer: str, weight_format: WeightFormat) -> State:
        """Reads the answer."""
        numbers, weights, matrices = answer.split("|")
        dtype = "<i4" if weight_format is WeightFormat.INT32 else "<i2"
        return cls(
            tuple(map(int, numbers.split())),
            np.frombuffer(bytes.fromhex(weights), dtype=dtype),
            np.frombuffer(bytes.fromhex(matrices), dtype="<i2"),
        )


class Job:
    """A job's lines, and what its answers must be."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.expected: list[Any] = []

    def ask(self, line: str, expected: Any) -> None:
        self.lines.append(line)
        self.expected.append(expected)


def vector_job(case: dict[str, Any]) -> Job:
    """A case of steps.json. Codes, inputs and targets come from one stream, in the order of shared/vectors/README.md."""
    job, drive, wanted = Job(), case["stimulus"], case["expected"]
    network = steps.network_of(case["configuration"])
    stimulus = steps.Stimulus(drive["seed"])
    job.lines.append(configure_line(network))
    if "initial_weights" in case:
        dtype = "<i4" if network.weight_format is WeightFormat.INT32 else "<i2"
        job.lines.append("weights " + np.array(case["initial_weights"]).astype(dtype).tobytes().hex())
    job.lines.append("codes " + halves_hex(stimulus.values(drive["codes"], 200)))
    rates = {step: (eta, eps) for step, eta, eps in case.get("rates", [])}

    def sample() -> list[int]:
        inputs = stimulus.values(drive["inputs"], network.sizes[0])
        return inputs + stimulus.values(drive["targets"], network.target_count)

    for step in range(case["steps"]):
        if step in rates:
            job.lines.append("rates {} {}".format(*rates[step]))
        fresh = stimulus.values(drive["codes"], drive["codes_per_step"])
        job.lines += ["codes " + halves_hex(fresh)] if fresh else []
        job.ask("train " + halves_hex(sample()), str(wanted["losses"][step]))
    job.ask("state", wanted)
    last = sample()
    job.ask("predict " + halves_hex(last), halves_hex(wanted["prediction"]))
    job.ask("evaluate " + halves_hex(last), "{} {}".format(*wanted["evaluation"]))
    return job


def agrees(state: State, wanted: dict[str, Any], network: Network) -> bool:
    """Whether a state is what a golden vector expects."""
    _, skipped, saturations, random_state, loss_sum, deviation = state.counters
    found = {"skipped": skipped, "saturations": saturations, "random_state": random_state, "deviation": deviation}
    same = all(wanted[name] == value for name, value in found.items())
    for name, values in (("weights", state.weights), ("matrices", state.matrices)):
        if name in wanted:
            same &= wanted[name] == values.tolist()
        else:
            same &= wanted[f"{name}_crc32"] == zlib.crc32(values.tobytes())
    return same and loss_sum == sum(wanted["losses"])


def vector_differences(interpreter: Interpreter, scratch: Path) -> list[str]:
    """What differs from the golden vectors of steps.json, one line for each case; all cases are run in one process."""
    vectors = load("steps.json")
    jobs = [vector_job(case) for case in vectors]
    answers = iter(interpreter.answers([line for job in jobs for line in job.lines], scratch))
    differences = []
    for case, job in zip(vectors, jobs, strict=True):
        network, wrong = steps.network_of(case["configuration"]), []
        for number, expected in enumerate(job.expected):
            answer = next(answers)
            if isinstance(expected, dict):
                right = agrees(State.of(answer, network.weight_format), expected, network)
            else:
                right = answer == expected
            wrong += [] if right else [number]
        if wrong:
            differences.append(f"{case['name']}: answers {wrong}")
    assert next(answers, None) is None
    return differences


def state_of(model: FixedNetwork) -> State:
    """What a model's state is as an answer."""
    counters = (model.steps, model.skipped[0], model.saturations[0], model.random_state[0], model.loss_sum[0], model.deviation[0])
    matrices = [matrix.ravel() for matrix in model.matrices if matrix is not None]
    return State(
        tuple(map(int, counters)),
        np.concatenate([rows.ravel() for rows in model.weights]),
        np.concatenate(matrices) if matrices else np.zeros(0, dtype=np.int16),
    )


def check(job: Job, network: Network, answers: list[str], place: str) -> None:
    """Fails at the first answer that is not what the model says."""
    assert len(answers) == len(job.expected)
    for number, (answer, expected) in enumerate(zip(answers, job.expected, strict=True)):
        if isinstance(expected, State):
            state = State.of(answer, network.weight_format)
            assert state.counters == expected.counters, f"{place}: answer {number}"
            assert np.array_equal(state.weights, expected.weights), f"{place}: weights, answer {number}"
            assert np.array_equal(state.matrices, expected.matrices), f"{place}: matrices, answer {number}"
        else:
            assert answer == expected, f"{place}: answer {number}"
