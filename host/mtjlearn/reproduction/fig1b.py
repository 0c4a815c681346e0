"""Figure 1b: the perceptron of ANP as a circuit of junction, resistors, op-amp and diodes, simulated by ngspice.

Inputs are voltages, weights are conductances into the summing node of an op-amp. The junction is the lower resistor of a divider
and fluctuates between its two resistances, driven by a telegraph process with a seed. Its voltage is one more input of the sum.
Two diodes of opposite directions with unequal resistors are the leaky ReLU. The sum inverts, so a second op-amp inverts again.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import UserError
from mtjlearn.noise import PRESETS
from mtjlearn.noise.smtj import telegraph
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece

Array = NDArray[np.float64]

PROGRAM = "ngspice"
SUPPLY = 3.3
SERIES = 100e3
PARALLEL, ANTIPARALLEL = 3e3, 6e3
"""The divider and the junction of section III D, volts and ohm."""
FEEDBACK = 100e3
INPUTS = {"1": 1.0, "2": -0.5}
"""Weights: of the input that is swept, and of one that is held; a negative weight is an inverted input."""
HELD = 0.4
"""Volts of the second input."""
NOISE_WEIGHT = 1.0
PASSING, LEAKING, LOAD = 1e3, 10e6, 100e3
"""Resistors of the diodes that pass positive and negative sums, and of the output, ohm."""
POINTS = 161
DURATION = 10e-3
"""Seconds of the series in time."""
LEVELS = (-0.8, 0.8)
"""Volts of the first input in time: one sum below 0, one above."""

_RISE = 1e-7
"""Seconds in which the junction switches: short, and long enough for the solver."""
_STEP = 2e-6
_KEPT = 10
"""Steps from one kept value to the next."""
_TIMEOUT = 120


@dataclass(frozen=True)
class Ideal:
    """The unit that the circuit approximates: the same sum without an op-amp's limits, and an ideal leaky ReLU."""

    slope: float = (LOAD / (LOAD + LEAKING)) / (LOAD / (LOAD + PASSING))

    def sums(self, first: Array, junction: Array) -> Array:
        """Pre-activations, V, for voltages of the first input and resistances of the junction, of one shape.

        The sum takes current from the divider, which is accounted for.
        """
        lower = 1 / (1 / junction + NOISE_WEIGHT / FEEDBACK)
        noise = SUPPLY * lower / (lower + SERIES)
        return np.asarray(INPUTS["1"] * first + INPUTS["2"] * HELD + NOISE_WEIGHT * noise)

    def outputs(self, sums: Array) -> Array:
        """What the divider of load and passing resistor leaves of the leaky ReLU, V."""
        gain = LOAD / (LOAD + PASSING)
        return np.asarray(gain * np.where(sums > 0, sums, self.slope * sums))


def check(options: Options) -> None:
    """The simulator is installed.

    Raises:
        UserError: it is not.
    """
    if shutil.which(PROGRAM) is None:
        raise UserError("fig1b needs the circuit simulator ngspice: sudo apt-get install ngspice (macOS: brew install ngspice)")


def pieces(options: Options) -> list[Piece]:
    """The transfer curve in both states of the junction, and two series in time."""
    found = [Piece(f"fig1b/transfer/{ohm:g}", transfer, {"junction": ohm}) for ohm in (PARALLEL, ANTIPARALLEL)]
    return found + [Piece(f"fig1b/time/{level:g}", in_time, {"level": level, "seed": options.seed}, 3.0) for level in LEVELS]


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Both curves, both series, and how far the circuit is from the ideal unit."""
    curves = {name: dict(results[f"transfer/{ohm:g}"]) for name, ohm in (("parallel", PARALLEL), ("antiparallel", ANTIPARALLEL))}
    series = {f"{level:g}": dict(results[f"time/{level:g}"]) for level in LEVELS}
    off = [abs(np.subtract(curve["sum"], curve["ideal_sum"])).max() for curve in curves.values()]
    drop = [abs(np.subtract(curve["output"], curve["ideal_output"])).max() for curve in curves.values()]
    return {
        "slope": Ideal().slope,
        "transfer": curves,
        "time": series,
        "largest_error": {"sum": float(max(off)), "output": float(max(drop))},
        "noise_at_sum": {level: one["noise"] for level, one in series.items()},
        "noise_at_sum_ideal": {level: one["ideal_noise"] for level, one in series.items()},
        "noise_at_output": {level: one["output_noise"] for level, one in series.items()},
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Noise at the node, and the largest distances from the ideal unit."""
    below, above = (f"{level:g}" for level in LEVELS)
    noise, ideal, out = (found[name] for name in ("noise_at_sum", "noise_at_sum_ideal", "noise_at_output"))
    return [
        f"noise at the node {1000 * noise[above]:.2f} mV (ideal {1000 * ideal[above]:.2f}); "
        f"at the output {1000 * out[above]:.2f} mV where the unit is active, {1000 * out[below]:.3f} mV where it leaks",
        f"largest distance from the ideal unit: {1000 * found['largest_error']['sum']:.3f} mV of the sum, "
        f"{1000 * found['largest_error']['output']:.0f} mV of the output (a diode's forward voltage)",
    ]


