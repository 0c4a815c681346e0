"""What the reference is timed next to: programs for torch that learn with the same rules, on one thread, in float32.

``AuthorsProgram`` has the structure of the program of the paper's authors: a module for each layer, gradients assigned to
parameters, Adam of torch, R with its products of n x n matrices. ``PlainProgram`` is a loop over tensors without autograd and
modules, with the same few products that the reference computes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Tensor = Any
SLOPE = 0.01
ETA, EPS, SIGMA = 1e-4, 1e-7, 1 / 32


class AuthorsProgram:
    """A layer is a module with R and b as parameters without gradients; each pass runs through all layers by itself.

    Args:
        sizes: inputs, then units of each layer.
        rule: ``bp`` (with autograd), ``anp`` or ``danp``.
    """

    def __init__(self, sizes: tuple[int, ...], rule: str) -> None:
        from torch import nn, optim

        self._rule = rule
        self._layers = nn.ModuleList(nn.Linear(fan_in, units) for fan_in, units in pairwise(sizes))
        for layer in self._layers if rule == "danp" else []:
            import torch

            layer.matrix = nn.Parameter(torch.eye(layer.in_features), requires_grad=False)
            layer.centre = nn.Parameter(torch.zeros(layer.in_features), requires_grad=False)
        trained = [parameter for parameter in self._layers.parameters() if parameter.requires_grad]
        self._optimiser = optim.Adam(trained, lr=ETA)
        self._units = sum(sizes[1:])

    def step(self, x: Tensor, target: Tensor) -> None:
        """One step with a batch."""
        import torch

        if self._rule == "bp":
            self._optimiser.zero_grad()
            torch.nn.functional.cross_entropy(self._forward(x)[0], target, reduction="sum").backward()
            self._optimiser.step()
            return
        with torch.no_grad():
            self._perturb(x, target)

    def _perturb(self, x: Tensor, target: Tensor) -> None:
        from torch.nn.functional import cross_entropy

        (one, inputs, activities), (other, _, others) = self._forward(x), self._forward(x)
        difference = cross_entropy(one, target, reduction="none") - cross_entropy(other, target, reduction="none")
        changes = [a - b for a, b in zip(activities, others, strict=True)]
        factor = self._units * difference / sum((change**2).sum(dim=1) for change in changes)
        for layer, change, xbar in zip(self._layers, changes, inputs, strict=True):
            signal = factor[:, None] * change
            layer.weight.grad, layer.bias.grad = signal.T @ xbar, signal.sum(dim=0)
        self._optimiser.step()
        for layer, xbar in zip(self._layers, inputs, strict=True) if self._rule == "danp" else []:
            correlation = xbar.T @ xbar / len(xbar)
            correlation.fill_diagonal_(0)
            layer.matrix -= EPS * correlation @ layer.matrix
            layer.centre -= EPS * xbar.sum(dim=0)

    def _forward(self, signal: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        import torch
        from torch.nn.functional import leaky_relu, linear

        inputs, activities = [], []
        for layer in self._layers:
            if self._rule == "danp":
                signal = linear(signal, layer.matrix, layer.centre)
            inputs.append(signal)
            signal = layer(signal)
            if self._rule != "bp":
                signal = signal + SIGMA * torch.randn_like(signal)
            activities.append(signal)
            signal = leaky_relu(signal, SLOPE)
        return activities[-1], inputs, activities


class PlainProgram:
    """Tensors and a loop: both passes at once, the first layer's products once, R by products with the batch, Adam in place.

    Args:
        sizes: inputs, then units of each layer.
        rule: ``anp`` or ``danp``.
    """

    def __init__(self, sizes: tuple[int, ...], rule: str) -> None:
        import torch

        self._weights = [torch.empty(units, n).uniform_(-(n**-0.5), n**-0.5) for n, units in pairwise(sizes)]
        self._biases = [torch.zeros(units) for units in sizes[1:]]
        self._matrices = [torch.eye(n) for n in sizes[:-1]] if rule == "danp" else []
        self._moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in (*self._weights, *self._biases)]
        self._units = sum(sizes[1:])
        self._steps = 0

    def step(self, x: Tensor, target: Tensor) -> None:
        """One step with a batch."""
        import torch
        from torch.nn.functional import cross_entropy, leaky_relu

        batch, signal = len(x), x
        inputs, changes = [], []
        for layer, (weights, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            if self._matrices:
                signal = signal @ self._matrices[layer].T
            inputs.append(signal[:batch])
            signal = torch.addmm(bias, signal, weights.T)
            if layer == 0:
                signal = torch.cat([signal, signal])
            activity = signal.add_(torch.randn_like(signal), alpha=SIGMA)
            changes.append(activity[:batch] - activity[batch:])
            signal = leaky_relu(activity, SLOPE)
        losses = cross_entropy(activity, torch.cat([target, target]), reduction="none")
        difference = losses[:batch] - losses[batch:]
        factor = self._units * difference / sum(change.square().sum(dim=1) for change in changes)
        signals = [factor[:, None] * change for change in changes]
        self._adam([s.T @ xbar for s, xbar in zip(signals, inputs, strict=True)] + [s.sum(dim=0) for s in signals])
        for matrix, xbar in zip(self._matrices, inputs, strict=bool(self._matrices)):
            u = xbar @ matrix
            matrix.mul_((1 + EPS * xbar.square().mean(dim=0))[:, None])
            matrix.addmm_(xbar.T, u, alpha=-EPS / batch)

    def _adam(self, gradients: list[Tensor]) -> None:
        self._steps += 1
        scale, correction = -ETA / (1 - 0.9**self._steps), 1 / (1 - 0.999**self._steps)
        parameters = (*self._weights, *self._biases)
        for parameter, gradient, (mean, square) in zip(parameters, gradients, self._moments, strict=True):
            mean.lerp_(gradient, 0.1)
            square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            parameter.addcdiv_(mean, (square * correction).sqrt_().add_(1e-8), value=scale)
