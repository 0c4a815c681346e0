"""A classifier that learns from noise."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from mtjlearn.estimators.base import ANPEstimator
from mtjlearn.estimators.learners import Float
from mtjlearn.network import Loss


class ANPClassifier(ClassifierMixin, ANPEstimator):  # type: ignore[misc]
    """Classes, learned by activity-based node perturbation (eq. 4) with softmax cross-entropy.

    Inputs are floats in any unit; they are scaled to mean 0 and deviation 1.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        rule: ``anp``; ``danp``: with decorrelated inputs of each layer; ``anp-exact``: the output layer learns from its error;
            ``feedback``: the hidden layers learn from that error too, through a feedback learned from noise (docs/rules.md).
        backend: ``core`` learns in the device's integers, inside this process; ``reference`` in floats
            with Gaussian noise; ``board`` on a board.
        board: with ``backend="board"``: the name of a board or port, as for ``mtjlearn train``, or an open board.
        eta: learning rate; None: 2 over the number of units; 1 with ``anp-exact``, 2 with ``feedback``.
        epsilon: rate of the decorrelation.
        sigma: standard deviation of a unit's noise.
        weights: storage of weights in the device's integers, ``int16`` or ``int32``.
        antithetic: the second pass uses the noise of the first, negated, as it always does with ``anp-exact`` and ``feedback``.
        slope: of the hidden units' leaky ReLU, a power of two; None: 1/8 with ``anp-exact`` and ``feedback``, else 1/128.
        epochs: passes over the samples; None: about 30,000 steps.
        schedule: how the learning rate falls in each call: ``halving``, four times from epoch to epoch; ``stepped``, at 50, 70 and
            85 % of the steps, also within an epoch; ``constant``, not at all.
        warm_start: a further call of fit continues from what was learned.
        random_state: of the first weights, the order of the samples, and simulated noise.

    Attributes:
        classes_: labels, in the order of the outputs.
        n_features_in_: inputs.
        feature_names_in_: their names, where the inputs had some.
        scaling_: of the inputs.
        network_: what was trained.
        parameters_: what was learned.
        trainings_: calls that it was learned in.
    """

    _loss = Loss.CROSS_ENTROPY
    _factor = 2.0
    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learns.

        Args:
            X: inputs, (samples, inputs).
            y: labels, (samples,), of at least two classes.

        Raises:
            ValueError: the data or a parameter cannot be used.
            BoardError: the board refuses or does not answer.
        """
        onwards = self._goes_onwards()
        x, labels = validate_data(self, X, y, dtype=np.float64, reset=not onwards)
        classes = self._checked(labels)
        if onwards and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start: y has the classes {classes.tolist()}, and those learned are {self.classes_.tolist()}")
        self.classes_ = classes
        return self._train(x, self._numbers(labels), len(classes), self._epochs(len(x)), onwards=onwards)

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Learns from some samples, once each (or as often as ``epochs`` says), after what was learned before.

        Args:
            X: inputs, (samples, inputs). The first call's decide how inputs are scaled.
            y: labels, (samples,).
            classes: all labels that will ever come; needed in the first call.
        """
        onwards = hasattr(self, "parameters_")
        if not onwards and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        x, labels = validate_data(self, X, y, dtype=np.float64, reset=not onwards)
        if not onwards:
            self.classes_ = unique_labels(classes)
        self._checked(labels, fewest=1)
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            raise ValueError(f"y has the classes {unknown.tolist()}, which are not among {self.classes_.tolist()}")
        return self._train_part(x, self._numbers(labels), len(self.classes_), onwards=onwards)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels, (samples,)."""
        outputs = self._outputs(X)
        return np.asarray(self.classes_[np.argmax(outputs, axis=1)])

    def predict_proba(self, X: ArrayLike) -> Float:
        """The softmax of the outputs, (samples, classes)."""
        outputs = self._outputs(X)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def decision_function(self, X: ArrayLike) -> Float:
        """The outputs, (samples, classes); of two classes the second's minus the first's, (samples,)."""
        outputs = self._outputs(X)
        check_is_fitted(self, "classes_")
        return np.asarray(outputs[:, 1] - outputs[:, 0]) if len(self.classes_) == 2 else outputs

    def _meaning(self) -> tuple[tuple[str, ...], tuple[str, ...] | None, None]:
        return ("class",), tuple(str(label) for label in self.classes_), None

    def _numbers(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        return np.searchsorted(self.classes_, labels).astype(np.int64)

    @staticmethod
    def _checked(labels: NDArray[Any], fewest: int = 2) -> NDArray[Any]:
        column_or_1d(labels)
        check_classification_targets(labels)
        classes = unique_labels(labels)
        if len(classes) < fewest:
            raise ValueError(f"y holds 1 class, {classes[0]!r}; a classifier needs samples of at least two")
        return np.asarray(classes)
