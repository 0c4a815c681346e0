"""What training and evaluating give, and what is called meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Schedule = Callable[[int], ArrayLike]
"""Factor on the learning rate in an epoch (0, 1, ...), or at each of its samples, (M,); a batch has that of its first one."""
Progress = Callable[[int, int, NDArray[np.float64]], None]
"""Called now and then with: samples trained, samples to train in all, mean training loss since the last call, (R,)."""


@dataclass(frozen=True)
class History:
    """What training recorded.

    Args:
        losses: mean training loss of each epoch, (epochs, R): of the first pass with ANP, of the clean pass otherwise.
        skipped: samples that gave no update, (R,).
    """

    losses: NDArray[np.float64]
    skipped: NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Clean test results of each replica, (R,): mean loss and fraction classified right."""

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
