"""The reference on arrays of the array API standard: tensors of torch on a CPU or on CUDA, or any other namespace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.errors import UserError
from mtjlearn.reference.backend import Array, Backend, Precision


class StandardBackend(Backend):
    """Real arithmetic of a namespace of the array API standard.

    Args:
        namespace: the namespace.
        dtype: real type, ``float64`` or ``float32``.
        device: where arrays are; None is the library's default.
    """

    def __init__(self, namespace: ModuleType, dtype: Precision = "float64", device: Any = None) -> None:
        self.xp = namespace
        self.device = device
        super().__init__(dtype)

    def array(self, values: ArrayLike) -> Array:
        """See :class:`Backend`."""
        return self.xp.asarray(values, dtype=self.real, device=self.device)

    def data(self, values: ArrayLike) -> Array:
        """See :class:`Backend`; the dataset moves to the device as a whole."""
        return self.xp.asarray(values, device=self.device)

    def numpy(self, values: Array) -> NDArray[Any]:
        """See :class:`Backend`."""
        return np.from_dlpack(values)

    def copy(self, values: Array) -> Array:
        """See :class:`Backend`."""
        return self.xp.asarray(values, copy=True)

    def empty(self, shape: Sequence[int]) -> Array:
        """See :class:`Backend`."""
        return self.xp.empty(tuple(shape), dtype=self.real, device=self.device)

    def zeros(self, shape: Sequence[int]) -> Array:
        """See :class:`Backend`."""
        return self.xp.zeros(tuple(shape), dtype=self.real, device=self.device)

    def range(self, count: int) -> Array:
        """See :class:`Backend`."""
        return self.xp.arange(count, dtype=self.integer, device=self.device)

    def concatenate(self, parts: Sequence[Array], axis: int) -> Array:
        """See :class:`Backend`."""
        return self.xp.concat(list(parts), axis=axis)

    def broadcast(self, values: Array, shape: tuple[int, ...]) -> Array:
        """See :class:`Backend`."""
        return self.xp.broadcast_to(values, shape)

    def swap(self, values: Array, one: int, other: int) -> Array:
        """See :class:`Backend`."""
        axes = list(range(values.ndim))
        axes[one], axes[other] = axes[other], axes[one]
        return self.xp.permute_dims(values, tuple(axes))

    def product(self, rows: Array, matrix: Array, out: Array | None = None) -> Array:
        """See :class:`Backend`. A large matrix is best the first factor; float64 keeps its rounding instead."""
        if self.name == "float64":
            found = self.xp.matmul(rows, self.swap(matrix, 1, 2))
        else:
            found = self.swap(self.xp.matmul(matrix, self.swap(rows, 1, 2)), 1, 2)
        if out is not None:
            out[...] = found
        return found

    def shared(self, x: Array) -> bool:
        """See :class:`Backend`."""
        return False

    def outer(self, out: Array, signal: Array, x: Array) -> None:
        """See :class:`Backend`."""
        self.into(out, self.xp.matmul, self.swap(signal, 1, 2), x)

    def reshape(self, values: Array, shape: tuple[int, ...]) -> Array:
        """See :class:`Backend`."""
        return self.xp.reshape(values, shape)

    def quotient(self, values: Array, divisor: Array, skipped: Array) -> Array:
        """See :class:`Backend`."""
        xp = self.xp
        return xp.where(skipped, xp.zeros_like(values), values / xp.where(skipped, xp.ones_like(divisor), divisor))

    def into(self, out: Array, function: Callable[..., Array], *operands: Any) -> Array:
        """See :class:`Backend`; the standard has no results in place."""
        out[...] = function(*operands)
        return out

    def sums(self, values: Array) -> Array:
        """See :class:`Backend`."""
        return self.xp.sum(values, axis=-1)

    def all(self, flags: Array) -> Array:
        """See :class:`Backend`."""
        return self.xp.all(flags, axis=-1)

    def square_sums(self, values: Array) -> Array:
        """See :class:`Backend`."""
        return self.xp.sum(values * values, axis=-1)

    def next_power_of_two(self, values: Array) -> Array:
        """See :class:`Backend`; the logarithm is a guess that may be one power off."""
        xp = self.xp
        guess = xp.pow(xp.full_like(values, 2.0), xp.ceil(xp.log2(values)))
        guess = xp.where(guess < values, 2 * guess, guess)
        return xp.where(guess / 2 >= values, guess / 2, guess)

    def gather(self, data: Array, chosen: NDArray[np.int64]) -> Array:
        """See :class:`Backend`."""
        xp = self.xp
        index = xp.asarray(np.ascontiguousarray(chosen), device=self.device)
        if index.ndim == 1:
            return self.swap(xp.take(data, index, axis=1), 0, 1)
        sources = [data[0 if data.shape[0] == 1 else replica, ...] for replica in range(index.shape[0])]
        return xp.stack([xp.take(source, index[replica, ...], axis=0) for replica, source in enumerate(sources)], axis=1)

    def quiet(self) -> contextlib.AbstractContextManager[Any]:
        """See :class:`Backend`; it does not warn."""
        return contextlib.nullcontext()


class TorchBackend(StandardBackend):
    """Real arithmetic of torch, on a CPU or on CUDA.

    Args:
        dtype: real type, ``float64`` or ``float32``.
        device: a device of torch, e.g. ``cpu`` or ``cuda``.

    Raises:
        UserError: if the extra ``torch`` is not installed, or the device is not there.
    """

    def __init__(self, dtype: Precision = "float64", device: str = "cpu") -> None:
        try:
            import array_api_compat.torch as namespace
            import torch
        except ImportError:
            raise UserError("torch is not installed; pip install 'mtjlearn[torch]', or leave the device out") from None
        try:
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(f"torch cannot use the device {device!r} ({reason}); use cpu, or leave the device out") from None
        super().__init__(namespace, dtype, torch.device(device))
        self._torch = torch

    def numpy(self, values: Array) -> NDArray[Any]:
        """See :class:`Backend`."""
        return np.asarray(values.detach().cpu())

    def swap(self, values: Array, one: int, other: int) -> Array:
        """See :class:`Backend`."""
        return values.swapaxes(one, other)

    def into(self, out: Array, function: Callable[..., Array], *operands: Any) -> Array:
        """See :class:`Backend`."""
        return function(*operands, out=out)

    @contextlib.contextmanager
    def limit_threads(self, threads: int | None) -> Iterator[None]:
        """See :class:`Backend`."""
        before = self._torch.get_num_threads()
        if threads is not None:
            self._torch.set_num_threads(threads)
        try:
            yield
        finally:
            self._torch.set_num_threads(before)


def backend(dtype: Precision = "float64", device: str | None = None, namespace: ModuleType | None = None) -> Backend:
    """Where to compute.

    Args:
        dtype: real type.
        device: a device of torch; None computes with NumPy.
        namespace: another namespace of the array API standard.

    Raises:
        UserError: if torch is not installed, or lacks the device.
        ValueError: if the type is not ``float32`` or ``float64``, or both a device and a namespace are given.
    """
    if namespace is not None:
        if device is not None:
            raise ValueError("give a device of torch or a namespace, not both")
        return StandardBackend(namespace, dtype)
    return Backend(dtype) if device is None else TorchBackend(dtype, device)
