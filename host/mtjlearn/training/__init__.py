"""Trains a dataset on a board, and the float reference with it; keeps everything in a run directory."""

from mtjlearn.network import BOARD_RULES, RULES, RuleName
from mtjlearn.training.plan import Plan, default_plan
from mtjlearn.training.report import Observer, Report
from mtjlearn.training.sameness import ChangedError, refuse_changed_data
from mtjlearn.training.train import train

__all__ = [
    "BOARD_RULES",
    "RULES",
    "ChangedError",
    "Observer",
    "Plan",
    "Report",
    "RuleName",
    "default_plan",
    "refuse_changed_data",
    "train",
]
