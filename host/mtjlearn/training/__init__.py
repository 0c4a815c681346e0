"""Trains a dataset on a board, and the float reference beside it; keeps everything in a run directory."""

from mtjlearn.training.plan import RULES, Plan, default_plan
from mtjlearn.training.session import Report, train

__all__ = ["RULES", "Plan", "Report", "default_plan", "train"]
