"""A number that stands for data: two runs with the same one learn from the same samples in the same split."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.dataset import Array, Scale, Table

_BITS = 40
"""Of each number that count: 12 digits, so that the last bits, which differ between computers where data are computed, do not."""


def digest(
    table: Table,
    classes: tuple[str, ...] | None,
    targets: NDArray[np.int64] | Array,
    split: tuple[NDArray[np.int64], ...],
    scale: Scale = "column",
) -> str:
    """SHA-256 over names, classes, numbers, split and scale, in hexadecimal; how a file writes its numbers does not matter.

    Args:
        table: the data.
        classes: their names; None for a regression.
        targets: class numbers, shape (samples,), or numbers, shape (samples, targets).
        split: rows of the training and of the test part.
        scale: how the inputs are scaled; of columns scaled one by one nothing is added, as runs of version 0.1.0 know no other.
    """
    found = hashlib.sha256(json.dumps([table.feature_names, table.target_names, classes, table.features.shape]).encode())
    for array in (table.features, targets.astype(np.float64)):
        mantissa, exponent = np.frexp(array)
        found.update(np.rint(np.ldexp(mantissa, _BITS)).astype("<i8").tobytes())
        found.update(exponent.astype("<i4").tobytes())
    for rows in split:
        found.update(rows.astype("<i8").tobytes() + b"|")
    if scale != "column":
        found.update(scale.encode())
    return found.hexdigest()
