"""A model as a C header of numbers, and what that includes: the inference part of firmware/lib/anp, which has all arithmetic.

The same integers, and the same outputs to the last bit, as a board.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtjlearn.firmware.sources import firmware_root
from mtjlearn.fixedpoint.arithmetic import ONE
from mtjlearn.models.model import Integers, Model
from mtjlearn.models.names import input_list, origin_lines, text_literal
from mtjlearn.models.predict import input_factors

INFERENCE = "anp_inference.h"
"""What every exported header includes, next to it."""
_COLUMNS = 16


def inference_part() -> str:
    """The text of :data:`INFERENCE`.

    Raises:
        FirmwareError: the firmware's sources are missing.
    """
    return (firmware_root() / "firmware" / "lib" / "anp" / "src" / INFERENCE).read_text(encoding="utf-8")


def c_header(model: Model, name: str) -> str:
    """The header's text.

    Args:
        model: what it computes.
        name: prefix of all names in it.
    """
    sizes = model.network.sizes
    upper = name.upper()
    mean, factor = input_factors(model.input_scaling)
    arrays: list[tuple[str, Integers]] = [(f"weights_{layer}", rows) for layer, rows in enumerate(model.readable_weights())]
    matrices = [(layer, model.matrix_of(layer)) for layer in range(model.network.layers)]
    arrays += [(f"matrix_{layer}", matrix) for layer, matrix in matrices if matrix is not None]
    return _HEADER.format(
        about="\n".join(f" * {line}" for line in origin_lines(model)),
        inputs=input_list(model),
        name=name,
        upper=upper,
        part=INFERENCE,
        input_count=sizes[0],
        output_count=sizes[-1],
        arrays="\n".join(f"static const int16_t {name}_{what}[] ANP_IN_FLASH = {{{_numbers(array)}}};" for what, array in arrays),
        mean=_floats(mean),
        factor=_floats(factor),
        layers=_layers(model, name),
        result=_classes(model, name, upper) if model.classes is not None else _values(model, name, upper),
    )


def _numbers(values: Integers) -> str:
    return _wrapped(str(value) for value in values.ravel().tolist())


def _floats(values: NDArray[np.float32]) -> str:
    """Nine digits make a number of single precision whole again."""
    return _wrapped(f"{float(value):.8e}f" for value in values)


def _wrapped(cells: Iterable[str]) -> str:
    listed = list(cells)
    lines = [", ".join(listed[start : start + _COLUMNS]) for start in range(0, len(listed), _COLUMNS)]
    return lines[0] if len(lines) == 1 else "\n    " + ",\n    ".join(lines) + "\n"


def _layers(model: Model, name: str) -> str:
    """The passes' statements; the values of a layer and of the next lie in two arrays in turn."""
    passes: list[tuple[str, int]] = []
    for layer, (fan_in, units) in enumerate(pairwise(model.network.sizes)):
        if model.matrix_of(layer) is not None:
            passes.append((f"anp_decorrelated({name}_matrix_{layer}, {{x}}, {fan_in}, {{y}});", 0))
        rectified = units if layer < model.network.layers - 1 else 0
        passes.append((f"anp_layer({name}_weights_{layer}, {{x}}, {fan_in}, {{y}}, {units});", rectified))
    widest = max(model.network.sizes)
    arrays = ["one", "other"][: len(passes)]
    lines = [f"int16_t {', '.join(f'{array}[{widest}]' for array in arrays)};"]
    lines.append(f"anp_scale(features, {name}_mean, {name}_factor, one, {model.network.sizes[0]});")
    for number, (statement, rectified) in enumerate(passes):
        x, y = ("one", "other") if number % 2 == 0 else ("other", "one")
        y = "outputs" if number == len(passes) - 1 else y
        lines.append(statement.format(x=x, y=y))
        lines += [f"anp_leaky({y}, {rectified}, {model.network.shift});"] if rectified else []
    return "\n".join(f"    {line}" for line in lines)


def _classes(model: Model, name: str, upper: str) -> str:
    assert model.classes is not None
    names = ", ".join(text_literal(text) for text in model.classes)
    choice = "outputs[0] >= 0" if model.network.sizes[-1] == 1 else f"anp_largest(outputs, {upper}_OUTPUTS)"
    return f"""#define {upper}_CLASSES {len(model.classes)}
static const char *const {name}_classes[{upper}_CLASSES] = {{{names}}};

/* The number of the class that fits the features best; its name is {name}_classes[number]. */
static inline int {name}_predict(const float features[{upper}_INPUTS])
{{
    int16_t outputs[{upper}_OUTPUTS];
    {name}_outputs(features, outputs);
    return {choice};
}}"""


def _values(model: Model, name: str, upper: str) -> str:
    assert model.target_scaling is not None
    mean, std = model.target_scaling.mean.astype(np.float32), (model.target_scaling.std / ONE).astype(np.float32)
    single = model.network.sizes[-1] == 1
    arrays = f"""static const float {name}_target_mean[{upper}_OUTPUTS] = {{{_floats(mean)}}};
static const float {name}_target_factor[{upper}_OUTPUTS] = {{{_floats(std)}}};
"""
    if single:
        return f"""{arrays}
/* The target, in the unit of the data. */
static inline float {name}_predict(const float features[{upper}_INPUTS])
{{
    int16_t outputs[{upper}_OUTPUTS];
    {name}_outputs(features, outputs);
    return {name}_target_mean[0] + (float)outputs[0] * {name}_target_factor[0];
}}"""
    return f"""{arrays}
/* The targets, in the units of the data. */
static inline void {name}_predict(const float features[{upper}_INPUTS], float targets[{upper}_OUTPUTS])
{{
    int16_t outputs[{upper}_OUTPUTS];
    {name}_outputs(features, outputs);
    for (int i = 0; i < {upper}_OUTPUTS; i++)
        targets[i] = {name}_target_mean[i] + (float)outputs[i] * {name}_target_factor[i];
}}"""


_HEADER = """/* A network that was trained with mtjlearn, for C and C++; {part} next to it computes.
 *
{about}
 *
 * The features, in the units of the data: {inputs}.
 * {name}_predict() says what they mean; {name}_outputs() has the outputs of the network, equal to a board's to the last bit. */
#ifndef {upper}_H
#define {upper}_H

#include "{part}"

#define {upper}_INPUTS {input_count}
#define {upper}_OUTPUTS {output_count}

{arrays}
static const float {name}_mean[{upper}_INPUTS] ANP_IN_FLASH = {{{mean}}};
static const float {name}_factor[{upper}_INPUTS] ANP_IN_FLASH = {{{factor}}};

/* The outputs of the network, 4096 for 1. */
static inline void {name}_outputs(const float features[{upper}_INPUTS], int16_t outputs[{upper}_OUTPUTS])
{{
{layers}
}}

{result}

#endif
"""
