"""The float reference: backpropagation, node perturbation and activity-based node perturbation, replicas at once."""

from mtjlearn.reference.data import shuffled
from mtjlearn.reference.losses import correct, losses
from mtjlearn.reference.network import initial_weights
from mtjlearn.reference.optimisers import Adam, Optimiser, Sgd
from mtjlearn.reference.reading import READINGS, Reading
from mtjlearn.reference.results import Evaluation, History
from mtjlearn.reference.rules import Rule
from mtjlearn.reference.train import Reference

__all__ = [
    "READINGS",
    "Adam",
    "Evaluation",
    "History",
    "Optimiser",
    "Reading",
    "Reference",
    "Rule",
    "Sgd",
    "correct",
    "initial_weights",
    "losses",
    "shuffled",
]
