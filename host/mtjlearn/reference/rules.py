"""Learning rules: what each sample says about the gradient. Every rule works with and without decorrelated inputs.

A rule gives a signal per unit, (R, B, N); the update of a layer is the batch mean of ``signal x^T``, with x the layer's
input, decorrelated if configured, the bias's 1 last.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mtjlearn.network import Loss
from mtjlearn.reference.backend import NUMPY, Array, Backend
from mtjlearn.reference.losses import Target, gradient, losses
from mtjlearn.reference.network import Matrices, Passes, forward, layer_slices


class Rule(enum.Enum):
    """Learning rule."""

    BP = "bp"
    NP = "np"
    ANP = "anp"
    ANP_EXACT = "anp-exact"
    FEEDBACK = "feedback"

    @property
    def noisy_passes(self) -> int:
        """Noisy forward passes of a step, each of which needs a noise value per noisy unit; of feedback, those of a probe."""
        return {Rule.BP: 0, Rule.NP: 1}.get(self, 2)

    @property
    def exact_output(self) -> bool:
        """Whether the output layer learns from the error itself; then hidden units alone have noise."""
        return self in (Rule.ANP_EXACT, Rule.FEEDBACK)


@dataclass(frozen=True)
class Signals:
    """What a rule found.

    Args:
        units: signal of every unit, an estimate of the loss's gradient by its pre-activation, (R, B, N).
        inputs: each layer's input in the pass whose x enters the update, (R, B, n + 1).
        losses: the loss of that pass, (R, B).
        skipped: samples that say nothing, (R, B); their signal is 0.
    """

    units: Array
    inputs: list[Array]
    losses: Array
    skipped: Array


@dataclass(frozen=True)
class Model:
    """What a rule needs of a network; the arrays are those that learn.

    Args:
        sizes: inputs, then units of each layer.
        loss: loss function.
        weights: parameters of each layer, (R, u, n + 1).
        matrices: decorrelation matrix of each layer's input, (R, n, n), or None.
        slope: of the leaky ReLU.
        offsets: what centres each layer's decorrelated input, (R, n) or None; None for none at all.
        backend: where to compute.
    """

    sizes: tuple[int, ...]
    loss: Loss
    weights: list[Array]
    matrices: Matrices
    slope: float
    offsets: Matrices | None = None
    backend: Backend = NUMPY

    def passes(self, x: Array, noise: Array | None) -> Passes:
        """Forward passes; see :func:`mtjlearn.reference.network.forward`."""
        return forward(self.weights, self.matrices, x, noise, self.slope, offsets=self.offsets, backend=self.backend)


def backpropagation(model: Model, x: Array, target: Target) -> Signals:
    """The exact gradient (eq. 1) of a clean pass, for x of (R, B, n0)."""
    xp = model.backend.xp
    run = model.passes(x, None)
    outputs = run.outputs[:, 0, ...]
    units = xp.empty_like(run.activities[:, 0, ...])
    slices = layer_slices(model.sizes)
    units[..., slices[-1]] = gradient(model.loss, outputs, target, model.backend)
    for layer in range(len(slices) - 2, -1, -1):
        backward = xp.matmul(units[..., slices[layer + 1]], model.weights[layer + 1][..., :-1])
        matrix = model.matrices[layer + 1]
        if matrix is not None:
            backward = xp.matmul(backward, matrix)
        active = run.activities[:, 0, :, slices[layer]] >= 0
        units[..., slices[layer]] = xp.where(active, backward, backward * model.slope)
    found = losses(model.loss, outputs, target, model.backend)
    return Signals(units, first_inputs(run.inputs), found, xp.zeros_like(found, dtype=model.backend.boolean))


def node_perturbation(model: Model, x: Array, target: Target, noise: Array, sigma: float) -> Signals:
    """Node perturbation with a clean pass (eq. 3): ``dL epsilon / sigma^2`` with x of the clean pass.

    Eq. 3 prints the factor 1 / sigma. To first order dL is the gradient's product with epsilon, so the mean of
    ``dL epsilon`` is sigma^2 times the gradient: 1 / sigma^2 is the unbiased factor. It is used here, and with it
    the learning rate means the same as in backpropagation.

    Args:
        model: the network.
        x: inputs, (R, B, n0).
        target: targets, (R, B, outputs) or classes (R, B).
        noise: epsilon, (R, 1, B, N).
        sigma: standard deviation of the noise.
    """
    xp = model.backend.xp
    both = model.backend.concatenate([xp.zeros_like(noise), noise], axis=1)
    run = model.passes(x, both)
    found = losses(model.loss, run.outputs, target[:, None, ...], model.backend)
    difference = found[:, 1, :] - found[:, 0, :]
    units = (difference / sigma**2)[..., None] * noise[:, 0, ...]
    return Signals(units, first_inputs(run.inputs), found[:, 0, :], difference == 0)


def activity_node_perturbation(model: Model, x: Array, target: Target, noise: Array, guarded: bool = True) -> Signals:
    """Activity-based node perturbation (eq. 4): ``N dL da / ||da||^2`` with x of the first pass.

    ``da`` is the difference of the two passes' pre-activations, in which the differences propagated from lower layers
    are contained. A sample with ``da = 0`` or ``dL = 0`` is skipped, if ``guarded``. Of several pairs of passes of a single
    layer, whose x is the same in all, the signals' mean is taken: for N units and K pairs its variance is about (N - 1) / K times
    the gradient's square.

    Args:
        model: the network.
        x: inputs, (R, B, n0).
        target: targets, (R, B, outputs) or classes (R, B).
        noise: of both passes, (R, 2, B, N); of K pairs, the first passes first, (R, 2 K, B, N).
        guarded: otherwise ``da = 0`` makes the signal undefined.
    """
    xp, backend = model.backend.xp, model.backend
    run = model.passes(x, noise)
    replicas, passes, batch, units = noise.shape
    pairs = passes // 2
    rows = (replicas, pairs * batch)
    found = losses(model.loss, run.outputs, target[:, None, ...], backend)
    difference = backend.reshape(found[:, :pairs, :] - found[:, pairs:, :], rows)
    signals = backend.reshape(run.activities[:, :pairs, ...] - run.activities[:, pairs:, ...], (*rows, units))
    square = backend.square_sums(signals)
    factor = units * difference
    if guarded:
        # Equal noise means da = 0, also where the products of the two passes round differently.
        equal = backend.reshape(backend.all(noise[:, :pairs, ...] == noise[:, pairs:, ...]), rows)
        skipped = equal | (square == 0) | (difference == 0)
        factor = backend.quotient(factor, square, skipped)
    else:
        skipped = xp.zeros_like(square, dtype=backend.boolean)
        factor = factor / square
    signals *= factor[..., None]
    if pairs > 1:
        signals = xp.mean(backend.reshape(signals, (replicas, pairs, batch, units)), axis=1)
        skipped = xp.all(backend.reshape(skipped, (replicas, pairs, batch)), axis=1)
    return Signals(signals, first_inputs(run.inputs), found[:, 0, :], skipped)


def first_inputs(inputs: list[Array]) -> list[Array]:
    """Each layer's input in the first pass, (R, B, n + 1), from those of all passes."""
    return [layer[:, 0, ...] for layer in inputs]


