"""Where the reference computes: NumPy, or tensors of another library through the array API standard (torch on a CPU or on CUDA).

The rules are written once, with functions that NumPy and the standard share. What they do not share is here: layout, in-place
results, gathering, and the loops over parts of a large matrix that keep intermediate results in a processor's cache.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = Any
"""An array or tensor of a backend, of its real type unless something else is said."""
Precision = Literal["float32", "float64"]

_PART = 2**17
"""Values of a large matrix that are worked on at once: a few such parts and their intermediate results fit into a core's cache."""


class Backend:
    """Real arithmetic of NumPy.

    Args:
        dtype: real type, ``float64`` or ``float32``.
    """

    xp: Any = np

    def __init__(self, dtype: Precision = "float64") -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f"the reference computes in float32 or float64, not in {dtype}")
        self.name: Precision = dtype
        self.real: Any = getattr(self.xp, dtype)
        self.integer: Any = self.xp.int64
        self.boolean: Any = getattr(self.xp, "bool", np.bool_)

    def array(self, values: ArrayLike) -> Array:
        """Real numbers as this backend's, not copied where they are such already."""
        return np.asarray(values, dtype=self.real)

    def data(self, values: ArrayLike) -> Array:
        """A dataset, left as it is until samples of it are gathered: it may be large, and of another type."""
        return np.asarray(values)

    def numpy(self, values: Array) -> NDArray[Any]:
        """As a NumPy array."""
        return np.asarray(values)

    def copy(self, values: Array) -> Array:
        """A copy."""
        return values.copy()

    def empty(self, shape: Sequence[int]) -> Array:
        """Real numbers, not yet set."""
        return np.empty(shape, dtype=self.real)

    def zeros(self, shape: Sequence[int]) -> Array:
        """Real zeros."""
        return np.zeros(shape, dtype=self.real)

    def range(self, count: int) -> Array:
        """The whole numbers 0 .. count - 1."""
        return np.arange(count)

    def concatenate(self, parts: Sequence[Array], axis: int) -> Array:
        """Joined along an axis."""
        return np.concatenate(parts, axis=axis)

    def broadcast(self, values: Array, shape: tuple[int, ...]) -> Array:
        """Repeated to a shape, for reading."""
        return np.broadcast_to(values, shape)

    def swap(self, values: Array, one: int, other: int) -> Array:
        """With two axes swapped, a view."""
        return values.swapaxes(one, other)

    def product(self, rows: Array, matrix: Array, out: Array | None = None) -> Array:
        """``matrix x`` for every row x of (R, rows, inputs): (R, rows, units), written into ``out`` if it is given."""
        return np.matmul(rows, matrix.swapaxes(1, 2), out=out)

    def shared(self, x: Array) -> bool:
        """Whether several replicas have the same samples, and one product serves them; float64 keeps its rounding instead."""
        return self.name == "float32" and x.shape[0] > 1 and x.strides[0] == 0

    def shared_product(self, rows: Array, matrix: Array) -> Array:
        """:meth:`product` of the same rows, (1, rows, inputs), with every replica's matrix."""
        replicas, units, inputs = matrix.shape
        return (rows[0] @ matrix.reshape(replicas * units, inputs).T).reshape(-1, replicas, units).swapaxes(0, 1)

    def reshape(self, values: Array, shape: tuple[int, ...]) -> Array:
        """In another shape."""
        return values.reshape(shape)

    def quotient(self, values: Array, divisor: Array, skipped: Array) -> Array:
        """The quotient, and 0 where it is skipped."""
        return np.divide(values, divisor, out=np.zeros_like(values), where=~skipped)

    def into(self, out: Array, function: Callable[..., Array], *operands: Any) -> Array:
        """The result of a function written into an array."""
        return function(*operands, out=out)

    def outer(self, out: Array, signal: Array, x: Array) -> None:
        """``signal^T x`` of each replica, (R, units, inputs), from (R, rows, units) and (R, rows, inputs)."""
        if self.shared(x):
            replicas, rows, units = signal.shape
            np.matmul(signal.transpose(0, 2, 1).reshape(replicas * units, rows), x[0], out=out.reshape(replicas * units, -1))
        else:
            np.matmul(signal.swapaxes(1, 2), x, out=out)

    def sums(self, values: Array) -> Array:
        """Sums over the last axis."""
        return np.add.reduce(values, axis=-1)

    def all(self, flags: Array) -> Array:
        """Whether all are true along the last axis."""
        return np.logical_and.reduce(flags, axis=-1)

    def square_sums(self, values: Array) -> Array:
        """Sums of squares over the last axis of (R, B, n)."""
        return np.einsum("rbn,rbn->rb", values, values)

    def next_power_of_two(self, values: Array) -> Array:
        """The smallest power of two that is not below each positive value."""
        mantissa, exponent = np.frexp(values)
        return np.ldexp(self.real(1), exponent - (mantissa == 0.5))

    def gather(self, data: Array, chosen: NDArray[np.int64]) -> Array:
        """Samples of data (1 or R, M, ...) chosen by (S,) or (R, S), samples first: (S, 1 or R, ...)."""
        index = chosen.T if chosen.ndim == 2 else chosen[:, None]
        return data[0][index] if len(data) == 1 else data[np.arange(len(data)), index]

    def quiet(self) -> contextlib.AbstractContextManager[Any]:
        """A network that diverges shows it by its losses; the library does not warn."""
        return np.errstate(over="ignore", invalid="ignore", divide="ignore")

    def limit_threads(self, threads: int | None) -> contextlib.AbstractContextManager[Any]:
        """Limits the threads of linear algebra; None leaves the library's own setting."""
        return contextlib.nullcontext() if threads is None else _blas().limit(limits=threads, user_api="blas")


def parts(matrices: Array, *others: Array) -> Iterator[tuple[Array, ...]]:
    """The same rows of arrays (R, rows, ...), which are worked on part after part; all at once if few or on an accelerator."""
    _, rows, columns = matrices.shape
    if rows * columns <= _PART or getattr(getattr(matrices, "device", None), "type", "cpu") != "cpu":
        yield matrices, *others
        return
    step = max(1, _PART // columns)
    for low in range(0, rows, step):
        yield tuple(each[:, low : min(low + step, rows), :] for each in (matrices, *others))


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


NUMPY = Backend()
"""NumPy in float64, the reference itself."""