def transfer(junction: float) -> dict[str, Any]:
    """Sum and output over the first input, with the junction in one state.

    Args:
        junction: its resistance, ohm.
    """
    control = f"dc V1 -1 1 {2 / (POINTS - 1):.6g}\nwrdata curve.txt v(sum) v(out)"
    table = _simulate(netlist(f"Vstate state 0 {_state(junction):g}", "0"), control, "curve.txt")
    ideal = Ideal()
    first, total, output = table[:, 0], table[:, 1], table[:, 3]
    sums = ideal.sums(first, np.full_like(first, junction))
    return {
        "input": np.round(first, 6).tolist(),
        "sum": np.round(total, 6).tolist(),
        "output": np.round(output, 6).tolist(),
        "ideal_sum": np.round(sums, 6).tolist(),
        "ideal_output": np.round(ideal.outputs(sums), 6).tolist(),
    }


def in_time(level: float, seed: int) -> dict[str, Any]:
    """Sum and output in time while the junction switches.

    Args:
        level: voltage of the first input.
        seed: of the junction.
    """
    points = switching(seed)
    source = f"Vstate state 0 PWL({' '.join(f'{time:.9g} {state:g}' for time, state in points)})"
    control = f"tran {_STEP:g} {DURATION:g} 0 {_STEP:g}\nlinearize v(sum) v(out) v(state)\nwrdata series.txt v(sum) v(out) v(state)"
    table = _simulate(netlist(source, f"{level:g}"), control, "series.txt")
    total, output, state = table[:, 1], table[:, 3], table[:, 5]
    ideal = Ideal().sums(np.full_like(state, level), PARALLEL + state * (ANTIPARALLEL - PARALLEL))
    kept = slice(None, None, _KEPT)
    return {
        "ms": np.round(1000 * table[kept, 0], 5).tolist(),
        "sum": np.round(total[kept], 6).tolist(),
        "output": np.round(output[kept], 6).tolist(),
        "ideal_sum": np.round(ideal[kept], 6).tolist(),
        "ideal_output": np.round(Ideal().outputs(ideal[kept]), 6).tolist(),
        "noise": float(total.std()),
        "ideal_noise": float(ideal.std()),
        "output_noise": float(output.std()),
        "switches": len(points) // 2,
    }


def switching(seed: int) -> list[tuple[float, float]]:
    """Corners of the junction's state over time, s: 0 parallel, 1 antiparallel."""
    generator = np.random.default_rng(seed)
    count = round(DURATION / _STEP)
    state = generator.random(1) < 0.5
    states = np.concatenate([state, telegraph(generator, state, *PRESETS["bench"].probabilities(1 / _STEP), count)[0]])
    corners = [(0.0, float(states[0]))]
    for place in np.flatnonzero(states[1:] != states[:-1]) + 1:
        corners += [(place * _STEP - _RISE, float(states[place - 1])), (place * _STEP, float(states[place]))]
    return [*corners, (DURATION + _STEP, float(states[-1]))]


def netlist(state: str, first: str) -> str:
    """The circuit.

    Args:
        state: the source of the node ``state``: 0 for the parallel, 1 for the antiparallel state.
        first: voltage of the first input.
    """
    return f"""* ANP perceptron: junction, summing amplifier, leaky ReLU of two diodes
{state}
V1 in1 0 {first}
V2 in2 0 {HELD * np.sign(INPUTS["2"]):g}
Vsupply supply 0 {SUPPLY:g}
* the junction in its divider
Rseries supply noise {SERIES:g}
Rjunction noise 0 R='{PARALLEL:g} + {ANTIPARALLEL - PARALLEL:g}*v(state)'
* weights into the summing node
Rw1 in1 minus {FEEDBACK / abs(INPUTS["1"]):g}
Rw2 in2 minus {FEEDBACK / abs(INPUTS["2"]):g}
Rwn noise minus {FEEDBACK / NOISE_WEIGHT:g}
Rf minus inverted {FEEDBACK:g}
X1 0 minus inverted opamp
Ri inverted minus2 {FEEDBACK:g}
Rf2 minus2 sum {FEEDBACK:g}
X2 0 minus2 sum opamp
* leaky ReLU
D1 sum pass schottky
Rpass pass out {PASSING:g}
D2 leak sum schottky
Rleak leak out {LEAKING:g}
Rload out 0 {LOAD:g}
.model schottky D(IS=3e-9 N=1.03 RS=5 CJO=2p)
* gain 1e5, one pole at 28 Hz (2.8 MHz gain times bandwidth, as an MCP601), output within +-2.5 V
.subckt opamp plus minus out
Gin 0 pole plus minus 1m
Rpole pole 0 1e8
Cpole pole 0 56.8p
Bout out 0 V='2.5*tanh(v(pole)/2.5)'
.ends
.options reltol=1e-4
"""


def _state(junction: float) -> float:
    return (junction - PARALLEL) / (ANTIPARALLEL - PARALLEL)


def _simulate(circuit: str, control: str, result: str) -> Array:
    """What ngspice writes into a file: pairs of columns, each the scale and a vector.

    Raises:
        UserError: the simulation failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "deck.cir"
        deck.write_text(f"{circuit}.control\nset filetype=ascii\n{control}\nquit\n.endc\n.end\n", encoding="ascii")
        try:
            done = subprocess.run(
                [PROGRAM, "-b", "-n", deck.name], cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
            return np.loadtxt(Path(folder) / result)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            said = "" if isinstance(error, subprocess.TimeoutExpired) else (done.stderr or done.stdout).strip()[-300:]
            raise UserError(f"ngspice gave no result ({said or error}); try ngspice of version 36 or newer") from None
