"""A model as one C header that needs nothing else: the same integers, and the same outputs to the last bit, as a board.

Inputs are scaled in single precision, with a subtraction, a multiplication and an addition that every machine rounds alike;
volatile variables keep compilers from fusing them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint.arithmetic import INT16_LIMIT, ONE
from mtjlearn.models.model import Integers, Model
from mtjlearn.models.names import input_list, origin_lines, text_literal
from mtjlearn.models.predict import input_factors

_COLUMNS = 16


def c_header(model: Model, name: str) -> str:
    """The header's text.

    Args:
        model: what it computes.
        name: prefix of all names in it.
    """
    sizes = model.network.sizes
    upper = name.upper()
    mean, factor = input_factors(model.input_scaling)
    width = "int32_t" if fits_32_bits(model) else "int64_t"
    arrays: list[tuple[str, Integers]] = [(f"weights_{layer}", rows) for layer, rows in enumerate(model.readable_weights())]
    matrices = [(layer, model.matrix_of(layer)) for layer in range(model.network.layers)]
    arrays += [(f"matrix_{layer}", matrix) for layer, matrix in matrices if matrix is not None]
    return _HEADER.format(
        about="\n".join(f" * {line}" for line in origin_lines(model)),
        inputs=input_list(model),
        name=name,
        upper=upper,
        input_count=sizes[0],
        output_count=sizes[-1],
        widest=max(sizes),
        arrays="\n".join(f"static const int16_t {name}_{what}[] {upper}_FLASH = {{{_numbers(array)}}};" for what, array in arrays),
        mean=_floats(mean),
        factor=_floats(factor),
        sum_type=width,
        layers=_layers(model, name),
        result=_classes(model, name, upper) if model.classes is not None else _values(model, name, upper),
    )


def fits_32_bits(model: Model) -> bool:
    """Whether no sum of a forward pass needs more than 32 bits, whatever the inputs are."""
    weights = [np.abs(rows.astype(np.int64)) for rows in model.readable_weights()]
    sums = [rows[:, :-1].sum(axis=1) * INT16_LIMIT + rows[:, -1] * ONE for rows in weights]
    sums += [np.abs(matrix.astype(np.int64)).sum(axis=1) * INT16_LIMIT for matrix in model.matrices]
    return all(int(row.max()) + (1 << 13) < 1 << 31 for row in sums)


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
    lines = []
    last = model.network.layers - 1
    for layer, (fan_in, units) in enumerate(pairwise(model.network.sizes)):
        if model.matrix_of(layer) is not None:
            lines.append(f"    {name}_product({name}_matrix_{layer}, x, {fan_in}, y, {fan_in}, 14, 0);")
            lines.append("    swap = x; x = y; y = swap;")
        target = "outputs" if layer == last else "y"
        lines.append(f"    {name}_product({name}_weights_{layer}, x, {fan_in}, {target}, {units}, 12, 1);")
        if layer != last:
            lines.append("    swap = x; x = y; y = swap;")
            lines.append(f"    {name}_leaky_relu(x, {units});")
    return "\n".join(lines)


def _classes(model: Model, name: str, upper: str) -> str:
    assert model.classes is not None
    names = ", ".join(text_literal(text) for text in model.classes)
    choice = _ONE_OUTPUT if model.network.sizes[-1] == 1 else _LARGEST_OUTPUT.format(upper=upper)
    return f"""#define {upper}_CLASSES {len(model.classes)}
static const char *const {name}_classes[{upper}_CLASSES] = {{{names}}};

/* The number of the class that fits the features best; its name is {name}_classes[number]. */
static inline int {name}_predict(const float features[{upper}_INPUTS])
{{
    int16_t outputs[{upper}_OUTPUTS];
    {name}_outputs(features, outputs);
{choice}
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


_ONE_OUTPUT = "    return outputs[0] >= 0;"
_LARGEST_OUTPUT = """\
    int best = 0;
    for (int i = 1; i < {upper}_OUTPUTS; i++)
        if (outputs[i] > outputs[best])
            best = i;
    return best;"""
_HEADER = """/* A network that was trained with mtjlearn, as one header for C and C++, which needs nothing else.
 *
{about}
 *
 * The features, in the units of the data: {inputs}.
 * {name}_predict() says what they mean; {name}_outputs() has the outputs of the network, equal to a board's to the last bit. */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define {upper}_FLASH PROGMEM
#define {upper}_READ(place) ((int16_t)pgm_read_word(place))
#else
#define {upper}_FLASH
#define {upper}_READ(place) (*(place))
#endif

#define {upper}_INPUTS {input_count}
#define {upper}_OUTPUTS {output_count}

{arrays}
static const float {name}_mean[{upper}_INPUTS] = {{{mean}}};
static const float {name}_factor[{upper}_INPUTS] = {{{factor}}};

/* A feature as the network reads it: in standard deviations, times 4096. */
static inline int16_t {name}_scaled(float feature, int input)
{{
    /* Volatile: each is rounded by itself, so that every machine finds the same. */
    volatile float distance = feature - {name}_mean[input];
    volatile float product = distance * {name}_factor[input];
    float value = product;
    if ({name}_factor[input] == 0.0f)
        return 0;
    if (!(value < 32767.0f))
        return 32767;
    if (!(value > -32767.0f))
        return -32767;
    return (int16_t)(value < 0.0f ? value - 0.5f : value + 0.5f);
}}

/* z = W x, and the bias if there is one, as shared/numerics.md of mtjlearn says in section 4. */
static inline void {name}_product(const int16_t *rows, const int16_t *x, int inputs, int16_t *z, int units, int shift, int bias)
{{
    for (int i = 0; i < units; i++) {{
        {sum_type} sum = ({sum_type})1 << (shift - 1);
        for (int j = 0; j < inputs; j++)
            sum += (int32_t){upper}_READ(rows++) * x[j];
        if (bias)
            sum += (int32_t){upper}_READ(rows++) * 4096;
        sum >>= shift;
        z[i] = (int16_t)(sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum);
    }}
}}

static inline void {name}_leaky_relu(int16_t *z, int units)
{{
    for (int i = 0; i < units; i++)
        if (z[i] < 0)
            z[i] = (int16_t)-(-z[i] >> 7);
}}

/* The outputs of the network, 4096 for 1. */
static inline void {name}_outputs(const float features[{upper}_INPUTS], int16_t outputs[{upper}_OUTPUTS])
{{
    int16_t one[{widest}], other[{widest}], *x = one, *y = other, *swap;
    for (int i = 0; i < {upper}_INPUTS; i++)
        x[i] = {name}_scaled(features[i], i);
{layers}
    (void)y;
    (void)swap;
}}

{result}

#endif
"""
