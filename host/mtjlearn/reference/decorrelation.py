"""Decorrelation of a layer's input (section II A): ``xbar = R x`` with R learned from xbar alone."""

from __future__ import annotations

import numpy as np

from mtjlearn.reference.network import Array


def update_matrix(matrix: Array, xbar: Array, rate: float) -> None:
    """``R <- R - eps <xbar xbar^T - diag(xbar^2)> R``, in place; the mean is taken over the batch.

    With ``u = R^T xbar`` that is ``R_ij <- R_ij - eps <xbar_i (u_j - xbar_i R_ij)>``: two products instead of one of
    matrices. It must be R transposed; with R itself the decorrelation diverges.

    Args:
        matrix: R, (R replicas, n, n).
        xbar: decorrelated inputs, (replicas, B, n).
        rate: eps.
    """
    batch = xbar.shape[1]
    change = np.matmul(xbar.swapaxes(1, 2), np.matmul(xbar, matrix))
    change -= np.square(xbar).sum(axis=1)[..., None] * matrix
    change *= rate / batch
    matrix -= change
