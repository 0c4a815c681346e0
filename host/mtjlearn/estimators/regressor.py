"""A regressor that learns from noise."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from mtjlearn.datasets import Scaling
from mtjlearn.estimators.base import ANPEstimator
from mtjlearn.estimators.learners import Float
from mtjlearn.network import Loss


class ANPRegressor(RegressorMixin, ANPEstimator):  # type: ignore[misc]
    """Numbers, learned by activity-based node perturbation (eq. 4) with the squared error.

    Inputs and targets are floats in any unit; they are scaled to mean 0 and deviation 1. The arguments are those of
    :class:`mtjlearn.estimators.ANPClassifier`; ``eta=None`` is 0.3 over the number of units, 0.4 with ``anp-exact``, 0.8 with
    ``feedback``. Several targets are learned at once.

    Attributes:
        n_features_in_: inputs.
        feature_names_in_: their names, where the inputs had some.
        scaling_: of the inputs.
        target_scaling_: of the targets.
        network_: what was trained.
        parameters_: what was learned.
        trainings_: calls that it was learned in.
    """

    _loss = Loss.SQUARED
    _factor = 0.3

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learns.

        Args:
            X: inputs, (samples, inputs).
            y: targets, (samples,) or (samples, targets).

        Raises:
            ValueError: the data or a parameter cannot be used.
            BoardError: the board refuses or does not answer.
        """
        onwards = self._goes_onwards()
        x, targets = self._data(X, y, onwards=onwards)
        return self._train(x, self.target_scaling_.apply(targets), targets.shape[1], self._epochs(len(x)), onwards=onwards)

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learns from some samples, once each (or as often as ``epochs`` says), after what was learned before.

        Args:
            X: inputs, (samples, inputs). The first call's data decide how inputs and targets are scaled.
            y: targets, (samples,) or (samples, targets).
        """
        onwards = hasattr(self, "parameters_")
        x, targets = self._data(X, y, onwards=onwards)
        if not onwards and self.target_scaling_.constant.any():
            raise ValueError("the first call decides how targets are scaled, and they are all equal; begin with more samples")
        return self._train_part(x, self.target_scaling_.apply(targets), targets.shape[1], onwards=onwards)

    def predict(self, X: ArrayLike) -> Float:
        """Targets in their unit, (samples,) or (samples, targets)."""
        outputs = self._outputs(X)
        found = self.target_scaling_.invert(outputs)
        return found[:, 0] if self._single else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _meaning(self) -> tuple[tuple[str, ...], None, Scaling]:
        count = self.target_scaling_.mean.size
        return tuple(f"y{number}" for number in range(1, count + 1)) if count > 1 else ("y",), None, self.target_scaling_

    def _data(self, X: ArrayLike, y: ArrayLike, *, onwards: bool) -> tuple[Float, Float]:
        x, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=not onwards)
        single = targets.ndim == 1
        targets = np.asarray(targets, dtype=np.float64).reshape(len(x), -1)
        if not onwards:
            self._single = single
            self.target_scaling_ = Scaling.fit(targets)
        elif targets.shape[1] != self.network_.sizes[-1]:
            raise ValueError(f"y has {targets.shape[1]} targets, and {self.network_.sizes[-1]} were learned")
        return x, targets
