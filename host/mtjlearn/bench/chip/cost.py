"""What a training step of a learning rule costs on simulated chips, and the same program learning on this computer.

A rule is a C file of firmware/bench/cost. It is compiled for a chip, where its steps are counted, and for this computer, where it
learns many times with the same arithmetic.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.bench.phases import BenchError
from mtjlearn.firmware import ToolMissing, find_arm_gcc, find_avr_gcc, firmware_root
from mtjlearn.firmware.compilers import find_host_cc
from mtjlearn.inprocess.uno import CLOCK, uno_library
from mtjlearn.network import FRACTION_BITS, RATE_BITS

STEPS = 200
"""Training steps that are counted."""
_NOTHING, _BEGIN, _STEP, _SUM = range(4)
_AVR = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-std=gnu11", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
_CORTEX = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-std=gnu11", "-fno-strict-aliasing")
_ARM = (*_CORTEX, "-ffunction-sections", "-nostartfiles", "-Wl,--gc-sections")
_DESKTOP = ("-std=gnu11", "-O3", "-fno-strict-aliasing", "-shared", "-fPIC")
_QEMU = ("qemu-system-arm", "-M", "mps2-an386", "-nic", "none", "-display", "none", "-icount", "shift=10")
_AROUND = {"uno-sim": "inference.c", "m4-sim": "qemu.c"}
"""What asks a program for rows, by chip."""
_SLICE, _PATIENCE, _MOST = 2000, 10 * CLOCK, 65536

_MANY = """
struct task {{ const {value} *x; const {value} *targets; uint32_t samples; uint32_t most; uint32_t every; float target;
               const uint16_t *codes; uint32_t code_count; uint32_t codes_per_step; }};
uint32_t many_learn(const struct task *task, const {value} *start, uint32_t rate, uint32_t seed, const uint16_t *order,
                    uint32_t first);
void many_weights(const {value} *start, uint32_t rate, uint32_t seed, const {value} *x, const {value} *targets, uint32_t steps,
                  {value} *weights);
"""

Values = NDArray[np.int16] | NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """A network of one hidden layer.

    Args:
        sizes: inputs, hidden units, outputs.
        cross_entropy: whether its loss is that of a softmax, else the squared error.
    """

    sizes: tuple[int, int, int]
    cross_entropy: bool


@dataclass(frozen=True)
class Program:
    """A learning rule as a program.

    Args:
        name: as tables say it.
        source: file of firmware/bench/cost without its ending.
        floats: whether its numbers are floats, else Q3.12.
        flags: for the compiler.
        chip_flags: further ones by chip; the arithmetic must be the same.
        chips: where it is counted: ``uno-sim``, ``m4-sim``.
        ours: whether it is a rule of lib/anp.
        rates: the smallest and the largest learning rate that are worth a try.
    """

    name: str
    source: str
    floats: bool = False
    flags: tuple[str, ...] = ()
    chip_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chips: tuple[str, ...] = ("uno-sim", "m4-sim")
    ours: bool = False
    rates: tuple[float, float] = (0.02, 0.46)

    def values(self, fixed: NDArray[np.int16], *, classes: bool = False) -> Values:
        """Values in Q3.12, or numbers of classes, as the program takes them."""
        if not self.floats:
            return np.ascontiguousarray(fixed)
        return np.ldexp(fixed, 0 if classes else -FRACTION_BITS).astype(np.float32)

    def build(self, compiler: Path, network: Shape, flags: Sequence[str | Path], target: Path) -> None:
        """Compiles the program for a network.

        Raises:
            BenchError: it does not compile.
        """
        firmware = firmware_root() / "firmware"
        names = ("INPUT_UNITS", "HIDDEN_UNITS", "OUTPUT_UNITS")
        defined = [f"-D{name}={size}" for name, size in zip(names, network.sizes, strict=True)]
        defined += ["-DCROSS_ENTROPY"] * network.cross_entropy + ["-DFLOATS"] * self.floats
        needed = self.ours or (network.cross_entropy and not self.floats)
        here, learner = firmware / "bench" / "cost", firmware / "lib" / "anp" / "src"
        command: list[str | Path] = [compiler, f"-I{here}", f"-I{learner}", here / f"{self.source}.c"]
        command += [*defined, *self.flags, *flags, *sorted(learner.glob("*.[cS]")) * needed]
        environment = {**os.environ, "LC_ALL": "C"}
        run = subprocess.run([*command, "-o", target, "-lm"], env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            lines = [line for line in run.stderr.splitlines() if "error" in line] or run.stderr.splitlines() or ["no message"]
            raise BenchError(f"{self.name} does not compile: {lines[0]}")


_OURS = ("-Os", "-flto", "-fuse-linker-plugin")
"""As the Uno's firmware is built."""
PROGRAMS = (
    Program(
        "ANP",
        "perturbation",
        flags=("-DRULE=0",),
        chip_flags={"uno-sim": ("-DANP_ONE_RULE",)},
        ours=True,
        rates=(0.056, 0.64),
    ),
    Program("anp-exact", "perturbation", flags=("-DRULE=1",), ours=True, rates=(0.113, 1.29)),
    Program("feedback", "perturbation", flags=("-DRULE=2",), ours=True, rates=(0.226, 2.57)),
    Program("backprop, float", "backprop_float", floats=True),
    Program("backprop, int16", "backprop_int16"),
    Program(
        "backprop, int16, assembly", "backprop_int16", chip_flags={"uno-sim": ("-DINLINE_MULTIPLICATION",)}, chips=("uno-sim",)
    ),
)
"""The rules that are compared."""


