"""One network as several programs for the Uno: the exported one, a plain loop in floats, and what emlearn generates.

Each is a C file that defines INPUTS, ANSWER_BYTES and infer() for firmware/bench/inference.c. All scale their features alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint.arithmetic import ONE
from mtjlearn.models import Model
from mtjlearn.models.export_c import INFERENCE, c_header, inference_part


@dataclass(frozen=True)
class Program:
    """The sources of a program.

    Args:
        main: the file that defines infer().
        inputs: features of a row.
        answer_bytes: bytes of what infer() writes.
        class_of: the number of the class that an answer names.
        files: texts by name.
        stack: bytes of the arrays on the stack.
        include: folders with what they include.
    """

    main: str
    inputs: int
    answer_bytes: int
    class_of: Callable[[bytes], int]
    files: Mapping[str, str]
    stack: int = 0
    include: tuple[Path, ...] = field(default=())


def exported(model: Model) -> Program:
    """What ``mtjlearn export --to c`` writes; its answer is the outputs, int16."""
    outputs = model.network.sizes[-1]
    files = {"program.c": _EXPORTED, "network.h": c_header(model, "network"), INFERENCE: inference_part()}
    stack = 4 * max(model.network.sizes)
    return Program("program.c", len(model.inputs), 2 * outputs, _largest("<i2"), files, stack)


def plain_float(model: Model) -> Program:
    """The same network as a loop in floats: leaky ReLUs, the weights in flash; its answer is the outputs, float."""
    layers = list(pairwise(model.network.sizes))
    arrays = [f"static const float rows_{layer}[] PROGMEM = {_floats(rows)};" for layer, rows in enumerate(_weights(model))]
    passes = [
        f"    layer(rows_{layer}, {'xyxyxyxyx'[layer]}, {fan_in}, {'yxyxyxyxy'[layer]}, {units}, {int(layer < len(layers) - 1)});"
        for layer, (fan_in, units) in enumerate(layers)
    ]
    last = "yx"[(len(layers) - 1) % 2]
    text = _PLAIN.format(
        scaling=_scaling(model),
        arrays="\n".join(arrays),
        passes="\n".join(passes),
        widest=max(model.network.sizes),
        last=last,
        outputs=model.network.sizes[-1],
        slope=2.0**-model.network.shift,
    )
    size, stack, files = 4 * model.network.sizes[-1], 8 * max(model.network.sizes), {"program.c": text}
    return Program("program.c", len(model.inputs), size, _largest("<f4"), files, stack)


def emlearn_float(model: Model) -> Program:
    """What emlearn generates for the same weights, with ReLUs since it has no leaky ones; its answer is the class, int16.

    Its inputs are scaled as a user has to do it, in floats.
    """
    import emlearn
    from emlearn.net import c_generate_net_loadable

    rows = _weights(model)
    activations = ["relu"] * (len(rows) - 1) + ["identity"]
    weights, biases = [layer[:, :-1].T for layer in rows], [layer[:, -1] for layer in rows]
    files = {"program.c": _EMLEARN.format(scaling=_scaling(model), inputs=len(model.inputs))}
    files["network.h"] = c_generate_net_loadable(activations, weights, biases, prefix="network")
    includes = (Path(emlearn.includedir),)
    return Program("program.c", len(model.inputs), 2, lambda answer: int.from_bytes(answer, "little"), files, 0, includes)


def _largest(kind: str) -> Callable[[bytes], int]:
    """The place of the largest of numbers of this kind."""
    return lambda answer: int(np.argmax(np.frombuffer(answer, kind)))


def _weights(model: Model) -> list[NDArray[np.float64]]:
    return [rows / ONE for rows in model.readable_weights()]


def _scaling(model: Model) -> str:
    std = model.input_scaling.std
    factor = np.where(std == 0, 0.0, 1.0 / np.where(std == 0, 1.0, std))
    return _SCALING.format(mean=_floats(model.input_scaling.mean), factor=_floats(factor))


def _floats(values: NDArray[np.float64]) -> str:
    return "{" + ", ".join(f"{value:.8e}f" for value in values.ravel().tolist()) + "}"


_EXPORTED = """
#include "network.h"
static void infer(const float *features, void *answer)
{
    (void)network_predict;
    network_outputs(features, answer);
}
"""
_SCALING = """
#include <avr/pgmspace.h>
#include <stdint.h>
static const float mean[] PROGMEM = {mean};
static const float factor[] PROGMEM = {factor};
static void scale(const float *features, float *x)
{{
    for (uint16_t i = 0; i < INPUTS; i++)
        x[i] = (features[i] - pgm_read_float(mean + i)) * pgm_read_float(factor + i);
}}
"""
_PLAIN = """{scaling}
{arrays}
static void layer(const float *rows, const float *x, uint16_t inputs, float *y, uint16_t units, uint8_t hidden)
{{
    for (uint16_t i = 0; i < units; i++) {{
        float sum = 0.0f;
        for (uint16_t j = 0; j < inputs; j++)
            sum += pgm_read_float(rows++) * x[j];
        sum += pgm_read_float(rows++);
        y[i] = hidden && sum < 0.0f ? sum * {slope}f : sum;
    }}
}}
static void infer(const float *features, void *answer)
{{
    float x[{widest}], y[{widest}];
    scale(features, x);
{passes}
    for (uint16_t i = 0; i < {outputs}; i++)
        ((float *)answer)[i] = {last}[i];
}}
"""
_EMLEARN = """{scaling}
#include "network.h"
static void infer(const float *features, void *answer)
{{
    static float x[INPUTS];
    scale(features, x);
    *(int16_t *)answer = (int16_t)network_predict(x, INPUTS);
}}
"""
