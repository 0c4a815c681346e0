"""Node perturbation for a module of torch: the noise of any source, a board on the desk included, trains its linear layers.

The module stays the user's: its own layers, losses and optimiser. A step runs it twice with different noise on the outputs of its
linear layers and sets the gradients of their parameters, which an optimiser of torch then uses as it would use true ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, cast

from mtjlearn.errors import UserError
from mtjlearn.noise.sources import NoiseSource
from mtjlearn.reference.backend import Precision
from mtjlearn.reference.decorrelation import update_matrix, update_offset
from mtjlearn.reference.draws import training_noise
from mtjlearn.reference.reading import Reading, ReadingName, reading_of
from mtjlearn.reference.tensors import TorchBackend

Tensor = Any
Module = Any
MATRIX, OFFSET = "decorrelation", "centre"
"""Names of the buffers of a decorrelated layer; they are part of the module's ``state_dict``."""
_DIFFER = "so that the two passes of a step differ"


class ModuleError(UserError, ValueError):
    """A module that cannot learn by node perturbation; the text says what to change."""


class NodePerturbation:
    """Trains the linear layers of a module by NP (eq. 3), ANP (eq. 4) or, decorrelated, DANP.

    Only linear layers may have parameters, and each is used once in a forward pass, with inputs of shape (B, n). What is between
    them is free (activations, ``Flatten``, arithmetic), but may not be random: both passes see the same.

    Decorrelation becomes a part of the module: from then on each linear layer multiplies its input by a matrix R, in evaluations
    too, until :meth:`remove`.

    Args:
        module: an ``nn.Module``; it is changed in place.
        noise: source of one replica; it draws in the order of the module's layers.
        rule: ``anp``, or ``np``, which needs the noise's standard deviation and a clean pass.
        sigma: standard deviation of the noise, for ``np`` alone; None asks the source for its ``sigma``.
        decorrelate: the inputs of all linear layers are decorrelated.
        decorrelation_rate: eps of the R update, which every step makes.
        reading: ``paper``, ``code`` or a mixture: whether updates are means or sums over the batch, whether decorrelated inputs are
            centred, in which order a junction serves a batch, and whether ``da = 0`` is guarded (docs/python.md).
        threads: of torch during a step; several make small layers slower. None leaves torch's own setting.

    Raises:
        UserError: torch is not installed.
        ModuleError: the module has parameters outside of linear layers, or no linear layer.
        ValueError: an option has no such value.
    """

    def __init__(
        self,
        module: Module,
        noise: NoiseSource,
        *,
        rule: Literal["anp", "np"] = "anp",
        sigma: float | None = None,
        decorrelate: bool = False,
        decorrelation_rate: float = 1e-4,
        reading: ReadingName | Reading = "paper",
        threads: int | None = 1,
    ) -> None:
        if rule not in ("anp", "np"):
            raise ValueError(f"node perturbation has the rules anp and np, not {rule!r}")
        if noise.replicas != 1:
            raise ValueError(f"the noise serves {noise.replicas} replicas; a module needs one")
        deviation = getattr(noise, "sigma", None) if sigma is None else sigma
        if rule == "np" and not deviation:
            raise ValueError("np needs the noise's standard deviation: give sigma")
        self.module = module
        self.layers: list[Module] = _linear_layers(module)
        """The linear layers, in the order in which they are served with noise."""
        self.reading = reading_of(reading)
        self.decorrelation_rate = decorrelation_rate
        self.threads = threads
        self._noise = noise
        self._rule = rule
        self._sigma = deviation
        self._perturbation: dict[Module, Tensor] | None = None
        self._activities: dict[Module, Tensor] = {}
        self._inputs: dict[Module, Tensor] = {}
        if decorrelate and any(hasattr(layer, MATRIX) for layer in self.layers):
            raise ModuleError("the module is decorrelated already: remove() the one that does it first")
        self._hooks = [layer.register_forward_hook(self._after) for layer in self.layers]
        if decorrelate:
            for layer in self.layers:
                self._decorrelate(layer)
        self._decorrelated = decorrelate

    @property
    def units(self) -> int:
        """Number of units in all linear layers, N of eq. 4."""
        return sum(layer.out_features for layer in self.layers)

    def step(self, inputs: Tensor, losses: Callable[[Tensor], Tensor]) -> Tensor:
        """Two passes: sets ``.grad`` of all parameters, and changes R. The optimiser's step is the caller's.

        Args:
            inputs: what the module is called with, (B, ...).
            losses: from the module's outputs the loss of each sample, (B,), e.g.
                ``lambda y: cross_entropy(y, target, reduction="none")``.

        Returns:
            Losses of the first pass with ANP, of the clean pass with NP, (B,).

        Raises:
            ModuleError: a layer is used twice or not at all, its input is not (B, n), the losses are not (B,), or something random
                is computed.
            NoiseError: the source has no more values.
        """
        import torch

        samples = len(inputs)
        with torch.no_grad(), self._backend().limit_threads(self.threads):
            noise = self._draw(samples)
            found = self._pass(inputs, losses, samples, None if self._rule == "np" else noise[0])
            activities, used = dict(self._activities), dict(self._inputs)
            second = self._pass(inputs, losses, samples, noise[-1])
            if self._rule == "np":
                factor = (second - found) / float(self._sigma or 0) ** 2
                signals = [factor[:, None] * part for part in self._split(noise[-1])]
            else:
                changes = [activities[layer] - self._activities[layer] for layer in self.layers]
                factor = self._global_factor(found - second, changes, noise)
                signals = [factor[:, None] * change for change in changes]
            for layer, signal in zip(self.layers, signals, strict=True):
                self._set_gradients(layer, signal if self.reading.sums else signal / samples, used[layer])
                if self._decorrelated:
                    self._learn_matrix(layer, used[layer])
            self._activities.clear()
            self._inputs.clear()
        return found

    def remove(self) -> None:
        """Takes the noise and the decorrelation out of the module again; its weights stay."""
        for hook in self._hooks:
            hook.remove()
        for layer in self.layers if self._decorrelated else []:
            delattr(layer, MATRIX)
            if hasattr(layer, OFFSET):
                delattr(layer, OFFSET)
        self._hooks, self._decorrelated = [], False

    def _decorrelate(self, layer: Module) -> None:
        import torch

        options = {"dtype": layer.weight.dtype, "device": layer.weight.device}
        layer.register_buffer(MATRIX, torch.eye(layer.in_features, **options))
        if self.reading.centring:
            layer.register_buffer(OFFSET, torch.zeros(layer.in_features, **options))
        self._hooks.append(layer.register_forward_pre_hook(self._before))

    def _before(self, layer: Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        decorrelated = inputs[0] @ getattr(layer, MATRIX).T
        return (decorrelated + getattr(layer, OFFSET) if hasattr(layer, OFFSET) else decorrelated,)

    def _after(self, layer: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if self._perturbation is None:
            return output
        if layer in self._activities:
            raise ModuleError(f"{layer} is used twice in a pass; node perturbation needs a layer for each use")
        if output.ndim != 2:
            raise ModuleError(f"{layer} has an input of shape {tuple(inputs[0].shape)}; flatten it to (samples, inputs)")
        self._inputs[layer] = inputs[0]
        self._activities[layer] = output + self._perturbation[layer] if self._perturbation else output
        return self._activities[layer]

    def _pass(self, inputs: Tensor, losses: Callable[[Tensor], Tensor], samples: int, noise: Tensor | None) -> Tensor:
        """Losses of one pass, (B,), with noise (B, N) or, None, without."""
        self._activities.clear()
        self._perturbation = {} if noise is None else dict(zip(self.layers, self._split(noise), strict=True))
        drawn = self._drawn()
        try:
            found = losses(self.module(inputs))
        finally:
            self._perturbation = None
        if drawn != self._drawn():
            raise ModuleError(f"the module or its losses draw random numbers, {_DIFFER}: leave dropout out, or call eval()")
        if len(self._activities) != len(self.layers):
            raise ModuleError("a linear layer is not used in a pass; node perturbation needs them all")
        if tuple(found.shape) != (samples,):
            raise ModuleError(f'the losses have shape {tuple(found.shape)}, not ({samples},): one a sample, reduction="none"')
        return found

    def _drawn(self) -> list[bytes]:
        """The state of torch's generators, which changes when something random is computed."""
        import torch

        device = self.layers[0].weight.device
        states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
        return [state.numpy().tobytes() for state in states]

    def _backend(self) -> TorchBackend:
        weight = self.layers[0].weight
        return _backend(cast(Precision, str(weight.dtype).removeprefix("torch.")), str(weight.device))

    def _draw(self, samples: int) -> Tensor:
        """Noise of all noisy passes, (P, B, N)."""
        import torch

        sizes = (0, *(layer.out_features for layer in self.layers))
        passes = 1 if self._rule == "np" else 2
        along = samples if self.reading.along_batch else None
        values = training_noise(self._noise, sizes, passes, samples, mirrored=False, along=along)[0]
        weight = self.layers[0].weight
        return torch.as_tensor(values).to(weight.device, weight.dtype)

    def _split(self, noise: Tensor) -> list[Tensor]:
        import torch

        return list(torch.split(noise, [layer.out_features for layer in self.layers], dim=-1))

    def _global_factor(self, difference: Tensor, changes: list[Tensor], noise: Tensor) -> Tensor:
        """``N dL / ||da||^2`` of each sample, (B,); 0 where it is undefined, if guarded."""
        import torch

        square = sum(change.square().sum(dim=1) for change in changes)
        factor = self.units * difference / square
        if not self.reading.guarded:
            return factor
        return torch.where((square == 0) | (noise[0] == noise[1]).all(dim=1), torch.zeros_like(factor), factor)

    def _set_gradients(self, layer: Module, signal: Tensor, inputs: Tensor) -> None:
        if layer.weight.requires_grad:
            layer.weight.grad = signal.T @ inputs
        if layer.bias is not None and layer.bias.requires_grad:
            layer.bias.grad = signal.sum(dim=0)

    def _learn_matrix(self, layer: Module, inputs: Tensor) -> None:
        backend = self._backend()
        update_matrix(getattr(layer, MATRIX)[None], inputs[None], self.decorrelation_rate, backend)
        if hasattr(layer, OFFSET):
            offset = getattr(layer, OFFSET)[None]
            update_offset(offset, inputs[None], self.decorrelation_rate, self.reading.centring_sums, backend)


@cache
def _backend(dtype: Precision, device: str) -> TorchBackend:
    return TorchBackend(dtype, device)


def _linear_layers(module: Module) -> list[Module]:
    try:
        from torch import nn
    except ImportError:
        raise UserError("torch is not installed; pip install 'mtjlearn[torch]'") from None
    layers = [each for each in module.modules() if isinstance(each, nn.Linear)]
    if not layers:
        raise ModuleError("the module has no linear layer (torch.nn.Linear), which is what node perturbation trains")
    shared = [id(parameter) for layer in layers for parameter in layer.parameters()]
    if len(set(shared)) < len(shared):
        raise ModuleError("two linear layers share a parameter; node perturbation needs one for each")
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in shared:
            raise ModuleError(
                f"the parameter {name} does not belong to a linear layer, and node perturbation trains linear layers alone: "
                "freeze it with requires_grad_(False)"
            )
    for each in module.modules():
        if isinstance(each, nn.modules.dropout._DropoutNd) and each.p > 0:
            raise ModuleError(f"{each} draws random numbers, {_DIFFER}: set its p to 0")
    return layers
