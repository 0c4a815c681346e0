"""The float64 reference: backpropagation, node perturbation and activity-based node perturbation, replicas at once."""

from mtjlearn.reference.losses import correct, losses
from mtjlearn.reference.network import initial_weights
from mtjlearn.reference.optimisers import Adam, Optimiser, Sgd
from mtjlearn.reference.rules import Rule
from mtjlearn.reference.train import Evaluation, History, Reference, shuffled

__all__ = [
    "Adam",
    "Evaluation",
    "History",
    "Optimiser",
    "Reference",
    "Rule",
    "Sgd",
    "correct",
    "initial_weights",
    "losses",
    "shuffled",
]
