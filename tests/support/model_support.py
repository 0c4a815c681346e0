"""Models of random networks, and the programs that they are exported to, run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Scaling
from mtjlearn.models import Model
from mtjlearn.models.export import export
from mtjlearn.network import Loss, Network, WeightFormat
from mtjlearn.runs import Run
from mtjlearn.training import default_plan, train
from mtjlearn.training.models import model_of_run
from mtjlearn.virtual.micropython import interpreter

_MAIN = """
#include <stdio.h>
#include "{name}.h"
int main(void)
{{
    float features[{upper}_INPUTS];
    int16_t outputs[{upper}_OUTPUTS];
    while (fread(features, sizeof features, 1, stdin) == 1) {{
        {name}_outputs(features, outputs);
        fwrite(outputs, sizeof outputs, 1, stdout);
        (void){name}_predict;
    }}
    return 0;
}}
"""
_SCRIPT = """
import struct, sys
sys.path.append({folder!r})
import {name} as model
read = sys.stdin.buffer.read
for _ in range({rows}):
    values = model.outputs(struct.unpack("<{inputs}f", read({size})))
    print(*values)
"""


def random_model(
    sizes: Sequence[int],
    seed: int = 0,
    *,
    classes: bool = True,
    decorrelated: bool = False,
    weight_format: WeightFormat = WeightFormat.INT16,
    largest: int = 6000,
    slope: int = 7,
) -> Model:
    """A model with weights up to ``largest`` / 4096, and scaling of all orders of magnitude."""
    rng = np.random.default_rng(seed)
    network = Network(
        tuple(sizes),
        loss=Loss.CROSS_ENTROPY if classes and sizes[-1] > 1 else Loss.SQUARED,
        weight_format=weight_format,
        decorrelate=(decorrelated,) * (len(sizes) - 1),
        decorrelation_rate=2**-12 if decorrelated else 0.0,
        slope=slope,
    )
    wide = weight_format is WeightFormat.INT32
    kind, factor = (np.int32, 1 << 16) if wide else (np.int16, 1)
    weights = [
        (rng.integers(-largest, largest + 1, (units, fan_in + 1)) * factor).astype(kind) for fan_in, units in pairwise(sizes)
    ]
    matrices = [rng.integers(-9000, 9001, (size, size)).astype(np.int16) for size in sizes[:-1]] if decorrelated else []
    std = 10.0 ** rng.uniform(-3, 3, sizes[0])
    std[0] = 0.0 if sizes[0] > 2 else std[0]
    return Model(
        network,
        tuple(weights),
        tuple(matrices),
        tuple(f"x{number}" for number in range(sizes[0])),
        Scaling(rng.normal(0, 5, sizes[0]), std),
        ("class",) if classes else tuple(f"y{number}" for number in range(sizes[-1])),
        tuple(f"c{number}" for number in range(max(2, sizes[-1]))) if classes else None,
        None if classes else Scaling(rng.normal(0, 5, sizes[-1]), np.ones(sizes[-1])),
        {"data": "random"},
    )


class Silent:
    """Nobody who watches a training."""

    def note(self, text: str) -> None: ...

    def progress(self, *values: object) -> None: ...


EPOCHS = {"iris": 20, "wine": 20, "digits": 2}
"""What :func:`trained_model` learns, and how often it sees it."""


def trained_model(name: str, folder: Path) -> Model:
    """What ``mtjlearn train NAME --board inprocess --seed 1 --epochs N`` learns of a built-in dataset, the same every time."""
    plan = default_plan(name, seed=1, board="inprocess", epochs=EPOCHS[name], reference=False)
    run = Run.create(folder, "train", name, 1, plan.config())
    train(plan, run, Silent(), plots=False)
    return model_of_run(run.path)


def rows_for(model: Model, count: int, seed: int = 0) -> NDArray[np.float64]:
    """Inputs in single precision, some far out."""
    rng = np.random.default_rng(seed)
    spread = np.where(model.input_scaling.std == 0, 1.0, model.input_scaling.std)
    values = model.input_scaling.mean + spread * rng.standard_t(2, (count, len(model.inputs)))
    return values.astype(np.float32).astype(np.float64)


def outputs_in_c(model: Model, x: NDArray[np.float64], folder: Path, options: Sequence[str] = ()) -> NDArray[np.int16]:
    """What the exported header computes."""
    export(model, "c", folder / "exported.h", "exported")
    (folder / "main.c").write_text(_MAIN.format(name="exported", upper="EXPORTED"))
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", *options, "main.c", "-o", "exported"]
    subprocess.run(command, cwd=folder, check=True)
    run = subprocess.run([folder / "exported"], input=x.astype("<f4").tobytes(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, "<i2").reshape(len(x), -1)


def outputs_in_micropython(model: Model, x: NDArray[np.float64], folder: Path) -> NDArray[np.int16]:
    """What the exported module computes in the Unix port."""
    export(model, "micropython", folder / "exported.py", "exported")
    script = folder / "script.py"
    inputs = x.shape[1]
    script.write_text(_SCRIPT.format(folder=str(folder), name="exported", rows=len(x), inputs=inputs, size=4 * inputs))
    run = subprocess.run([*interpreter(), str(script)], input=x.astype("<f4").tobytes(), capture_output=True, check=True)
    return np.array([line.split() for line in run.stdout.decode().splitlines()], dtype=np.int16)
