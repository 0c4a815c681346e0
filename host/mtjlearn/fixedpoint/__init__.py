"""The integer training step in NumPy, written from shared/numerics.md, vectorised over independent replicas.

Arrays are int64 unless said otherwise; R is the number of replicas and always the first axis.
"""

from .arithmetic import bit_length, isqrt, limited, norm16, round_shift, sat16, sat32
from .draws import (
    DrawParameters,
    dither,
    dither_words,
    draw_parameters,
    initial_limit,
    initial_weights,
    noise_positions,
    xorshift32,
    xorshift32_draws,
)
from .forward import clean_outputs, decorrelated, forward, leaky_relu, pre_activation, readable, with_bias
from .losses import EXP2NEG, LOG2, cross_entropy_loss, exp2neg, is_correct, log2table, squared_loss
from .model import FixedNetwork
from .noise import NoiseError, NoiseRing, configured_deviation, measured_deviation, noise_gain, noise_value
from .update import (
    block_exponent,
    coefficient,
    global_factor,
    step_exponent,
    update_int16,
    update_int32,
    update_layer,
    update_matrix,
)

__all__ = [
    "EXP2NEG",
    "LOG2",
    "DrawParameters",
    "FixedNetwork",
    "NoiseError",
    "NoiseRing",
    "bit_length",
    "block_exponent",
    "clean_outputs",
    "coefficient",
    "configured_deviation",
    "cross_entropy_loss",
    "decorrelated",
    "dither",
    "dither_words",
    "draw_parameters",
    "exp2neg",
    "forward",
    "global_factor",
    "initial_limit",
    "initial_weights",
    "is_correct",
    "isqrt",
    "leaky_relu",
    "limited",
    "log2table",
    "measured_deviation",
    "noise_gain",
    "noise_positions",
    "noise_value",
    "norm16",
    "pre_activation",
    "readable",
    "round_shift",
    "sat16",
    "sat32",
    "squared_loss",
    "step_exponent",
    "update_int16",
    "update_int32",
    "update_layer",
    "update_matrix",
    "with_bias",
    "xorshift32",
    "xorshift32_draws",
]
