"""Online steps of ANP and DANP in compiled C: of small networks, NumPy spends nearly all of its time between operations.

What NumPy computes is the specification, and learns where the library is missing or an option is not covered. Both add in other
orders: after some hundred steps weights and losses agree to about 4e-15 of the largest weight, and tests hold 1e-12. Where the
losses of both passes are equal but for rounding (a softmax whose outputs have the same noise), one may count the step as skipped
and the other not.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.network import Loss, Network
from mtjlearn.reference.rules import Model

LIBRARY = "mtjlearn-reference"
_DEFINITIONS = """
struct reference_layer {
    double *weights, *matrix;
    int64_t inputs, units;
};
struct reference {
    const struct reference_layer *layers;
    int64_t layer_count, replicas;
    int32_t cross_entropy, normalised;
    double slope, rate, decorrelation_rate;
};
struct reference_data {
    const double *x, *targets;
    const int64_t *classes;
    const double *noise;
    int64_t samples, x_replicas, target_replicas;
};
int64_t reference_scratch(const struct reference *net);
void reference_train(const struct reference *net, const struct reference_data *data, double *scratch, double *losses,
                     int64_t *skipped);
"""


def is_compiled() -> bool:
    """Whether this installation has the library."""
    return _library() is not None


@cache
def _library() -> tuple[Any, Any] | None:
    from mtjlearn.firmware.compiled import NotBuiltError
    from mtjlearn.inprocess.loader import Library

    try:
        return Library(_DEFINITIONS, LIBRARY).load()
    except (NotBuiltError, OSError):
        return None


def train_compiled(
    network: Network,
    model: Model,
    x: NDArray[np.generic],
    target: NDArray[np.generic],
    noise: NDArray[np.float64],
    rate: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Trains on samples, one step each, in order; weights and matrices change in place.

    Args:
        network: loss, normalised step and decorrelation rate.
        model: what learns: arrays of NumPy in float64, without offsets.
        x: inputs, (S, 1 or R, n0).
        target: targets (S, 1 or R, outputs), or classes (S, 1 or R).
        noise: of both passes, (R, 2, S, N).
        rate: learning rate.

    Returns:
        Summed losses and skipped samples of each replica, (R,).
    """
    loaded = _library()
    assert loaded is not None
    ffi, lib = loaded
    inputs = np.ascontiguousarray(x, dtype=np.float64)
    classes = network.loss is Loss.CROSS_ENTROPY
    targets = np.ascontiguousarray(target, dtype=np.int64 if classes else np.float64)
    values = np.ascontiguousarray(noise.transpose(2, 0, 1, 3))
    replicas = noise.shape[0]
    layers = ffi.new("struct reference_layer[]", len(model.weights))
    for layer, rows, matrix in zip(layers, model.weights, model.matrices, strict=True):
        layer.weights, layer.inputs, layer.units = _pointer(ffi, rows), rows.shape[2] - 1, rows.shape[1]
        layer.matrix = ffi.NULL if matrix is None else _pointer(ffi, matrix)
    net = ffi.new(
        "struct reference *",
        (layers, len(model.weights), replicas, classes, network.normalised, model.slope, rate, network.decorrelation_rate),
    )
    pointers = (ffi.NULL, _pointer(ffi, targets, "int64_t *")) if classes else (_pointer(ffi, targets), ffi.NULL)
    data = ffi.new(
        "struct reference_data *",
        (_pointer(ffi, inputs), *pointers, _pointer(ffi, values), len(inputs), inputs.shape[1], targets.shape[1]),
    )
    scratch = np.empty(lib.reference_scratch(net))
    losses, skipped = np.zeros(replicas), np.zeros(replicas, dtype=np.int64)
    lib.reference_train(net, data, _pointer(ffi, scratch), _pointer(ffi, losses), _pointer(ffi, skipped, "int64_t *"))
    return losses, skipped


def _pointer(ffi: Any, array: NDArray[Any], kind: str = "double *") -> Any:
    return ffi.from_buffer(kind, array)
