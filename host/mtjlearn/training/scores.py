"""How good outputs on the test part are, in the numbers that reports give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import Dataset, predicted_classes

EVALUATIONS = 25
"""How often the test part is evaluated during training, about."""


def is_evaluated(epoch: int, epochs: int) -> bool:
    """Whether the test part is evaluated after this epoch (1, 2, ...) of this many; always after the last one."""
    return epoch % max(1, epochs // EVALUATIONS) == 0 or epoch == epochs


def score(dataset: Dataset, outputs: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Accuracy, or coefficient of determination, of outputs on the test part; neither if R2 is undefined."""
    if dataset.classes is not None:
        return float(np.mean(predicted_classes(outputs) == dataset.y_test)), None
    if is_constant(dataset.y_test):
        return None, None
    residual = np.sum((outputs - dataset.y_test) ** 2)
    spread = np.sum((dataset.y_test - dataset.y_test.mean(axis=0)) ** 2)
    return None, float(1 - residual / spread)


def is_constant(targets: NDArray[np.float64]) -> bool:
    """Whether all targets are equal, so that R2 is undefined."""
    return bool(np.all(targets == targets[0]))
