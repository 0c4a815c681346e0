"""Proves a board bit for bit against the integer model, and the integers statistically against the float reference."""

from mtjlearn.validate.against_float import REPLICAS, TASKS, Comparison, compare
from mtjlearn.validate.bit_exact import BitExact, check_board
from mtjlearn.validate.cases import Case, cases

__all__ = ["REPLICAS", "TASKS", "BitExact", "Case", "Comparison", "cases", "check_board", "compare"]
