"""Trains a dataset on a board, and the float reference with it; keeps everything in a run directory."""

from mtjlearn.network import BOARD_RULES, RULES, RuleName
from mtjlearn.training.defaults import default_plan
from mtjlearn.training.float_options import NO_BOARD, FloatOptions
from mtjlearn.training.plan import Plan
from mtjlearn.training.report import Observer, Report
from mtjlearn.training.sameness import ChangedError, refuse_changed_data
from mtjlearn.training.train import train

__all__ = [
    "BOARD_RULES",
    "NO_BOARD",
    "RULES",
    "ChangedError",
    "FloatOptions",
    "Observer",
    "Plan",
    "Report",
    "RuleName",
    "default_plan",
    "refuse_changed_data",
    "train",
]
