"""Two rules whose output layer learns from the loss's gradient, which it knows on the spot (shared/numerics.md, section 13).

What is left to the noise is the hidden layers. ``anp-exact`` teaches them by activity-based node perturbation among themselves.
``feedback`` sends them the error through matrices B, and learns B from the noise, in the line of Lansdell, Prakash and Kording,
"Learning to solve the credit assignment problem" (ICLR 2020).
"""

from __future__ import annotations

from mtjlearn.reference.backend import Array
from mtjlearn.reference.losses import Target, gradient, losses
from mtjlearn.reference.network import Passes, layer_slices, leaky_relu
from mtjlearn.reference.rules import Model, Signals, first_inputs

PROBE_EVERY = 4
"""Of this many steps of ``feedback`` the first is a probe, which learns B; the others are one clean pass."""
FEEDBACK_RATE = 0.5
"""mu: what a probe takes away of B's error along its perturbation, or less, as the norm is rounded up."""


def exact_output(model: Model, x: Array, target: Target, noise: Array | None) -> Signals:
    """The loss's gradient e at the output layer; ``N_h dL da / ||da||^2`` of two passes at the N_h hidden units, with their own da.

    A sample with ``da = 0`` or ``dL = 0`` says nothing to hidden layers. Without hidden units the rule is the delta rule.

    Args:
        model: the network.
        x: inputs, (R, B, n0).
        target: targets, (R, B, outputs) or classes (R, B).
        noise: of both passes at the hidden units, (R, 2, B, N_h); None without hidden units.
    """
    xp, backend = model.backend.xp, model.backend
    run = model.passes(x, None if noise is None else _with_silent_outputs(model, noise))
    found = losses(model.loss, run.outputs, target[:, None, ...], backend)
    units = xp.empty_like(run.activities[:, 0, ...])
    hidden = slice(0, sum(model.sizes[1:-1]))
    units[..., hidden.stop :] = gradient(model.loss, run.outputs[:, 0, ...], target, backend)
    skipped = xp.zeros_like(found[:, 0, :], dtype=backend.boolean)
    if noise is not None:
        changes = run.activities[:, 0, :, hidden] - run.activities[:, 1, :, hidden]
        difference = found[:, 0, :] - found[:, 1, :]
        square = backend.square_sums(changes)
        skipped = (square == 0) | (difference == 0)
        units[..., hidden] = changes * backend.quotient(hidden.stop * difference, square, skipped)[..., None]
    return Signals(units, first_inputs(run.inputs), found[:, 0, :], skipped)


def feedback(model: Model, x: Array, target: Target, noise: Array | None, matrices: list[Array]) -> Signals:
    """The loss's gradient e at the output layer; ``f'(a) B e`` at a hidden layer, with its feedback matrix B.

    A probe learns B first. Its two passes differ by dx in what a hidden layer puts out, and by dy in what the network puts out:
    ``B += mu dx (dy - B^T dx)^T / ||dx||^2``, the norm rounded up to a power of two, the mean over the batch.

    Args:
        model: the network.
        x: inputs, (R, B, n0).
        target: targets, (R, B, outputs) or classes (R, B).
        noise: of both passes of a probe at the hidden units, (R, 2, B, N_h); None: one clean pass.
        matrices: B of each hidden layer, (R, units, outputs), changed in place by a probe.
    """
    xp, backend = model.backend.xp, model.backend
    run = model.passes(x, None if noise is None else _with_silent_outputs(model, noise))
    if noise is not None:
        _learn_feedback(model, run, matrices)
    outputs = run.outputs[:, 0, ...]
    error = gradient(model.loss, outputs, target, backend)
    units = xp.empty_like(run.activities[:, 0, ...])
    *hidden, last = layer_slices(model.sizes)
    units[..., last] = error
    for place, matrix in zip(hidden, matrices, strict=True):
        backward = backend.product(error, matrix)
        active = run.activities[:, 0, :, place] >= 0
        units[..., place] = xp.where(active, backward, backward * model.slope)
    found = losses(model.loss, outputs, target, backend)
    return Signals(units, first_inputs(run.inputs), found, xp.zeros_like(found, dtype=backend.boolean))


def feedback_matrices(model: Model, replicas: int) -> list[Array]:
    """B of each hidden layer before the first step: 0, (R, units, outputs)."""
    return [model.backend.zeros((replicas, units, model.sizes[-1])) for units in model.sizes[1:-1]]


def _learn_feedback(model: Model, run: Passes, matrices: list[Array]) -> None:
    backend = model.backend
    outputs = run.outputs[:, 0, ...] - run.outputs[:, 1, ...]
    batch = outputs.shape[1]
    for place, matrix in zip(layer_slices(model.sizes), matrices, strict=False):
        given = leaky_relu(run.activities[..., place], model.slope, backend)
        changes = given[:, 0, ...] - given[:, 1, ...]
        square = backend.square_sums(changes)
        still = square == 0
        norm = backend.next_power_of_two(backend.xp.where(still, backend.xp.ones_like(square), square))
        missing = outputs - backend.product(changes, backend.swap(matrix, 1, 2))
        missing *= (FEEDBACK_RATE / batch / norm)[..., None]
        change = backend.empty(matrix.shape)
        backend.outer(change, changes, missing)
        matrix += change


def _with_silent_outputs(model: Model, noise: Array) -> Array:
    """Noise of all units, from that of the hidden ones."""
    silent = model.backend.zeros((*noise.shape[:-1], model.sizes[-1]))
    return model.backend.concatenate([noise, silent], axis=-1)
