"""Regression: a decorrelation matrix must not run away on inputs with rare extremes, as standardised pixels have."""

from __future__ import annotations

import numpy as np
import pytest

from mtjlearn.fixedpoint import update_matrix

pytestmark = pytest.mark.thorough

ONE = 1 << 14
"""1 in Q1.14."""


def test_an_extreme_input_does_not_enlarge_its_own_diagonal() -> None:
    # Two inputs that are positively correlated, both near the limit of 8. The exact update lowers R_00, since the other
    # input adds to the projection u_0 = R_00 x_0 + R_10 x_1. When u was saturated to 8, below R_00 x_0 = 9.5 alone,
    # the difference changed its sign and R_00 grew with every extreme until training broke down.
    matrix = np.array([[[1.2 * ONE, 0.5 * ONE], [0.5 * ONE, 1.2 * ONE]]]).astype(np.int64)
    xbar = np.array([[32400, 32400]])
    words = np.full((1, 6), 32768)  # rounding to nearest
    after = update_matrix(matrix, xbar, 1 << 18, words)
    assert after[0, 0, 0] < matrix[0, 0, 0]
    assert after[0, 1, 1] < matrix[0, 1, 1]
