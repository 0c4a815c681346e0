"""Runs next to each other: what differs, what each found, curves with bands over seeds; and their metrics for other programs."""

from mtjlearn.comparison.compare import Comparison, Curve, Group, Spread, compare
from mtjlearn.comparison.read import ComparisonError, TrainingRun, read_training

__all__ = ["Comparison", "ComparisonError", "Curve", "Group", "Spread", "TrainingRun", "compare", "read_training"]