@dataclass(frozen=True)
class Begin:
    """What a training begins with.

    Args:
        network: what learns.
        weights: first weights in Q3.12, rows with the bias last, all layers one behind the other.
        rate: learning rate.
        seed: of what is random in the rule, 1 .. 2^32 - 1.
    """

    network: Shape
    weights: NDArray[np.int16]
    rate: float
    seed: int = 1

    @property
    def rate_q(self) -> int:
        """The rate in Q4.28."""
        return round(self.rate * 2.0**RATE_BITS)


def count(program: Program, chip: str, begin: Begin, x: NDArray[np.int16], targets: NDArray[np.int16]) -> tuple[NDArray[Any], int]:
    """Counts the training steps of a program on a simulated chip.

    Args:
        program: the rule.
        chip: ``uno-sim`` or ``m4-sim``.
        begin: where it begins.
        x: inputs of one step each, shape (steps, inputs), Q3.12.
        targets: shape (steps, outputs), Q3.12, or (steps, 1) classes.

    Returns:
        Cycles or instructions of each step, and the sum of the weights after the last (sum_of_weights()).

    Raises:
        ToolMissing, FirmwareError: compiler or simulator are missing.
        BenchError: it does not compile, or the chip does not answer.
    """
    samples = np.concatenate([program.values(x), program.values(targets, classes=begin.network.cross_entropy)], axis=1)
    size = 4 + -(-samples[0].nbytes // 4) * 4
    parts = [(_BEGIN, b""), (_NOTHING, b""), *((_STEP, row.tobytes()) for row in samples), (_SUM, b"")]
    rows = [(bytes([what, 0, 0, 0]) + sample).ljust(size, b"\0") for what, sample in parts]
    with tempfile.TemporaryDirectory() as folder:
        weights = program.values(begin.weights).tolist()
        start = f'#include "rule.h"\nstatic const value start[] = {{{", ".join(map(repr, weights))}}};\n'
        text = f"#define RATE {begin.rate_q}u\n#define SEED {begin.seed}u\n{start}"
        (Path(folder) / "start.h").write_text(text, encoding="utf-8")
        (Path(folder) / "program.c").write_text(
            f'#include "start.h"\n#include "row.h"\n#include "{_AROUND[chip]}"\n', encoding="utf-8"
        )
        answers = (_on_uno if chip == "uno-sim" else _on_cortex)(program, begin, Path(folder), rows)
    costs = np.array([cost for _, cost in answers])
    return costs[2:-1] - costs[1], answers[-1][0]


def _on_uno(program: Program, begin: Begin, folder: Path, rows: list[bytes]) -> list[tuple[int, int]]:
    bench, elf = firmware_root() / "firmware" / "bench", folder / "program.elf"
    flags = [*_AVR, *(_OURS if program.ours else ("-O3",)), *program.chip_flags.get("uno-sim", ())]
    program.build(find_avr_gcc(), begin.network, [*flags, f"-I{folder}", f"-I{bench}", folder / "program.c"], elf)
    ffi, lib = uno_library()
    chip = ffi.gc(lib.uno_create(str(elf).encode(), 1, 0, 0, ffi.NULL, False), lib.uno_destroy)
    lib.uno_hurry(chip)
    buffer = ffi.new("uint8_t[]", _MOST)

    def take(wanted: int) -> bytes:
        said, until = b"", lib.uno_cycle(chip) + _PATIENCE
        while len(said) < wanted:
            if not lib.uno_run(chip, _SLICE) or lib.uno_cycle(chip) > until:
                raise BenchError(f"the simulated chip does not answer; {program.name} is too large for its memory")
            said += bytes(ffi.buffer(buffer, lib.uno_take(chip, buffer, _MOST)))
        return said

    take(1)
    said = []
    for row in rows:
        interruption.check()
        lib.uno_push(chip, row, len(row))
        said.append(_answer(take(8)))
    return said


def _on_cortex(program: Program, begin: Begin, folder: Path, rows: list[bytes]) -> list[tuple[int, int]]:
    firmware, elf = firmware_root() / "firmware", folder / "program.elf"
    board = firmware / "boards" / "qemu"
    flags = [*_ARM, "-O2", *program.chip_flags.get("m4-sim", ()), f"-I{folder}", f"-I{board}", f"-T{board / 'mps2.ld'}"]
    program.build(find_arm_gcc(), begin.network, [*flags, folder / "program.c", board / "semihosting.c"], elf)
    if shutil.which(_QEMU[0]) is None:
        raise ToolMissing(f"{_QEMU[0]} is missing; install it: apt-get install qemu-system-arm")
    command: list[str | Path] = [*_QEMU, "-kernel", elf, "-semihosting-config", "enable=on,target=native"]
    run = subprocess.run(command, input=b"".join(rows), capture_output=True, timeout=300, check=False)
    if len(run.stdout) != 8 * len(rows):
        raise BenchError(f"the simulated chip stopped with {program.name}: {run.stderr.decode(errors='replace').strip()[-200:]}")
    return [_answer(run.stdout[at : at + 8]) for at in range(0, len(run.stdout), 8)]


def _answer(said: bytes) -> tuple[int, int]:
    return int.from_bytes(said[:4], "little"), int.from_bytes(said[4:8], "little")


def sum_of_weights(weights: Values) -> int:
    """FNV-1a over the bytes of weights, as a chip says it."""
    found = 2166136261
    for byte in weights.tobytes():
        found = (found ^ byte) * 16777619 & 0xFFFFFFFF
    return found


@dataclass(frozen=True)
class Goal:
    """What is learned, and when it counts as learned.

    Args:
        x: inputs, shape (samples, inputs), Q3.12.
        targets: shape (samples, outputs), Q3.12, or (samples, 1) classes.
        target: with one output the largest mean squared error, with several the smallest share of right classes.
        most: steps after which a training has failed.
        every: steps between two looks.
    """

    x: NDArray[np.int16]
    targets: NDArray[np.int16]
    target: float
    most: int
    every: int


class Desktop:
    """A rule on this computer, with the chips' arithmetic; floats may differ in their last bits.

    Args:
        program: the rule.
        network: what learns.

    Raises:
        ToolMissing: there is no C compiler.
        BenchError: it does not compile.
    """

    def __init__(self, program: Program, network: Shape) -> None:
        self._program, self._network = program, network
        self._value = "float" if program.floats else "int16_t"
        self._ffi = cffi.FFI()
        self._ffi.cdef(_MANY.format(value=self._value))
        many = firmware_root() / "firmware" / "bench" / "cost" / "many.c"
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "rule.so"
            program.build(find_host_cc(), network, [*_DESKTOP, many], library)
            self._lib = self._ffi.dlopen(str(library))

    def learn(
        self, goal: Goal, begins: Sequence[Begin], orders: NDArray[np.uint16], codes: NDArray[np.uint16], codes_per_step: int
    ) -> NDArray[np.float64]:
        """Steps until the target is reached, one for each begin; infinite where it was not.

        Args:
            goal: what is learned.
            begins: of the trainings.
            orders: samples, shape (trainings, goal.most).
            codes: one recording of noise, from which each training reads from a place of its own on.
            codes_per_step: codes that arrive before each step.
        """
        x, targets = self._program.values(goal.x), self._targets(goal.targets)
        recording = np.ascontiguousarray(codes)
        fields = (len(goal.x), goal.most, goal.every, goal.target)
        task = self._ffi.new(
            "struct task *", (self._at(x), self._at(targets), *fields, self._codes(recording), len(recording), codes_per_step)
        )
        steps = []
        for number, begin in enumerate(begins):
            interruption.check()
            start, order = self._program.values(begin.weights), np.ascontiguousarray(orders[number])
            first = number * 7919 % (len(recording) - 200)
            steps.append(self._lib.many_learn(task, self._at(start), begin.rate_q, begin.seed, self._codes(order), first))
        found = np.array(steps, dtype=np.float64)
        return np.where(found > goal.most, np.inf, found)

    def weights(self, begin: Begin, x: NDArray[np.int16], targets: NDArray[np.int16]) -> Values:
        """The weights after these samples in turn, without fresh noise, as on a chip in :func:`count`."""
        start, inputs, wanted = self._program.values(begin.weights), self._program.values(x), self._targets(targets)
        end = np.zeros_like(start)
        arguments = (begin.rate_q, begin.seed, self._at(inputs), self._at(wanted), len(inputs), self._at(end))
        self._lib.many_weights(self._at(start), *arguments)
        return end

    def _targets(self, targets: NDArray[np.int16]) -> Values:
        return self._program.values(targets, classes=self._network.cross_entropy)

    def _at(self, array: Values) -> Any:
        return self._ffi.cast(f"{self._value} *", self._ffi.from_buffer(array))

    def _codes(self, array: NDArray[np.uint16]) -> Any:
        return self._ffi.cast("const uint16_t *", self._ffi.from_buffer(array))
