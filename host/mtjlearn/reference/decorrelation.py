"""Decorrelation of a layer's input (section II A): ``xbar = R x`` with R learned from xbar alone."""

from __future__ import annotations

from mtjlearn.reference.backend import NUMPY, Array, Backend, parts


def update_matrix(matrix: Array, xbar: Array, rate: float, backend: Backend = NUMPY) -> None:
    """``R <- R - eps <xbar xbar^T - diag(xbar^2)> R``, in place; the mean is taken over the batch.

    With ``u = R^T xbar`` that is ``R_ij <- R_ij - eps <xbar_i (u_j - xbar_i R_ij)>``: two products with the batch's few samples
    instead of one of n x n matrices. It must be R transposed; with R itself the decorrelation diverges.

    Args:
        matrix: R, (R replicas, n, n).
        xbar: decorrelated inputs, (replicas, B, n).
        rate: eps.
        backend: where to compute.
    """
    xp = backend.xp
    share = rate / xbar.shape[1]
    u = backend.product(xbar, backend.swap(matrix, 1, 2))
    if backend.name == "float64":
        # It is the reference and keeps its rounding.
        change = xp.matmul(backend.swap(xbar, 1, 2), u)
        change -= xp.sum(xbar * xbar, axis=1)[..., None] * matrix
        change *= share
        matrix -= change
        return
    # float32 scales the few samples instead of the matrix, and works in parts.
    scaled = xbar * share
    squares = xp.sum(xbar * scaled, axis=1)[..., None]
    for rows, xbars, square in parts(matrix, backend.swap(scaled, 1, 2), squares):
        change = xp.matmul(xbars, u)
        rows *= 1 + square
        rows -= change


def update_offset(offset: Array, xbar: Array, rate: float, sums: bool, backend: Backend = NUMPY) -> None:
    """``b <- b - eps <xbar>``, in place, with which the mean of ``xbar = R x + b`` goes to 0.

    Args:
        offset: b, (R, n).
        xbar: centred inputs, (R, B, n).
        rate: eps.
        sums: the sum over the batch instead of the mean, as in the authors' code.
        backend: where to compute.
    """
    offset -= backend.xp.sum(xbar, axis=1) * (rate if sums else rate / xbar.shape[1])