def step_divisors(inputs: list[Array], backend: Backend = NUMPY) -> Array:
    """The normalised step's divisor for each layer and sample, (R, B, L): the smallest power of two >= 1 + ||x||^2.

    The bias's 1 is already among the inputs (shared/numerics.md, section 7). Sums of squares such as those of inputs of -1 and 1
    hit powers of two; what exceeds one by less than 2^-40 of itself counts as it, so that the order of a sum does not decide.
    """
    squares = backend.empty((*inputs[0].shape[:-1], len(inputs)))
    for layer, x in enumerate(inputs):
        squares[..., layer] = backend.square_sums(x)
    return backend.next_power_of_two(squares * (1 - 2.0**-40))


def updates(
    signals: Signals,
    sizes: tuple[int, ...],
    normalised: bool,
    *,
    sums: bool = False,
    out: Sequence[Array] | None = None,
    backend: Backend = NUMPY,
) -> list[Array]:
    """Each layer's update, (R, u, n + 1): the batch mean of ``signal x^T``, each sample normalised if asked for.

    Args:
        signals: what the rule found.
        sizes: inputs, then units of each layer.
        normalised: divide each sample's part by the step's divisor.
        sums: the batch's sum instead of its mean.
        out: arrays for the result; None makes new ones.
        backend: where to compute.
    """
    xp = backend.xp
    replicas, batch, _ = signals.units.shape
    share = 1 if sums else batch
    divisors = step_divisors(signals.inputs, backend) * share if normalised else None
    out = [backend.empty((replicas, u, n + 1)) for n, u in pairwise(sizes)] if out is None else out
    for layer, (place, x) in enumerate(zip(layer_slices(sizes), signals.inputs, strict=True)):
        signal = signals.units[..., place]
        signal = signal / (share if divisors is None else divisors[..., layer : layer + 1])
        if batch == 1:
            backend.into(out[layer], xp.multiply, signal[:, 0, :, None], x)
        else:
            backend.outer(out[layer], signal, x)
    return list(out)
