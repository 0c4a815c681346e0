"""What classifier and regressor share: parameters, scaling, the network, and training in one go or in parts."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from mtjlearn.board import Board
from mtjlearn.datasets import Scaling
from mtjlearn.estimators.learners import BoardLearner, Float, Learner, Parameters, ReferenceLearner
from mtjlearn.models import Model
from mtjlearn.models.model import rounded_matrices, rounded_weights
from mtjlearn.network import (
    BOARD_RULES,
    EXACT_RATES,
    FRACTION_BITS,
    WEIGHT32_BITS,
    Loss,
    Network,
    RuleName,
    WeightFormat,
    device_rule,
    slope_exponent,
)
from mtjlearn.schedule import SCHEDULES, ScheduleName

Backend = Literal["reference", "core", "board"]

_RULES: tuple[RuleName, ...] = ("anp", "danp", "anp-exact", "feedback")
_STEPS = 30_000
_MOST_EPOCHS, _FEWEST_EPOCHS = 200, 5
_DECORRELATION_RATE = 2**-12
_CORE = "inprocess"
_SEEDS, _STRIDE = 2**31 - 2, 1_640_531_527
"""Each training that continues has a seed of its own, so that its noise is not that of the one before."""


class ANPEstimator(BaseEstimator):  # type: ignore[misc]
    """See :class:`ANPClassifier` and :class:`ANPRegressor`."""

    _loss: Loss
    _factor: float
    """Learning rate times units, unless the user gives a rate."""

    parameters_: Parameters
    network_: Network
    scaling_: Scaling
    trainings_: int

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (8,),
        *,
        rule: Literal["anp", "danp", "anp-exact", "feedback"] = "anp",
        backend: Backend = "core",
        board: str | Board | None = None,
        eta: float | None = None,
        epsilon: float = _DECORRELATION_RATE,
        sigma: float = 1 / 32,
        weights: Literal["int16", "int32"] = "int16",
        antithetic: bool = False,
        slope: float | None = None,
        epochs: int | None = None,
        schedule: ScheduleName = "halving",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.rule = rule
        self.backend = backend
        self.board = board
        self.eta = eta
        self.epsilon = epsilon
        self.sigma = sigma
        self.weights = weights
        self.antithetic = antithetic
        self.slope = slope
        self.epochs = epochs
        self.schedule = schedule
        self.warm_start = warm_start
        self.random_state = random_state

    def _learner(self) -> Learner:
        if self.backend not in ("reference", "core", "board"):
            raise ValueError(f"there is no backend {self.backend!r}; use reference, core or board")
        if self.backend == "board" and self.board is None:
            raise ValueError("backend='board' needs board=: a board's name, a port, or an open board")
        if self.backend != "board" and self.board is not None:
            raise ValueError(f"backend={self.backend!r} uses no board; omit board=, or use backend='board'")
        if self.backend == "reference":
            return ReferenceLearner()
        return BoardLearner(self.board if self.backend == "board" else _CORE)

    def _network(self, outputs: int, seed: int) -> Network:
        if self.rule not in _RULES:
            raise ValueError(f"there is no rule {self.rule!r} for estimators; use {', '.join(_RULES[:-1])} or {_RULES[-1]}")
        if self.backend != "reference" and self.rule not in BOARD_RULES:
            raise ValueError(f"boards do not learn with {self.rule}; use backend='reference', or one of {', '.join(BOARD_RULES)}")
        if self.weights not in ("int16", "int32"):
            raise ValueError(f"there are no weights {self.weights!r}; use int16 or int32")
        hidden = self.hidden_layer_sizes
        layers = (hidden,) if isinstance(hidden, numbers.Integral) else tuple(hidden) if isinstance(hidden, Iterable) else (None,)
        if not all(isinstance(units, numbers.Integral) for units in layers):
            raise ValueError(f"hidden_layer_sizes must be whole numbers, such as (8,) or (32, 16), not {hidden!r}")
        sizes = (self.n_features_in_, *map(int, layers), outputs)
        decorrelated = self.rule == "danp"
        network = Network(
            sizes,
            loss=self._loss,
            weight_format=WeightFormat[self.weights.upper()],
            antithetic=self.antithetic or self.rule in EXACT_RATES,
            decorrelate=(decorrelated,) * (len(sizes) - 1),
            decorrelation_rate=self.epsilon if decorrelated else 0.0,
            learning_rate=self._rate(sizes) if self.eta is None else self.eta,
            sigma=self.sigma,
            seed=1 + seed,
            rule=device_rule(self.rule),
            slope=None if self.slope is None else slope_exponent(self.slope),
        )
        return network if self.backend == "reference" else network.for_device()

    def _rate(self, sizes: tuple[int, ...]) -> float:
        return EXACT_RATES[self.rule][self._loss] if self.rule in EXACT_RATES else self._factor / sum(sizes[1:])

    def _epochs(self, samples: int) -> int:
        if self.epochs is None:
            return max(_FEWEST_EPOCHS, min(_MOST_EPOCHS, round(_STEPS / samples)))
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, not {self.epochs}")
        return int(self.epochs)

    def _train(self, x: Float, target: NDArray[Any], outputs: int, epochs: int, *, onwards: bool) -> Self:
        """Trains, from the beginning or onwards from what was learned."""
        drawn = int(check_random_state(self.random_state).randint(_SEEDS))
        self.trainings_ = self.trainings_ + 1 if onwards else 1
        seed = (drawn + (self.trainings_ - 1) * _STRIDE) % _SEEDS
        learner, network = self._learner(), self._network(outputs, seed)
        if self.schedule not in SCHEDULES:
            raise ValueError(f"there is no schedule {self.schedule!r}; use {', '.join(SCHEDULES[:-1])} or {SCHEDULES[-1]}")
        if onwards:
            self._check_continues(network)
        else:
            self.scaling_ = Scaling.fit(x)
        start = self.parameters_ if onwards else None
        scaled = self.scaling_.apply(x)
        self.parameters_ = learner.learn(network, start, scaled, target, epochs=epochs, schedule=self.schedule, seed=seed)
        self.network_ = network
        return self

    def _check_continues(self, network: Network) -> None:
        """Refuses to continue what another network learned, or in other numbers."""
        known = self.network_
        for name in ("sizes", "weight_format", "decorrelate", "rule", "slope"):
            if getattr(network, name) != getattr(known, name):
                raise ValueError(f"what was learned has {name} {getattr(known, name)}, not {getattr(network, name)}; fit a new one")
        if self._learned_floats != (self.backend == "reference"):
            kind = "floats" if self._learned_floats else "the device's integers"
            raise ValueError(f"what was learned is in {kind}, which backend={self.backend!r} cannot continue; fit a new one")

    @property
    def _learned_floats(self) -> bool:
        """Whether the reference learned; what is set since then does not change that."""
        return self.parameters_.weights[0].dtype.kind == "f"

    def _train_part(self, x: Float, target: NDArray[Any], outputs: int, *, onwards: bool) -> Self:
        """Trains a part of the samples, the first of which must say how inputs are scaled."""
        epochs = 1 if self.epochs is None else self._epochs(len(x))
        constant = Scaling.fit(x).constant
        if not onwards and constant.all():
            raise ValueError(
                "the first call decides how inputs are scaled, and all of its samples are equal; begin with more samples"
            )
        if not onwards and constant.any():
            inputs = ", ".join(map(str, np.flatnonzero(constant)[:8]))
            warnings.warn(f"inputs {inputs} are the same in all samples of the first call and count as 0 from now on", stacklevel=3)
        return self._train(x, target, outputs, epochs, onwards=onwards)

    def _goes_onwards(self) -> bool:
        return bool(self.warm_start) and hasattr(self, "parameters_")

    def _outputs(self, x: Any) -> Float:
        check_is_fitted(self, "parameters_")
        values = validate_data(self, x, reset=False, dtype=np.float64)
        learner = ReferenceLearner() if self._learned_floats else BoardLearner(_CORE)
        return learner.outputs(self.network_, self.parameters_, self.scaling_.apply(values))

    @property
    def coefs_(self) -> list[Float]:
        """Weights of each layer as real numbers, shape (fan-in, units), as scikit-learn's networks have them."""
        return [rows[:, :-1].T for rows in self._real_weights()]

    @property
    def intercepts_(self) -> list[Float]:
        """Biases of each layer as real numbers, shape (units,)."""
        return [rows[:, -1] for rows in self._real_weights()]

    def to_model(self, name: str = "model") -> Model:
        """What was learned as a model, to write, predict with, and export (:mod:`mtjlearn.models`).

        Args:
            name: of the data, which exported programs are named after.

        Raises:
            ModelError: the reference's weights are beyond what a device can hold.
        """
        check_is_fitted(self, "parameters_")
        weights, matrices = self.parameters_.weights, self.parameters_.matrices
        network = self.network_
        if self._learned_floats:
            network = replace(network, weight_format=WeightFormat.INT16, rounding=None)
            weights, matrices = [*rounded_weights(network, weights)], [*rounded_matrices(network, matrices)]
        names = getattr(self, "feature_names_in_", [f"x{number}" for number in range(1, self.n_features_in_ + 1)])
        return Model(
            network,
            tuple(weights),
            tuple(matrices),
            tuple(map(str, names)),
            self.scaling_,
            *self._meaning(),
            {"data": name, "backend": self.backend, "rule": self.rule},
        )

    def _meaning(self) -> tuple[tuple[str, ...], tuple[str, ...] | None, Scaling | None]:
        """Names of targets and classes, and the targets' scaling."""
        raise NotImplementedError

    def _real_weights(self) -> list[Float]:
        check_is_fitted(self, "parameters_")
        if self._learned_floats:
            return list(self.parameters_.weights)
        wide = self.network_.weight_format is WeightFormat.INT32
        bits = WEIGHT32_BITS if wide else FRACTION_BITS
        return [np.ldexp(rows.astype(np.float64), -bits) for rows in self.parameters_.weights]
