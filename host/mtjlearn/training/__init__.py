"""Trains a dataset on a board, and the float reference beside it; keeps everything in a run directory."""

from mtjlearn.training.plan import BOARD_RULES, RULES, Plan, RuleName, default_plan
from mtjlearn.training.report import Observer, Report
from mtjlearn.training.session import train

__all__ = ["BOARD_RULES", "RULES", "Observer", "Plan", "Report", "RuleName", "default_plan", "train"]
